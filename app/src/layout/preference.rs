//! Choices about the look, kept in cookies so that the server renders them at once. With JavaScript they change in
//! place; without it the same form posts and the page comes back changed.

use super::FrameContext;
use crate::api::session::SetPreference;
use crate::page::{Theme, is_plain};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// A choice and the effect that it has on the open page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    Theme,
    Density,
    Language,
    Rail,
    Project,
    Region,
}

impl Preference {
    const ALL: [Self; 6] = [Self::Theme, Self::Density, Self::Language, Self::Rail, Self::Project, Self::Region];

    /// The name of the cookie.
    pub fn id(self) -> &'static str {
        match self {
            Self::Theme => "theme",
            Self::Density => "density",
            Self::Language => crate::i18n::LANGUAGE_COOKIE,
            Self::Rail => "rail",
            Self::Project => "project",
            Self::Region => "region",
        }
    }

    fn allows(self, value: &str) -> bool {
        match self {
            Self::Theme => Theme::parse(value).is_some(),
            Self::Density => matches!(value, "compact" | "comfortable"),
            Self::Language => matches!(value, "en" | "zh-CN"),
            Self::Rail => matches!(value, "open" | "collapsed"),
            Self::Project | Self::Region => is_plain(value) && value.len() <= 64,
        }
    }
}

/// Whether a cookie of this name may hold this value.
pub fn is_known(name: &str, value: &str) -> bool {
    Preference::ALL.into_iter().any(|preference| preference.id() == name && preference.allows(value))
}

/// A form with one button per value: a menu entry that works before hydration.
#[component]
pub fn PreferenceForm(
    preference: Preference,
    /// Told after the choice was applied in place.
    #[prop(into, optional)]
    on_change: Option<Callback<String>>,
    children: Children,
) -> impl IntoView {
    let frame = use_context::<FrameContext>();
    view! {
        <form
            method="post"
            action=SetPreference::url()
            class="contents"
            on:submit=move |event| {
                if let Some(value) = submitted_value(&event) {
                    event.prevent_default();
                    apply(preference, &value);
                    match (preference, frame) {
                        (Preference::Theme, Some(frame)) => frame.theme.set(Theme::parse(&value).unwrap_or_default()),
                        (Preference::Density, Some(frame)) => frame.is_comfortable.set(value == "comfortable"),
                        _ => {}
                    }
                    if let Some(on_change) = on_change {
                        on_change.run(value);
                    }
                }
            }
        >
            <input type="hidden" name="name" value=preference.id()/>
            {children()}
        </form>
    }
}

/// The value of the button that submitted the form.
fn submitted_value(event: &leptos::ev::SubmitEvent) -> Option<String> {
    use wasm_bindgen::JsCast;
    let button = event.submitter()?.dyn_into::<web_sys::HtmlElement>().ok()?;
    button.get_attribute("value")
}

/// Keeps the choice and shows it. Runs in the browser only.
pub fn apply(preference: Preference, value: &str) {
    use wasm_bindgen::JsCast;
    let document = document();
    let cookie = format!("{}={value}; Path=/; Max-Age=31536000; SameSite=Lax", preference.id());
    // A browser that refuses cookies still shows the choice until the next page.
    _ = document.unchecked_ref::<web_sys::HtmlDocument>().set_cookie(&cookie);
    let Some(root) = document.document_element() else { return };
    let set = |name: &str, value: Option<&str>| {
        _ = match value {
            Some(value) => root.set_attribute(name, value),
            None => root.remove_attribute(name),
        };
    };
    match preference {
        Preference::Theme => set("data-theme", Theme::parse(value).and_then(Theme::attribute)),
        Preference::Density => set("data-density", (value == "comfortable").then_some(value)),
        Preference::Rail => set("data-rail", (value == "collapsed").then_some(value)),
        // Too much of the page depends on them.
        Preference::Language | Preference::Region => _ = window().location().reload(),
        Preference::Project => {}
    }
}
