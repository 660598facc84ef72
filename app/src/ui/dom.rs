//! Small reaches into the browser. Everything here is called from handlers and effects only.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

/// Calls a method without arguments that `web_sys` does not bind (`showPopover`, `hidePopover`).
pub fn call(element: &web_sys::Element, method: &str) {
    let function = js_sys::Reflect::get(element, &JsValue::from_str(method)).ok();
    if let Some(function) = function.and_then(|f| f.dyn_into::<js_sys::Function>().ok()) {
        // A popover that is closed already throws, which is what was wanted.
        _ = function.call0(element);
    }
}

/// Moves the focus to the element with this id, if it is there.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id).and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        _ = element.focus();
    }
}

/// Moves the focus to the first control of the form that is marked invalid. Call it after the marks are in the page.
pub fn focus_first_invalid() {
    request_animation_frame(|| {
        let found = document().query_selector("[aria-invalid=true]").ok().flatten();
        if let Some(element) = found.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
            _ = element.focus();
        }
    });
}

/// Puts a text into the clipboard; `false` where the browser refuses.
pub async fn copy_text(text: &str) -> bool {
    let promise = window().navigator().clipboard().write_text(text);
    wasm_bindgen_futures::JsFuture::from(promise).await.is_ok()
}
