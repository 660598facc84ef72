//! The frame of every page: navigation, top bar, status strip.

pub mod connection;
mod crumbs;
mod password;
pub mod preference;
mod rail;
mod strip;
mod top_bar;

pub use password::PasswordForm;
pub use top_bar::{DensityButtons, pressed, theme_label};

use crate::api::data_source::enabled_regions;
use crate::api::external_project::list_projects;
use crate::api::session::signed_in;
use crate::error::ApiError;
use crate::page::Theme;
use crate::tr;
use crate::ui::toast::Toasts;
use crate::ui::{Button, Note, Tone};
use leptos::prelude::*;
use leptos_router::components::Outlet;
use model::access::SignedIn;
use model::external_project::ExternalProject;
use model::region::Region;
use rail::Rail;
use strip::StatusStrip;
use top_bar::TopBar;

/// What the frame shares with its pages. A page may overwrite the context that the strip shows while it is open.
#[derive(Clone, Copy)]
pub struct FrameContext {
    pub signed_in: Resource<Result<SignedIn, ApiError>>,
    pub projects: Resource<Result<Vec<ExternalProject>, ApiError>>,
    /// Those that are enabled.
    pub regions: Resource<Result<Vec<Region>, ApiError>>,
    /// The project chosen in the top bar, or that of the open worksheet.
    pub project: RwSignal<Option<String>>,
    /// The schema of the open worksheet.
    pub schema: RwSignal<Option<String>>,
    /// The time zone that the open worksheet's session was set to.
    pub timezone: RwSignal<Option<String>>,
    /// The page's own name in the breadcrumb, where the address does not tell it.
    pub title: RwSignal<Option<String>>,
    /// False while requests fail for want of an answer.
    pub is_connected: RwSignal<bool>,
    pub theme: RwSignal<Theme>,
    pub is_comfortable: RwSignal<bool>,
}

impl FrameContext {
    fn new() -> Self {
        let page = crate::page::current();
        Self {
            signed_in: Resource::new(|| (), |()| signed_in()),
            projects: Resource::new(|| (), |()| list_projects()),
            regions: Resource::new(|| (), |()| enabled_regions()),
            project: RwSignal::new(page.project),
            schema: RwSignal::new(None),
            timezone: RwSignal::new(None),
            title: RwSignal::new(None),
            is_connected: RwSignal::new(true),
            theme: RwSignal::new(page.theme),
            is_comfortable: RwSignal::new(page.is_comfortable),
        }
    }

    /// The project that is shown, with what is stored of it. Read it under a `Suspense`.
    fn project_stored(self) -> Option<ExternalProject> {
        let shown = self.project_shown()?;
        let projects = self.projects.get().and_then(Result::ok).unwrap_or_default();
        projects.into_iter().find(|project| project.name.as_str() == shown)
    }

    /// Names of the projects there are; empty until they are known. Read it under a `Suspense`.
    pub fn project_names(self) -> Vec<String> {
        let projects = self.projects.get().and_then(Result::ok).unwrap_or_default();
        projects.iter().map(|project| project.name.to_string()).collect()
    }

    /// The project that new worksheets are bound to: the chosen one, or the first when nothing was chosen or what was
    /// chosen is gone. Read it under a `Suspense`.
    pub fn project_shown(self) -> Option<String> {
        let names = self.project_names();
        let chosen = self.project.get().filter(|name| names.is_empty() || names.contains(name));
        chosen.or_else(|| names.into_iter().next())
    }
}

/// The frame that the page stands in.
pub fn use_frame() -> FrameContext {
    expect_context::<FrameContext>()
}

/// Rail, top bar, the page, status strip.
#[component]
pub fn Frame() -> impl IntoView {
    let context = FrameContext::new();
    provide_context(context);
    connection::watch(context.is_connected);
    view! {
        // Not the router's business: the browser moves the focus.
        <a class="skip" href="#main" rel="external">{tr!(frame.skip)}</a>
        <div class="shell">
            <Rail/>
            <TopBar/>
            <main id="main" tabindex="-1">
                <Outlet/>
            </main>
            <StatusStrip/>
        </div>
        <Offline/>
        <Toasts/>
    }
}

/// Says that the server does not answer, while it does not.
#[component]
fn Offline() -> impl IntoView {
    let frame = use_frame();
    view! {
        <div class="offline" role="alert">
            {move || (!frame.is_connected.get()).then(|| view! {
                <div class="pop">
                    <Note tone=Tone::Warning icon="plug-zap" title=tr!(frame.offline)
                        action=|| view! { <Button on_click=|()| connection::look()>{tr!(frame.try_now)}</Button> }>
                        {tr!(frame.offline_about)}
                    </Note>
                </div>
            })}
        </div>
    }
}
