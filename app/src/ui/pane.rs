//! Panes and the head of a page.

use leptos::prelude::*;
use leptos_meta::Title;

/// A framed region with a 36 px head.
#[component]
pub fn Pane(
    #[prop(into, optional)] title: MaybeProp<String>,
    /// Count or date beside the title, muted.
    #[prop(into, optional)]
    note: MaybeProp<String>,
    /// Buttons at the right of the head.
    #[prop(into, optional)]
    actions: Option<ViewFn>,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView {
    view! {
        <section class=format!("pane {class}") aria-label=move || title.get()>
            {move || title.get().map(|title| view! {
                <div class="pane-head">
                    <span>{title}</span>
                    {move || note.get().map(|note| view! { <span class="font-normal text-muted">{note}</span> })}
                    {actions.clone().map(|actions| view! { <span class="ml-auto flex items-center gap-2">{actions.run()}</span> })}
                </div>
            })}
            {children()}
        </section>
    }
}

/// Title, one sentence about the page, and its actions. Sets the document's title too.
#[component]
pub fn PageHead(
    #[prop(into)] title: Signal<String>,
    #[prop(into, optional)] about: MaybeProp<String>,
    /// The buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <PageTitle title/>
        <div class="page-head">
            <div class="min-w-0">
                <h1>{move || title.get()}</h1>
                {move || about.get().map(|about| view! { <p class="mt-0.5 text-muted">{about}</p> })}
            </div>
            {children.map(|children| children())}
        </div>
    }
}

/// The document's title alone, for pages with a head of their own.
#[component]
pub fn PageTitle(#[prop(into)] title: Signal<String>) -> impl IntoView {
    view! { <Title text=move || format!("{} · Lakedeck", title.get())/> }
}
