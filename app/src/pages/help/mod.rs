//! Help: what is supported, how types correspond, what messages mean, which keys there are.

mod keyboard;
mod support_matrix;
mod troubleshooting;
mod types;

pub use keyboard::KeyboardPage;
pub use support_matrix::SupportMatrixPage;
pub use troubleshooting::TroubleshootingPage;
pub use types::TypesPage;

use crate::ui::{Icon, PageHead};
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The head of a help page, and the way to the others.
#[component]
fn HelpPage(title: &'static str, about: &'static str, children: Children) -> impl IntoView {
    let path = use_location().pathname;
    let pages = [
        (routes::HELP_SUPPORT_MATRIX, tr!(help.matrix_title)),
        (routes::HELP_TYPES, tr!(help.types_title)),
        (routes::HELP_TROUBLESHOOTING, tr!(help.trouble_title)),
        (routes::HELP_KEYBOARD, tr!(help.keys_title)),
    ];
    view! {
        <div class="page">
            <div class="help">
                <PageHead title=title about=about/>
                <nav class="help-nav" aria-label=tr!(help.nav)>
                    {pages.map(|(href, label)| view! {
                        <a href=href aria-current=move || (path.get() == href).then_some("page")>{label}</a>
                    })}
                </nav>
                {children()}
            </div>
        </div>
    }
}

/// Yes or no, as a word beside its sign.
#[component]
fn Answer(yes: bool) -> impl IntoView {
    if yes {
        view! { <span class="chip chip-plain is-ok"><Icon name="check"/>{tr!(help.yes)}</span> }
    } else {
        view! { <span class="chip chip-plain"><Icon name="minus"/>{tr!(help.no)}</span> }
    }
}
