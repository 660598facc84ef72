//! A callout: what, why, at most one button.

use super::chip::Tone;
use super::icon::Icon;
use leptos::prelude::*;

#[component]
pub fn Note(
    #[prop(optional)] tone: Tone,
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(into)] title: Signal<String>,
    /// The button.
    #[prop(optional, into)]
    action: Option<ViewFn>,
    /// Why, in a sentence.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class=format!("note {}", tone.class())>
            <Icon name=icon.unwrap_or_else(|| tone.icon())/>
            <div class="min-w-0">
                <p class="name">{move || title.get()}</p>
                {children.map(|children| view! { <div class="text-muted">{children()}</div> })}
            </div>
            {action.map(|action| view! { <div class="ml-auto self-center">{action.run()}</div> })}
        </div>
    }
}
