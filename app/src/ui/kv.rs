//! Facts about one thing.

use leptos::prelude::*;

/// A list of names and values; children are [`Fact`]s.
#[component]
pub fn KeyValue(children: Children) -> impl IntoView {
    view! { <dl class="kv">{children()}</dl> }
}

/// One name and its value.
#[component]
pub fn Fact(
    #[prop(into)] name: String,
    /// The value is an identifier.
    #[prop(optional)]
    mono: bool,
    children: Children,
) -> impl IntoView {
    view! { <dt>{name}</dt><dd class:mono=mono>{children()}</dd> }
}
