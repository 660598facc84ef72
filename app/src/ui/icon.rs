//! Lucide icons from one sprite of our own host (`style/icons.txt` lists them).

use crate::page::asset;
use leptos::prelude::*;

/// An icon that says nothing by itself: the word stands beside it, or in the button's name.
#[component]
pub fn Icon(
    #[prop(into)] name: Signal<&'static str>,
    /// 14 px instead of 16.
    #[prop(optional)]
    small: bool,
    #[prop(optional)] class: &'static str,
) -> impl IntoView {
    let sprite = asset("icons.svg");
    let class = format!("icon {} {class}", if small { "icon-sm" } else { "" });
    view! {
        <svg class=class.trim_end().to_owned() aria-hidden="true">
            <use href=move || format!("{sprite}#{}", name.get())></use>
        </svg>
    }
}

/// The turning circle beside a word; it stands still where motion is reduced.
#[component]
pub fn Spinner() -> impl IntoView {
    view! { <Icon name="loader-circle" small=true class="spin"/> }
}

/// The sign of the product.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <svg viewBox="0 0 24 24" aria-hidden="true">
            <rect x="1" y="1" width="22" height="22" rx="6" fill="currentColor"></rect>
            <g fill="none" stroke="var(--color-primary-content)" stroke-width="2" stroke-linecap="round">
                <path d="M6 8h12"></path>
                <path d="M6 12.2h12" opacity=".75"></path>
                <path d="M6 16.4c2-1.5 4-1.5 6 0s4 1.5 6 0"></path>
            </g>
        </svg>
    }
}
