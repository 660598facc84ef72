//! The status strip: in which context the page works.

use super::use_frame;
use crate::tr;
use crate::ui::icon::Icon;
use leptos::prelude::*;

/// The zone of a statement whose session and project name none.
const ENGINE_ZONE: &str = "UTC";

#[component]
pub fn StatusStrip() -> impl IntoView {
    let frame = use_frame();
    // As the engine decides: the session, else the project, else the engine's own zone.
    let timezone = move || {
        let of_project = || frame.project_stored().map(|project| project.options.timezone);
        frame
            .timezone
            .get()
            .or_else(of_project)
            .filter(|zone| !zone.is_empty())
            .unwrap_or_else(|| ENGINE_ZONE.to_owned())
    };
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
            <Suspense>
                <span>{tr!(frame.time_zone)}" "<b>{timezone}</b></span>
                {move || frame.project_stored().map(|project| view! { <span class="max-md:hidden">{tr!(frame.region)}" "<b>{project.region}</b></span> })}
            </Suspense>
            <Suspense>{move || principal().map(|name| view! { <span class="ml-auto font-mono">{name}</span> })}</Suspense>
            <span class="max-md:hidden">{concat!("Lakedeck ", env!("CARGO_PKG_VERSION"), " · DataFusion ", env!("DATAFUSION_VERSION"))}</span>
        </footer>
    }
}

/// The account hidden but for its first three digits.
pub fn mask(principal: &str) -> String {
    model::data_source::mask_arn(principal)
}
