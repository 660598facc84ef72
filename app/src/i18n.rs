//! The language of the page. It is fixed while a page lives (changing it loads the page again), so a translation is a
//! plain `&'static str`: no signal, no closure, and less wasm.

/// What `build.rs` makes of `locales/`; the lints are for code that people write.
#[allow(clippy::all, dead_code, unused_imports)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));
}

pub use generated::i18n::Locale;

/// Name of the cookie that holds the choice.
pub const LANGUAGE_COOKIE: &str = "language";

/// The text of a key in the language of the page: `tr!(home.title)`, `tr!(frame.rows, count = 3)`.
#[macro_export]
macro_rules! tr {
    ($($key:tt)*) => {
        leptos_i18n::td_string!($crate::i18n::locale(), $($key)*)
    };
}

/// The language of the page that is being rendered.
pub fn locale() -> Locale {
    crate::page::current().locale
}

/// What the user reads in the language menu.
pub fn name(locale: Locale) -> &'static str {
    match locale {
        Locale::en => "English",
        Locale::zh_CN => "简体中文",
    }
}

/// The value of `<html lang>` and of the cookie.
pub fn code(locale: Locale) -> &'static str {
    match locale {
        Locale::en => "en",
        Locale::zh_CN => "zh-CN",
    }
}

/// The language that a code or an `Accept-Language` header asks for, if it is one of ours.
pub fn parse(text: &str) -> Option<Locale> {
    text.split(',').find_map(|range| {
        let tag = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match tag.split('-').next() {
            Some("zh") => Some(Locale::zh_CN),
            Some("en") => Some(Locale::en),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Locale, parse};
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// Every text there is in one language is there in the other.
    #[test]
    fn translations_are_complete() {
        let locales = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales");
        let keys = |language: &str| {
            let mut keys = BTreeSet::new();
            for entry in fs::read_dir(locales.join(language)).expect("a folder for each language") {
                let path = entry.expect("readable").path();
                let text = fs::read_to_string(&path).expect("readable");
                let texts: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).expect("JSON");
                let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
                keys.extend(texts.keys().map(|key| format!("{file}.{key}")));
            }
            keys
        };
        let (english, chinese) = (keys("en"), keys("zh-CN"));
        assert_eq!(english.symmetric_difference(&chinese).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn languages() {
        assert_eq!(parse("zh-CN"), Some(Locale::zh_CN));
        assert_eq!(parse("de-DE,zh;q=0.8,en;q=0.5"), Some(Locale::zh_CN));
        assert_eq!(parse("en-GB,en"), Some(Locale::en));
        assert_eq!(parse("fr"), None);
    }
}
