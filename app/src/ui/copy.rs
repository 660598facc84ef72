//! Copies a text and says so.

use super::icon::Icon;
use super::{dom, toast::toast};
use crate::tr;
use leptos::prelude::*;

#[component]
pub fn CopyButton(
    #[prop(into)] text: Signal<String>,
    /// The accessible name; with `words` it is shown too.
    #[prop(into)]
    label: String,
    #[prop(optional)] words: bool,
) -> impl IntoView {
    let copy = move |_| {
        let text = text.get_untracked();
        leptos::task::spawn_local(async move {
            toast(if dom::copy_text(&text).await { tr!(frame.copied) } else { tr!(frame.copy_refused) });
        });
    };
    if words {
        view! { <button type="button" class="btn btn-ghost" on:click=copy><Icon name="copy" small=true/>{label}</button> }
            .into_any()
    } else {
        view! {
            <button type="button" class="btn btn-ghost btn-square" aria-label=label.clone() title=label on:click=copy>
                <Icon name="copy"/>
            </button>
        }
        .into_any()
    }
}
