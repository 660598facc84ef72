//! Native dialogs: the browser keeps the focus inside, closes on Escape and gives the focus back.

use super::button::{Button, ButtonKind};
use super::icon::Icon;
use crate::error::ApiError;
use crate::tr;
use leptos::html;
use leptos::prelude::*;
use std::pin::Pin;

/// A modal dialog that is open while `open` is true. Its title is the question.
#[component]
pub fn Dialog(
    /// Unique in the page.
    #[prop(into)]
    id: String,
    #[prop(into)] open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    #[prop(optional)] class: &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => _ = dialog.show_modal(),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    view! {
        <dialog id=id node_ref=node class=format!("pop dialog {class}") aria-labelledby=labelled_by on:close=move |_| open.set(false)>
            <div class="dialog-head">
                <h2 id=title_id>{move || title.get()}</h2>
                <button type="button" class="btn btn-ghost btn-square ml-auto" aria-label=tr!(frame.close) on:click=move |_| open.set(false)>
                    <Icon name="x"/>
                </button>
            </div>
            // Built when opened, so that its fields start fresh each time.
            <Show when=move || open.get()>{children()}</Show>
        </dialog>
    }
}

/// A question that waits for its answer: about what, whether the answer is being carried out, and why it failed.
pub struct Confirmation<T: Send + Sync + 'static> {
    subject: RwSignal<Option<T>>,
    asking: Asking,
}

// Not derived: that would ask the subject to be `Copy`.
impl<T: Send + Sync + 'static> Clone for Confirmation<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Confirmation<T> {}

/// The part of a [`Confirmation`] that is the same for everything.
#[derive(Clone, Copy)]
pub struct Asking {
    open: RwSignal<bool>,
    busy: RwSignal<bool>,
    /// Why it failed; stays in the dialog.
    problem: RwSignal<Option<String>>,
}

impl<T: Clone + Send + Sync + 'static> Confirmation<T> {
    /// Nothing is asked yet.
    #[expect(clippy::new_without_default, reason = "it makes signals: it is made once, in a component")]
    pub fn new() -> Self {
        let asking = Asking { open: RwSignal::new(false), busy: RwSignal::new(false), problem: RwSignal::new(None) };
        Self { subject: RwSignal::new(None), asking }
    }

    /// Opens the dialog about `subject`.
    pub fn ask(self, subject: T) {
        self.asking.problem.set(None);
        self.subject.set(Some(subject));
        self.asking.open.set(true);
    }

    /// What is asked about, or was last.
    pub fn subject(self) -> Option<T> {
        self.subject.get()
    }

    /// What `get` takes from the subject: a name for the title.
    pub fn map<U: Send + Sync + 'static>(self, get: fn(&T) -> U) -> Signal<Option<U>> {
        Signal::derive(move || self.subject.with(|subject| subject.as_ref().map(get)))
    }

    /// For [`ConfirmDialog`].
    pub fn asking(self) -> Asking {
        self.asking
    }

    /// Carries it out: the dialog closes when that succeeds, and tells why when it does not.
    pub fn run<F>(self, action: impl FnOnce(T) -> F)
    where
        F: Future<Output = Result<(), ApiError>> + 'static,
    {
        let Some(subject) = self.subject.get_untracked() else { return };
        self.asking.carry_out(Box::pin(action(subject)));
    }
}

impl Asking {
    fn carry_out(self, action: Pin<Box<dyn Future<Output = Result<(), ApiError>>>>) {
        self.busy.set(true);
        self.problem.set(None);
        leptos::task::spawn_local(async move {
            match action.await {
                Ok(()) => _ = self.open.try_set(false),
                Err(error) => _ = self.problem.try_set(Some(error.0.message)),
            }
            _ = self.busy.try_set(false);
        });
    }
}

/// Asks before something that cannot be taken back: what depends on it is listed, and the name has to be typed.
#[component]
pub fn ConfirmDialog(
    #[prop(into)] id: String,
    asking: Asking,
    #[prop(into)] title: Signal<String>,
    /// The verb of the button.
    #[prop(into)]
    action: String,
    /// The name that has to be typed; `None` asks with the button alone.
    #[prop(into, optional)]
    name: Signal<Option<String>>,
    #[prop(into)] on_confirm: Callback<()>,
    /// What happens, and what depends on it.
    children: ChildrenFn,
) -> impl IntoView {
    let Asking { open, busy, problem } = asking;
    let children = StoredValue::new(children);
    let action = StoredValue::new(action);
    let field_id = StoredValue::new(format!("{id}-name"));
    view! {
        <Dialog id=id open=open title=title>
            {
                let typed = RwSignal::new(String::new());
                let missing = Signal::derive(move || match name.get() {
                    Some(name) if typed.get().trim() != name => Some(tr!(frame.type_name_first).to_owned()),
                    _ => None,
                });
                view! {
                    <form
                        class="dialog-body"
                        on:submit=move |event| {
                            event.prevent_default();
                            if missing.with_untracked(Option::is_none) && !busy.get_untracked() {
                                on_confirm.run(());
                            }
                        }
                    >
                        {children.with_value(|children| children())}
                        {move || name.get().map(|name| view! {
                            <label class="mt-3 block" for=field_id.get_value()>
                                {tr!(frame.type_name_before)}<b class="font-mono text-sm">{name}</b>{tr!(frame.type_name_after)}
                            </label>
                            <input
                                id=field_id.get_value()
                                class="input mt-1 font-mono text-sm"
                                autocomplete="off"
                                spellcheck="false"
                                autofocus
                                on:input:target=move |event| typed.set(event.target().value())
                            />
                        })}
                        {move || problem.get().map(|problem| view! {
                            <p class="hint is-bad" role="alert"><Icon name="circle-x"/><span>{problem}</span></p>
                        })}
                        <div class="dialog-foot">
                            <Button on_click=move |()| open.set(false)>{tr!(frame.cancel)}</Button>
                            <Button kind=ButtonKind::Danger submit=true busy=busy disabled_reason=missing>{action.get_value()}</Button>
                        </div>
                    </form>
                }
            }
        </Dialog>
    }
}
