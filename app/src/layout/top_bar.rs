//! The top bar: project, place, language, theme, person.

use super::crumbs::Crumbs;
use super::preference::{Preference, PreferenceForm};
use super::strip::mask;
use super::use_frame;
use crate::i18n::{self, Locale};
use crate::page::Theme;
use crate::ui::icon::Icon;
use crate::ui::menu::Menu;
use crate::{routes, tr};
use leptos::prelude::*;

#[component]
pub fn TopBar() -> impl IntoView {
    view! {
        <header class="topbar">
            <RegionSwitcher/>
            <ProjectSwitcher/>
            <Crumbs/>
            <span class="grow"></span>
            <a class="btn btn-ghost btn-square" href=routes::HELP_SUPPORT_MATRIX aria-label=tr!(frame.help) title=tr!(frame.help)>
                <Icon name="circle-question-mark"/>
            </a>
            <LanguageMenu/>
            <ThemeMenu/>
            <UserMenu/>
        </header>
    }
}

/// The current region, where there is a choice: new sources and projects are made in it.
#[component]
fn RegionSwitcher() -> impl IntoView {
    let frame = use_frame();
    let menu = move || {
        let regions = frame.regions.get().and_then(Result::ok).filter(|regions| regions.len() > 1)?;
        let shown = crate::page::region(&regions)?.clone();
        let regions = StoredValue::new(regions);
        let name = crate::page::region_name(&shown);
        let label = format!("{}: {name}", tr!(frame.region));
        Some(view! {
            <Menu
                id="region-menu"
                class="switcher"
                label=label
                trigger=move || view! {
                    <Icon name="globe"/>
                    <span class="max-w-40 truncate text-sm">{name.clone()}</span>
                    <Icon name="chevron-down" small=true/>
                }
            >
                <PreferenceForm preference=Preference::Region>
                    {regions.get_value().into_iter().map(|region| view! {
                        <button name="value" value=region.id.clone() aria-pressed=pressed(region.id == shown.id)>{crate::page::region_name(&region)}</button>
                    }).collect_view()}
                </PreferenceForm>
            </Menu>
        }.into_any())
    };
    view! { <Suspense>{menu}</Suspense> }
}

/// Which project new worksheets are bound to.
#[component]
fn ProjectSwitcher() -> impl IntoView {
    let frame = use_frame();
    let shown = move || frame.project_shown();
    let label = move || match shown() {
        Some(name) => format!("{}: {name}", tr!(frame.project)),
        None => tr!(frame.no_project).to_owned(),
    };
    view! {
        <Suspense fallback=|| view! { <span class="switcher" aria-hidden="true"><span class="skeleton h-3 w-20"></span></span> }>
            <Menu
                id="project-menu"
                class="switcher"
                label=Signal::derive(label)
                trigger=move || view! {
                    <Icon name="boxes"/>
                    <span class="font-mono text-sm">{move || shown().unwrap_or_else(|| "–".into())}</span>
                    <Icon name="chevron-down" small=true/>
                }
            >
                <PreferenceForm preference=Preference::Project on_change=move |name| frame.project.set(Some(name))>
                    <For each=move || frame.project_names() key=Clone::clone let:name>
                        <button class="font-mono text-sm" name="value" value=name.clone()>{name.clone()}</button>
                    </For>
                </PreferenceForm>
                <hr/>
                <a href=routes::PROJECTS>{tr!(frame.all_projects)}</a>
                <a href=routes::PROJECT_NEW><Icon name="plus" small=true/>{tr!(frame.create_project)}</a>
            </Menu>
        </Suspense>
    }
}

#[component]
fn LanguageMenu() -> impl IntoView {
    let locale = i18n::locale();
    let label = format!("{}: {}", tr!(frame.language), i18n::name(locale));
    view! {
        <Menu id="language-menu" label=label trigger=|| view! { <Icon name="languages"/> }>
            <PreferenceForm preference=Preference::Language>
                {[Locale::en, Locale::zh_CN]
                    .map(|choice| view! {
                        <button name="value" value=i18n::code(choice) lang=i18n::code(choice) aria-pressed=pressed(choice == locale)>
                            {i18n::name(choice)}
                        </button>
                    })}
            </PreferenceForm>
        </Menu>
    }
}

#[component]
fn ThemeMenu() -> impl IntoView {
    let frame = use_frame();
    view! {
        <Menu id="theme-menu" label=tr!(frame.theme) trigger=|| view! { <Icon name="sun-moon"/> }>
            <PreferenceForm preference=Preference::Theme>
                {Theme::ALL.map(|theme| view! {
                    <button name="value" value=theme.id() aria-pressed=move || pressed(frame.theme.get() == theme)>{theme_label(theme)}</button>
                 })}
            </PreferenceForm>
            <hr/>
            <PreferenceForm preference=Preference::Density>
                <DensityButtons/>
            </PreferenceForm>
        </Menu>
    }
}

/// The two densities, as buttons of a [`PreferenceForm`].
#[component]
pub fn DensityButtons(#[prop(optional)] class: &'static str) -> impl IntoView {
    let frame = use_frame();
    view! {
        <button class=class name="value" value="compact" aria-pressed=move || pressed(!frame.is_comfortable.get())>
            {tr!(frame.density_compact)}
        </button>
        <button class=class name="value" value="comfortable" aria-pressed=move || pressed(frame.is_comfortable.get())>
            {tr!(frame.density_comfortable)}
        </button>
    }
}

/// The value of `aria-pressed`.
pub fn pressed(is_pressed: bool) -> &'static str {
    if is_pressed { "true" } else { "false" }
}

/// The word for a theme.
pub fn theme_label(theme: Theme) -> &'static str {
    match theme {
        Theme::System => tr!(frame.theme_system),
        Theme::Light => tr!(frame.theme_light),
        Theme::Dark => tr!(frame.theme_dark),
    }
}

#[component]
fn UserMenu() -> impl IntoView {
    let frame = use_frame();
    let principal = move || frame.signed_in.get().and_then(Result::ok).map(|me| me.principal.to_string());
    view! {
        <Menu
            id="user-menu"
            label=tr!(frame.user_menu)
            trigger=|| view! { <Icon name="circle-user"/> }
        >
            <Suspense>
                {move || principal().map(|name| view! {
                    <p class="pop-note">{tr!(frame.signed_in_as)}<b class="font-mono">{mask(&name)}</b></p>
                    <hr/>
                })}
            </Suspense>
            <a href=routes::SETTINGS><Icon name="settings" small=true/>{tr!(frame.settings)}</a>
            <form method="post" action=routes::SESSION_SIGN_OUT class="contents">
                <button><Icon name="log-out" small=true/>{tr!(frame.sign_out)}</button>
            </form>
        </Menu>
    }
}
