//! What one rendered page knows before anything else: language, look, and where its files are. The server reads it
//! from the request's cookies and writes it into the attributes of `<html>`; the browser reads it from there.

use crate::i18n::{self, Locale};
use model::region::Region;

/// The colours; `System` follows the operating system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub fn id(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The value of `data-theme`; without it the style sheet asks the system.
    pub fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("lakedeck"),
            Self::Dark => Some("lakedeck-dark"),
        }
    }

    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.id() == id)
    }
}

/// Facts of the page that do not change while it lives, except by [`crate::layout::preference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub locale: Locale,
    pub theme: Theme,
    pub is_comfortable: bool,
    pub is_rail_collapsed: bool,
    /// The project chosen in the top bar, if any was.
    pub project: Option<String>,
    /// The region chosen in the top bar, if any was.
    pub region: Option<String>,
    /// The folder of scripts and styles, e.g. `pkg/3f2a91c07d5e`: its name changes with every build.
    pub assets: String,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            locale: Locale::en,
            theme: Theme::default(),
            is_comfortable: false,
            is_rail_collapsed: false,
            project: None,
            region: None,
            assets: "pkg".into(),
        }
    }
}

/// Address of a built file, e.g. `asset("editor.js")`.
pub fn asset(file: &str) -> String {
    format!("/{}/{file}", current().assets)
}

impl Page {
    /// Reads the choices from a `Cookie` header; `accept_language` decides where nothing was chosen.
    pub fn from_cookies(cookies: &str, accept_language: &str, assets: &str) -> Self {
        let cookie = |name: &str| {
            cookies
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, v)| v)
        };
        Self {
            locale: cookie(i18n::LANGUAGE_COOKIE)
                .and_then(i18n::parse)
                .or_else(|| i18n::parse(accept_language))
                .unwrap_or(Locale::en),
            theme: cookie("theme").and_then(Theme::parse).unwrap_or_default(),
            is_comfortable: cookie("density") == Some("comfortable"),
            is_rail_collapsed: cookie("rail") == Some("collapsed"),
            project: cookie("project").filter(|name| is_plain(name)).map(str::to_owned),
            region: cookie("region").filter(|id| is_plain(id)).map(str::to_owned),
            assets: assets.to_owned(),
        }
    }
}

/// A cookie value that needs no quoting: what names of projects and regions are made of.
pub fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// The current region: the chosen one, or the first that is enabled.
pub fn region(regions: &[Region]) -> Option<&Region> {
    let chosen = current().region;
    let mut enabled = regions.iter().filter(|region| region.enabled);
    enabled.clone().find(|region| Some(&region.id) == chosen.as_ref()).or_else(|| enabled.next())
}

/// The name of a region in the language of the page.
pub fn region_name(region: &Region) -> String {
    match i18n::locale() {
        Locale::zh_CN if !region.name_zh.is_empty() => region.name_zh.clone(),
        Locale::zh_CN | Locale::en => region.name.clone(),
    }
}

/// The page that is being rendered, or that the browser shows.
#[cfg(feature = "ssr")]
pub fn current() -> Page {
    leptos::prelude::use_context().unwrap_or_default()
}

/// The page that is being rendered, or that the browser shows.
#[cfg(not(feature = "ssr"))]
pub fn current() -> Page {
    use std::cell::OnceCell;
    thread_local!(static PAGE: OnceCell<Page> = const { OnceCell::new() });
    PAGE.with(|page| page.get_or_init(read_document).clone())
}

/// What the server wrote into `<html>` and what the cookies say.
#[cfg(not(feature = "ssr"))]
fn read_document() -> Page {
    use wasm_bindgen::JsCast;
    let document = leptos::prelude::document();
    let root = document.document_element();
    let attribute = |name: &str| root.as_ref().and_then(|root| root.get_attribute(name)).unwrap_or_default();
    let cookies = document.unchecked_ref::<web_sys::HtmlDocument>().cookie().unwrap_or_default();
    let page = Page::from_cookies(&cookies, "", &attribute("data-assets"));
    Page { locale: i18n::parse(&attribute("lang")).unwrap_or(Locale::en), ..page }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies() {
        let page =
            Page::from_cookies("theme=dark; language=zh-CN;density=comfortable; project=paimon_fs", "en", "pkg/1");
        assert_eq!((page.theme, page.locale, page.is_comfortable), (Theme::Dark, Locale::zh_CN, true));
        assert_eq!(page.project.as_deref(), Some("paimon_fs"));
        let page = Page::from_cookies("theme=pink; project=<x>", "zh;q=0.9", "pkg/1");
        assert_eq!((page.theme, page.locale, page.project), (Theme::System, Locale::zh_CN, None));
    }
}
