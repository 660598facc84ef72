//! The frame of every page: navigation, top bar, status strip.

mod crumbs;
mod password;
pub mod preference;
mod rail;
mod strip;
mod top_bar;

pub use password::PasswordForm;
pub use top_bar::theme_label;

use crate::api::session::signed_in;
use crate::error::ApiError;
use crate::tr;
use crate::ui::toast::Toasts;
use leptos::prelude::*;
use leptos_router::components::Outlet;
use model::access::SignedIn;
use rail::Rail;
use strip::StatusStrip;
use top_bar::TopBar;

/// What the frame shares with its pages. A page may overwrite the context that the strip shows while it is open.
#[derive(Clone, Copy)]
pub struct FrameContext {
    pub signed_in: Resource<Result<SignedIn, ApiError>>,
    /// The project that new worksheets are bound to, and the one that the top bar names.
    pub project: RwSignal<Option<String>>,
    /// The schema of the open worksheet.
    pub schema: RwSignal<Option<String>>,
    /// False while requests fail for want of an answer.
    pub is_connected: RwSignal<bool>,
}

/// The frame that the page stands in.
pub fn use_frame() -> FrameContext {
    expect_context::<FrameContext>()
}

/// Rail, top bar, the page, status strip.
#[component]
pub fn Frame() -> impl IntoView {
    let context = FrameContext {
        signed_in: Resource::new(|| (), |()| signed_in()),
        project: RwSignal::new(crate::page::current().project),
        schema: RwSignal::new(None),
        is_connected: RwSignal::new(true),
    };
    provide_context(context);
    preference::watch_connection(context.is_connected);
    view! {
        <a class="skip" href="#main">{tr!(frame.skip)}</a>
        <div class="shell">
            <Rail/>
            <TopBar/>
            <main id="main" tabindex="-1">
                <Outlet/>
            </main>
            <StatusStrip/>
        </div>
        <Toasts/>
    }
}
