//! The entry point in the browser: takes over the page that the server rendered.

// The types of the views nest deeper than the compiler expects.
#![recursion_limit = "512"]

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
