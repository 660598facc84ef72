//! The user interface of Lakedeck: pages, components and the server functions behind them.
//!
//! The same code renders on the server (feature `ssr`) and takes over in the browser (feature `hydrate`).

#![recursion_limit = "512"]

pub mod api;
pub mod components;
pub mod error;
pub mod i18n;
pub mod layout;
pub mod page;
pub mod pages;
pub mod routes;
mod shell;
#[cfg(feature = "ssr")]
pub mod ssr;
pub mod ui;

pub use shell::shell;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::SsrMode;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::path;

/// The application: every page inside its frame.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    ui::toast::provide_toasts();
    // Effects run once the browser has taken the page over: what tests wait for, and what styles may ask.
    Effect::new(|_| {
        if let Some(root) = document().document_element() {
            _ = root.set_attribute("data-hydrated", "");
        }
    });
    view! {
        <Router>
            <Routes fallback=pages::not_found::NotFoundPage>
                <Route path=path!("/sign-in") view=pages::sign_in::SignInPage/>
                <Route path=path!("/welcome") view=pages::welcome::WelcomePage/>
                <ParentRoute path=path!("") view=layout::Frame>
                    <Route path=path!("") view=pages::home::HomePage ssr=SsrMode::Async/>
                    <Route path=path!("/data-sources") view=pages::data_source::DataSourcesPage ssr=SsrMode::Async/>
                    <Route path=path!("/data-sources/new") view=pages::data_source::DataSourceNewPage ssr=SsrMode::Async/>
                    <Route path=path!("/data-sources/:name") view=pages::data_source::DataSourcePage ssr=SsrMode::Async/>
                    <Route path=path!("/projects") view=pages::external_project::ProjectsPage ssr=SsrMode::Async/>
                    <Route path=path!("/projects/new") view=pages::external_project::ProjectNewPage ssr=SsrMode::Async/>
                    <Route path=path!("/projects/:name") view=pages::external_project::ProjectPage ssr=SsrMode::Async/>
                    <Route path=path!("/quotas") view=pages::quotas::QuotasPage ssr=SsrMode::Async/>
                    <Route path=path!("/settings") view=pages::settings::SettingsPage ssr=SsrMode::Async/>
                    <Route path=path!("/worksheets") view=pages::worksheet::WorksheetsPage ssr=SsrMode::Async/>
                    <Route path=path!("/worksheets/:id") view=pages::worksheet::WorksheetPage ssr=SsrMode::Async/>
                    <Route path=path!("/help/types") view=pages::help::TypesPage/>
                    <Route path=path!("/help/support-matrix") view=pages::help::SupportMatrixPage/>
                    <Route path=path!("/help/troubleshooting") view=pages::help::TroubleshootingPage/>
                    <Route path=path!("/help/keyboard") view=pages::help::KeyboardPage/>
                    <Route path=path!("/*any") view=pages::not_found::NotFoundPage/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}
