//! State and facts in one word.

use super::icon::Icon;
use leptos::prelude::*;

/// How a thing is: the colour and the icon that go with the word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Unknown,
    Ok,
    Warning,
    Bad,
    Info,
    Running,
}

impl Tone {
    pub fn class(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Ok => "is-ok",
            Self::Warning => "is-warn",
            Self::Bad => "is-bad",
            Self::Info | Self::Running => "is-info",
        }
    }

    /// The colour of an icon alone.
    pub fn text_class(self) -> &'static str {
        match self {
            Self::Ok => "text-success",
            Self::Bad => "text-error",
            Self::Warning => "text-warning",
            Self::Running => "text-primary spin",
            Self::Info | Self::Unknown => "",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Unknown => "circle-dashed",
            Self::Ok => "circle-check",
            Self::Warning => "triangle-alert",
            Self::Bad => "circle-x",
            Self::Info => "info",
            Self::Running => "loader-circle",
        }
    }
}

/// Icon, word and tint: the word carries the state.
#[component]
pub fn Chip(
    #[prop(into, optional)] tone: Signal<Tone>,
    /// Without tint, for rows.
    #[prop(optional)]
    plain: bool,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView {
    view! {
        <span class=move || format!("chip {} {} {class}", tone.get().class(), if plain { "chip-plain" } else { "" })>
            <svg class=move || if tone.get() == Tone::Running { "icon spin" } else { "icon" } aria-hidden="true">
                <use href=move || crate::page::asset(&format!("icons.svg#{}", tone.get().icon()))></use>
            </svg>
            {children()}
        </span>
    }
}

/// A fact, never a state: `Preview`, `Primary key`.
#[component]
pub fn Tag(#[prop(optional)] icon: Option<&'static str>, children: Children) -> impl IntoView {
    view! { <span class="tag">{icon.map(|name| view! { <Icon name=name small=true/> })}{children()}</span> }
}
