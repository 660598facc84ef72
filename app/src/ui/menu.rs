//! A button that opens a list of links and buttons. The popover is the browser's own: it opens without JavaScript,
//! closes on Escape and on a click outside, and lies above everything.

use super::dom;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

#[component]
pub fn Menu(
    /// Unique in the page.
    #[prop(into)]
    id: String,
    /// The accessible name of the button.
    #[prop(into)]
    label: Signal<String>,
    /// Class of the button.
    #[prop(default = "btn btn-ghost btn-square")]
    class: &'static str,
    /// What the button shows.
    #[prop(into)]
    trigger: ViewFn,
    /// Links, buttons, `<hr/>`.
    children: Children,
) -> impl IntoView {
    // Choosing closes: a link that stays on the page, or a button that acts in place.
    let close = move |event: leptos::ev::MouseEvent| {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else { return };
        if target.closest("a, button").ok().flatten().is_some()
            && let Some(popover) = target.closest("[popover]").ok().flatten()
        {
            dom::call(&popover, "hidePopover");
        }
    };
    view! {
        <button type="button" class=class popovertarget=id.clone() aria-label=move || label.get() title=move || label.get()>
            {trigger.run()}
        </button>
        <div id=id popover="auto" class="pop pop-menu menu-pop" on:click=close>{children()}</div>
    }
}
