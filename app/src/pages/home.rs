//! Home: what to do first, and later what was done last.

use crate::tr;
use crate::ui::PageHead;
use leptos::prelude::*;

#[component]
pub fn HomePage() -> impl IntoView {
    view! { <div class="page"><PageHead title=tr!(frame.home)/></div> }
}
