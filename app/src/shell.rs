//! The HTML document around the application. Rendered on the server only; the browser hydrates the body.

use crate::App;
use crate::i18n;
use crate::page::{Page, asset};
use leptos::prelude::*;
use leptos_meta::MetaTags;

/// The whole document. Language, theme, density and rail are attributes of `<html>`, set before the first paint.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    provide_page(&options);
    let page: Page = crate::page::current();
    let icon = asset("favicon.svg");
    view! {
        <!DOCTYPE html>
        <html
            lang=i18n::code(page.locale)
            data-theme=page.theme.attribute()
            data-density=page.is_comfortable.then_some("comfortable")
            data-rail=page.is_rail_collapsed.then_some("collapsed")
            data-assets=page.assets
        >
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" type="image/svg+xml" href=icon/>
                <link rel="preload" r#as="font" type="font/woff2" crossorigin="anonymous" href=asset("jetbrains-mono.woff2")/>
                <link rel="stylesheet" href=asset("lakedeck.css")/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

#[cfg(feature = "ssr")]
fn provide_page(options: &LeptosOptions) {
    provide_context(crate::ssr::page(options));
}

#[cfg(not(feature = "ssr"))]
fn provide_page(_: &LeptosOptions) {}
