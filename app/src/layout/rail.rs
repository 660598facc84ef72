//! The navigation rail: only what works is shown.

use super::preference::{Preference, PreferenceForm};
use crate::ui::icon::{Brand, Icon};
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;

#[component]
pub fn Rail() -> impl IntoView {
    view! {
        <nav class="rail" aria-label=tr!(frame.navigation)>
            <div class="rail-brand"><Brand/><span>"Lakedeck"</span></div>
            <Entry href=routes::HOME icon="house" label=tr!(frame.home)/>
            <Entry href=routes::WORKSHEETS icon="square-terminal" label=tr!(frame.worksheets)/>
            <div class="rail-group">{tr!(frame.manage_configurations)}</div>
            <Entry href=routes::DATA_SOURCES icon="plug-zap" label=tr!(frame.external_data_source)/>
            <Entry href=routes::PROJECTS icon="boxes" label=tr!(frame.projects)/>
            <Entry href=routes::QUOTAS icon="gauge" label=tr!(frame.quotas)/>
            <span class="grow"></span>
            <Entry href=routes::HELP_SUPPORT_MATRIX section="/help" icon="circle-question-mark" label=tr!(frame.help)/>
            <Entry href=routes::SETTINGS icon="settings" label=tr!(frame.settings)/>
            <PreferenceForm preference=Preference::Rail>
                <button class="rail-fold" name="value" value="collapsed" title=tr!(frame.rail_collapse)>
                    <Icon name="panel-left-close"/><span>{tr!(frame.rail_collapse)}</span>
                </button>
                <button class="rail-unfold" name="value" value="open" title=tr!(frame.rail_open)>
                    <Icon name="panel-left-open"/><span>{tr!(frame.rail_open)}</span>
                </button>
            </PreferenceForm>
        </nav>
    }
}

/// One place. It is current on its own page and on those below `section`.
#[component]
fn Entry(
    href: &'static str,
    #[prop(optional)] section: Option<&'static str>,
    icon: &'static str,
    label: &'static str,
) -> impl IntoView {
    let location = use_location();
    let is_current = move || {
        let path = location.pathname.get();
        let section = section.unwrap_or(href);
        path == section || (section != "/" && path.strip_prefix(section).is_some_and(|rest| rest.starts_with('/')))
    };
    view! {
        <A href=href attr:title=label attr:aria-current=move || is_current().then_some("page")>
            <Icon name=icon/><span>{label}</span>
        </A>
    }
}
