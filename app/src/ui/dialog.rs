//! Native dialogs: the browser keeps the focus inside, closes on Escape and gives the focus back.

use super::button::{Button, ButtonKind};
use super::icon::Icon;
use crate::tr;
use leptos::html;
use leptos::prelude::*;

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

/// Asks before something that cannot be taken back: what depends on it is listed, and the name has to be typed.
#[component]
pub fn ConfirmDialog(
    #[prop(into)] id: String,
    #[prop(into)] open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// The verb of the button.
    #[prop(into)]
    action: String,
    /// The name that has to be typed; `None` asks with the button alone.
    #[prop(into, optional)]
    name: Signal<Option<String>>,
    #[prop(into, optional)] busy: Signal<bool>,
    /// Why it failed; stays in the dialog.
    #[prop(into, optional)]
    problem: Signal<Option<String>>,
    #[prop(into)] on_confirm: Callback<()>,
    /// What happens, and what depends on it.
    children: ChildrenFn,
) -> impl IntoView {
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
