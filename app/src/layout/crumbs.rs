//! Where the page stands: derived from its address, so that it is right on the server too.

use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The path from the section to the page; the last part is the page itself, by the name that it gives itself.
#[component]
pub fn Crumbs() -> impl IntoView {
    let location = use_location();
    let title = super::use_frame().title;
    let parts = Memo::new(move |_| {
        let mut parts = crumbs(&location.pathname.get());
        if let (Some(title), Some(last)) = (title.get(), parts.last_mut()) {
            last.label = title;
        }
        parts
    });
    view! {
        <nav class="crumbs" aria-label=tr!(frame.breadcrumb)>
            <For each={move || parts.get()} key=|crumb| crumb.clone() let:crumb>
                {match crumb.place {
                    Place::Link(href) => view! { <a href=href>{crumb.label}</a> }.into_any(),
                    Place::Group => view! { <span class="max-md:hidden">{crumb.label}</span> }.into_any(),
                    Place::Here => view! { <span aria-current="page" title=crumb.label.clone()>{crumb.label.clone()}</span> }.into_any(),
                }}
            </For>
        </nav>
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Crumb {
    label: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// The page itself.
    Here,
    Link(&'static str),
    /// A group of pages that has no page of its own.
    Group,
}

fn crumbs(path: &str) -> Vec<Crumb> {
    let crumb = |label: &str, place: Place| Crumb { label: label.to_owned(), place };
    let here = |label: &str| crumb(label, Place::Here);
    let managed = |label: &str| vec![crumb(tr!(frame.manage_configurations), Place::Group), here(label)];
    let under = |label: &str, href: &'static str, rest: &str, new: &str| {
        vec![crumb(label, Place::Link(href)), here(if rest == "new" { new } else { rest })]
    };
    let mut segments = path.trim_matches('/').splitn(2, '/');
    let (section, rest) = (segments.next().unwrap_or_default(), segments.next());
    match (section, rest) {
        ("", _) => vec![here(tr!(frame.home))],
        ("worksheets", None) => vec![here(tr!(frame.worksheets))],
        ("worksheets", Some(_)) => under(tr!(frame.worksheets), routes::WORKSHEETS, tr!(frame.worksheet), ""),
        ("data-sources", None) => managed(tr!(frame.external_data_source)),
        ("data-sources", Some(rest)) => {
            under(tr!(frame.external_data_source), routes::DATA_SOURCES, rest, tr!(source.create))
        }
        ("projects", None) => managed(tr!(frame.projects)),
        ("projects", Some(rest)) => under(tr!(frame.projects), routes::PROJECTS, rest, tr!(project.create)),
        ("quotas", _) => managed(tr!(frame.quotas)),
        ("settings", _) => vec![here(tr!(frame.settings))],
        ("help", rest) => {
            let page = match rest {
                Some("types") => tr!(frame.help_types),
                Some("troubleshooting") => tr!(frame.help_troubleshooting),
                Some("keyboard") => tr!(frame.help_keyboard),
                _ => tr!(frame.help_support_matrix),
            };
            vec![crumb(tr!(frame.help), Place::Group), here(page)]
        }
        _ => vec![here(tr!(frame.not_found))],
    }
}
