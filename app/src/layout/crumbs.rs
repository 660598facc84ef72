//! Where the page stands: derived from its address, so that it is right on the server too.

use crate::{routes, tr};
use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The path from the section to the page; the last part is the page itself.
#[component]
pub fn Crumbs() -> impl IntoView {
    let location = use_location();
    let parts = Memo::new(move |_| crumbs(&location.pathname.get()));
    view! {
        <nav class="crumbs" aria-label=tr!(frame.breadcrumb)>
            <For each={move || parts.get()} key=|crumb| crumb.clone() let:crumb>
                {match crumb.href {
                    Some(href) => Either::Left(view! { <a href=href>{crumb.label}</a> }),
                    None => Either::Right(view! { <span aria-current="page">{crumb.label}</span> }),
                }}
            </For>
        </nav>
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Crumb {
    label: String,
    /// `None` for the page itself.
    href: Option<&'static str>,
}

fn crumbs(path: &str) -> Vec<Crumb> {
    let here = |label: &str| Crumb { label: label.to_owned(), href: None };
    let under = |label: &str, href: &'static str, rest: &str, new: &str| {
        let section = Crumb { label: label.to_owned(), href: Some(href) };
        vec![section, here(if rest == "new" { new } else { rest })]
    };
    let mut segments = path.trim_matches('/').splitn(2, '/');
    let (section, rest) = (segments.next().unwrap_or_default(), segments.next());
    match (section, rest) {
        ("", _) => vec![here(tr!(frame.home))],
        ("worksheets", None) => vec![here(tr!(frame.worksheets))],
        ("worksheets", Some(_)) => under(tr!(frame.worksheets), routes::WORKSHEETS, tr!(frame.worksheet), ""),
        ("data-sources", None) => vec![here(tr!(frame.external_data_source))],
        ("data-sources", Some(rest)) => {
            under(tr!(frame.external_data_source), routes::DATA_SOURCES, rest, tr!(frame.create))
        }
        ("projects", None) => vec![here(tr!(frame.projects))],
        ("projects", Some(rest)) => under(tr!(frame.projects), routes::PROJECTS, rest, tr!(frame.create)),
        ("quotas", _) => vec![here(tr!(frame.quotas))],
        ("settings", _) => vec![here(tr!(frame.settings))],
        ("help", rest) => {
            let page = match rest {
                Some("types") => tr!(frame.help_types),
                Some("troubleshooting") => tr!(frame.help_troubleshooting),
                Some("keyboard") => tr!(frame.help_keyboard),
                _ => tr!(frame.help_support_matrix),
            };
            vec![here(tr!(frame.help)), here(page)]
        }
        _ => vec![here(tr!(frame.not_found))],
    }
}
