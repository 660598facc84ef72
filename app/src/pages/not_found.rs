//! An address that leads nowhere.

use crate::ui::pane::PageTitle;
use crate::ui::{EmptyState, LinkButton};
use crate::{routes, tr};
use leptos::prelude::*;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    set_not_found();
    view! {
        <PageTitle title=tr!(frame.not_found)/>
        <h1 class="sr-only">{tr!(frame.not_found)}</h1>
        <EmptyState icon="search-x" title=tr!(frame.not_found) about=tr!(frame.not_found_about)>
            <LinkButton href=routes::HOME>{tr!(frame.home)}</LinkButton>
        </EmptyState>
    }
}

#[cfg(feature = "ssr")]
fn set_not_found() {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
}

#[cfg(not(feature = "ssr"))]
fn set_not_found() {}
