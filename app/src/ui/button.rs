//! Buttons: a verb, at most one primary per region. A disabled one keeps the focus and says why.

use super::icon::Icon;
use leptos::prelude::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    #[default]
    Default,
    Primary,
    /// In toolbars.
    Ghost,
    /// Only inside a confirmation.
    Danger,
}

impl ButtonKind {
    fn class(self) -> &'static str {
        match self {
            Self::Default => "btn",
            Self::Primary => "btn btn-primary",
            Self::Ghost => "btn btn-ghost",
            Self::Danger => "btn btn-error",
        }
    }
}

#[component]
pub fn Button(
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<&'static str>,
    /// Posts the form around it.
    #[prop(optional)]
    submit: bool,
    /// Shows a spinner in the place of the icon and ignores clicks.
    #[prop(into, optional)]
    busy: Signal<bool>,
    /// Why it cannot be used now: it looks disabled, keeps the focus, and its tooltip tells.
    #[prop(into, optional)]
    disabled_reason: Signal<Option<String>>,
    /// The accessible name, for buttons that show an icon only.
    #[prop(into, optional)]
    label: Option<String>,
    #[prop(optional)] class: &'static str,
    #[prop(into, optional)] on_click: Option<Callback<()>>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let is_blocked = move || busy.get() || disabled_reason.with(Option::is_some);
    let is_square = children.is_none();
    let class = format!("{}{} {class}", kind.class(), if is_square { " btn-square" } else { "" });
    let label_title = label.clone();
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=class.trim_end().to_owned()
            aria-label=label
            aria-busy=move || busy.get().then_some("true")
            aria-disabled=move || disabled_reason.with(Option::is_some).then_some("true")
            title=move || disabled_reason.get().or_else(|| label_title.clone())
            on:click=move |event| {
                if is_blocked() {
                    event.prevent_default();
                    event.stop_propagation();
                } else if let Some(on_click) = on_click {
                    on_click.run(());
                }
            }
        >
            {icon.map(|name| view! { <span class="btn-icon"><Icon name=name small=!is_square/></span> })}
            <span class="btn-spin"><super::icon::Spinner/></span>
            {children.map(|children| children())}
        </button>
    }
}

/// A link that looks like a button: for going somewhere.
#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView {
    let class = format!("{} {class}", kind.class());
    view! {
        <a href=href class=class.trim_end().to_owned()>
            {icon.map(|name| view! { <Icon name=name small=true/> })}
            {children()}
        </a>
    }
}
