//! Labelled controls. Each renders two cells of a [`super::FormSection`]: the label, and the control with its hint.
//!
//! The asterisk of a required field is drawn by CSS, so that the accessible name is the bare label.

use super::icon::Icon;
use crate::tr;
use leptos::prelude::*;

/// Label, control and the line below it. `error` takes the place of `hint`.
#[component]
pub fn Field(
    /// Id of the control, as named in `Problem::fields`.
    #[prop(into)]
    id: String,
    #[prop(into)] label: String,
    #[prop(optional)] required: bool,
    #[prop(into, optional)] hint: MaybeProp<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    view! {
        <label for=id.clone() class:req=required>{label}</label>
        <div class="min-w-0">{children()}<FieldHint id=id hint=hint error=error/></div>
    }
}

/// The line below a control; `aria-describedby` of the control is `<id>-hint`.
#[component]
pub fn FieldHint(
    #[prop(into)] id: String,
    #[prop(into, optional)] hint: MaybeProp<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let hint_id = format!("{id}-hint");
    move || {
        let hint_id = hint_id.clone();
        match (error.get(), hint.get()) {
            (Some(error), _) => {
                view! { <p class="hint is-bad" id=hint_id><Icon name="circle-x"/><span>{error}</span></p> }.into_any()
            }
            (None, Some(hint)) => view! { <p class="hint" id=hint_id>{hint}</p> }.into_any(),
            (None, None) => ().into_any(),
        }
    }
}

/// What ties a control to its form and to the line below it.
struct Wiring {
    name: String,
    /// `aria-describedby`; nothing where there is no line.
    described_by: Signal<Option<String>>,
    /// `aria-invalid`.
    invalid: Signal<Option<&'static str>>,
}

impl Wiring {
    fn new(id: &str, name: MaybeProp<String>, hint: MaybeProp<String>, error: Signal<Option<String>>) -> Self {
        let hint_id = format!("{id}-hint");
        let has_hint = move || hint.with(Option::is_some) || error.with(Option::is_some);
        Self {
            name: name.get_untracked().unwrap_or_else(|| id.to_owned()),
            described_by: Signal::derive(move || has_hint().then(|| hint_id.clone())),
            invalid: Signal::derive(move || error.with(Option::is_some).then_some("true")),
        }
    }
}

/// A line of text.
#[component]
pub fn TextField(
    /// Id and name of the control.
    #[prop(into)]
    id: String,
    /// The form field's name where it differs from the id, e.g. `draft[name]`.
    #[prop(into, optional)]
    name: MaybeProp<String>,
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_input: Callback<String>,
    #[prop(optional)] required: bool,
    #[prop(optional)] mono: bool,
    #[prop(into, optional)] readonly: Signal<bool>,
    #[prop(into, optional)] placeholder: MaybeProp<String>,
    #[prop(into, optional)] hint: MaybeProp<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    /// The value follows from others: wand and tag are shown.
    #[prop(into, optional)]
    generated: Signal<bool>,
    /// Shown as `Reset` once a generated value was edited.
    #[prop(into, optional)]
    on_reset: Option<Callback<()>>,
    /// Leaving the field.
    #[prop(into, optional)]
    on_blur: Option<Callback<()>>,
    #[prop(optional)] kind: TextKind,
    /// Buttons inside the field: Browse, a repair.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let Wiring { name, described_by, invalid } = Wiring::new(&id, name, hint, error);
    let class = if children.is_some() { "input w-full pr-1" } else { "input w-full" };
    view! {
        <Field id=id.clone() label required hint error>
            <div class=class>
                {move || generated.get().then(|| view! { <Icon name="wand-sparkles" class="text-muted"/> })}
                <input
                    id=id
                    name=name
                    type=kind.html_type()
                    inputmode=kind.input_mode()
                    autocomplete=kind.auto_complete()
                    class=if mono { "font-mono text-sm" } else { "" }
                    spellcheck="false"
                    required=required
                    readonly=move || readonly.get()
                    placeholder=move || placeholder.get()
                    aria-invalid=invalid
                    aria-describedby=described_by
                    value=value.get_untracked()
                    prop:value=move || value.get()
                    on:input:target=move |event| on_input.run(event.target().value())
                    on:blur=move |_| if let Some(on_blur) = on_blur { on_blur.run(()) }
                />
                {move || match (generated.get(), on_reset) {
                    (true, _) => view! { <span class="tag -mr-1">{tr!(frame.generated)}</span> }.into_any(),
                    (false, Some(on_reset)) => view! {
                        <button type="button" class="btn btn-ghost h-6 text-sm" on:click=move |_| on_reset.run(())>
                            {tr!(frame.reset)}
                        </button>
                    }.into_any(),
                    (false, None) => ().into_any(),
                }}
                {children.map(|children| children())}
            </div>
        </Field>
    }
}

/// What is typed into a [`TextField`]; decides the keyboard and what password managers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextKind {
    #[default]
    Text,
    Url,
    Number,
    UserName,
    Password,
    NewPassword,
}

