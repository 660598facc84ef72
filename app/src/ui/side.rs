//! The panel beside a page. Where there is no room for it, it is a sheet over the page: the browser's own popover, so
//! that it opens without JavaScript and closes on Escape.

use super::icon::Icon;
use crate::tr;
use leptos::prelude::*;

/// The panel itself; it stands last in a `.with-side`. Its head is the children's business: see [`SideClose`].
#[component]
pub fn SidePanel(
    /// Unique in the page.
    id: &'static str,
    #[prop(into)] label: String,
    /// `side-narrow` for 320 px in the place of 384.
    #[prop(optional)]
    class: &'static str,
    children: Children,
) -> impl IntoView {
    view! { <aside id=id popover="auto" class=format!("side {class}") aria-label=label>{children()}</aside> }
}

/// Opens the panel where it is a sheet; elsewhere it is not there.
#[component]
pub fn SideOpen(panel: &'static str, icon: &'static str, #[prop(into)] label: String) -> impl IntoView {
    view! { <button type="button" class="btn side-open" popovertarget=panel><Icon name=icon small=true/>{label}</button> }
}

/// Closes the sheet; stands in its head.
#[component]
pub fn SideClose(panel: &'static str) -> impl IntoView {
    view! {
        <button type="button" class="btn btn-ghost btn-square side-close" popovertarget=panel popovertargetaction="hide" aria-label=tr!(frame.close)>
            <Icon name="x"/>
        </button>
    }
}

/// Brings the panel into view where it is a sheet.
pub fn show(panel: &str) {
    if is_narrow()
        && let Some(panel) = document().get_element_by_id(panel)
    {
        super::dom::call(&panel, "showPopover");
    }
}

/// Whether the window is too narrow for panels beside the page; the style sheet has the same number.
pub fn is_narrow() -> bool {
    window().match_media("(width < 68.75rem)").ok().flatten().is_some_and(|query| query.matches())
}
