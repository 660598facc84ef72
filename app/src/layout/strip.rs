//! The status strip: in which context the page works.

use super::use_frame;
use crate::tr;
use crate::ui::icon::Icon;
use leptos::prelude::*;

#[component]
pub fn StatusStrip() -> impl IntoView {
    let frame = use_frame();
    let principal = move || frame.signed_in.get().and_then(Result::ok).map(|me| mask(me.principal.as_str()));
    view! {
        <footer class="strip" aria-label=tr!(frame.status)>
            <span role="status" class=move || if frame.is_connected.get() { "is-ok tone" } else { "is-bad tone" }>
                <Icon name="circle-check" small=true class:hidden=move || !frame.is_connected.get()/>
                <Icon name="circle-x" small=true class:hidden=move || frame.is_connected.get()/>
                {move || if frame.is_connected.get() { tr!(frame.connected) } else { tr!(frame.not_connected) }}
            </span>
            <Suspense>
                {move || frame.project_shown().map(|project| view! { <span>{tr!(frame.project)}" "<b>{project}</b></span> })}
            </Suspense>
            {move || frame.schema.get().map(|schema| view! { <span>{tr!(frame.schema)}" "<b>{schema}</b></span> })}
            <Suspense>{move || principal().map(|name| view! { <span class="ml-auto font-mono">{name}</span> })}</Suspense>
            <span>{concat!("Lakedeck ", env!("CARGO_PKG_VERSION"))}</span>
        </footer>
    }
}

/// The account hidden but for its first three digits.
pub fn mask(principal: &str) -> String {
    model::data_source::mask_arn(principal)
}