impl TextKind {
    fn html_type(self) -> &'static str {
        match self {
            Self::Password | Self::NewPassword => "password",
            Self::Text | Self::Url | Self::Number | Self::UserName => "text",
        }
    }

    fn input_mode(self) -> Option<&'static str> {
        match self {
            Self::Url => Some("url"),
            Self::Number => Some("numeric"),
            Self::Text | Self::UserName | Self::Password | Self::NewPassword => None,
        }
    }

    fn auto_complete(self) -> &'static str {
        match self {
            Self::UserName => "username",
            Self::Password => "current-password",
            Self::NewPassword => "new-password",
            Self::Text | Self::Url | Self::Number => "off",
        }
    }
}

/// A secret: what is stored is never shown, only when it was set; `Replace` opens the field.
#[component]
pub fn SecretField(
    #[prop(into)] id: String,
    #[prop(into, optional)] name: MaybeProp<String>,
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_input: Callback<String>,
    #[prop(optional)] required: bool,
    /// When the stored secret was set; `None` where there is none.
    #[prop(into, optional)]
    set_at: Signal<Option<String>>,
    #[prop(into, optional)] hint: MaybeProp<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let is_replacing = RwSignal::new(false);
    let is_stored = move || set_at.with(Option::is_some) && !is_replacing.get();
    let Wiring { name, described_by, invalid } = Wiring::new(&id, name, hint, error);
    view! {
        <Field id=id.clone() label required=required hint error>
            <div class="input w-full pr-1">
                <input
                    id=id
                    name=name
                    type="password"
                    class="font-mono text-sm"
                    autocomplete="new-password"
                    spellcheck="false"
                    required=move || required && set_at.with(Option::is_none)
                    readonly=is_stored
                    placeholder=move || is_stored().then_some("••••••••")
                    aria-invalid=invalid
                    aria-describedby=described_by
                    prop:value=move || value.get()
                    on:input:target=move |event| on_input.run(event.target().value())
                />
                {move || set_at.get().filter(|_| is_stored()).map(|at| view! {
                    <span class="text-sm text-muted whitespace-nowrap">{tr!(frame.secret_set_on, date = at)}</span>
                    <button type="button" class="btn btn-ghost h-6 text-sm" on:click=move |_| is_replacing.set(true)>
                        {tr!(frame.replace)}
                    </button>
                })}
            </div>
        </Field>
    }
}

/// Several lines of text.
#[component]
pub fn TextAreaField(
    #[prop(into)] id: String,
    #[prop(into, optional)] name: MaybeProp<String>,
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_input: Callback<String>,
    #[prop(optional)] required: bool,
    #[prop(optional)] mono: bool,
    #[prop(default = 3)] rows: u32,
    #[prop(into, optional)] placeholder: MaybeProp<String>,
    #[prop(into, optional)] hint: MaybeProp<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let Wiring { name, described_by, invalid } = Wiring::new(&id, name, hint, error);
    view! {
        <Field id=id.clone() label required hint error>
            <textarea
                id=id
                name=name
                class=if mono { "textarea font-mono text-sm" } else { "textarea" }
                rows=rows
                spellcheck="false"
                required=required
                placeholder=move || placeholder.get()
                aria-invalid=invalid
                aria-describedby=described_by
                prop:value=move || value.get()
                on:input:target=move |event| on_input.run(event.target().value())
            >
                {value.get_untracked()}
            </textarea>
        </Field>
    }
}

/// One of many: a native select. Options are value and label.
#[component]
pub fn SelectField(
    #[prop(into)] id: String,
    #[prop(into, optional)] name: MaybeProp<String>,
    #[prop(into)] label: String,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
    #[prop(optional)] required: bool,
    #[prop(into, optional)] disabled: Signal<bool>,
    #[prop(into, optional)] hint: MaybeProp<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let Wiring { name, described_by, invalid } = Wiring::new(&id, name, hint, error);
    view! {
        <Field id=id.clone() label required hint error>
            <select
                id=id
                name=name
                class="select"
                required=required
                disabled=move || disabled.get()
                aria-invalid=invalid
                aria-describedby=described_by
                prop:value=move || value.get()
                on:change:target=move |event| on_change.run(event.target().value())
            >
                <For each={move || options.get()} key=Clone::clone let((option, text))>
                    {
                        let is_selected = value.with_untracked(|value| *value == option);
                        let this = option.clone();
                        view! {
                            <option value=option selected=is_selected prop:selected=move || value.with(|value| *value == this)>{text}</option>
                        }
                    }
                </For>
            </select>
        </Field>
    }
}

/// Yes or no: the label stands beside the box.
#[component]
pub fn CheckField(
    #[prop(into)] id: String,
    #[prop(into, optional)] name: MaybeProp<String>,
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<bool>,
    #[prop(into)] on_change: Callback<bool>,
    #[prop(into, optional)] hint: MaybeProp<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let Wiring { name, described_by, invalid } = Wiring::new(&id, name, hint, error);
    view! {
        <div class="form-check">
            <input
                type="checkbox"
                class="checkbox checkbox-primary"
                id=id.clone()
                name=name
                value="true"
                checked=value.get_untracked()
                prop:checked=move || value.get()
                aria-invalid=invalid
                aria-describedby=described_by
                on:change:target=move |event| on_change.run(event.target().checked())
            />
            <label for=id.clone()>{label}</label>
            <FieldHint id=id hint=hint error=error/>
        </div>
    }
}
