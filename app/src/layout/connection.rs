//! Whether the server answers. A request that found nobody starts the looking; everything stays on the page meanwhile.

use leptos::prelude::*;

/// Makes [`lost`] known to the frame, and follows what the browser knows about the network.
#[cfg(feature = "hydrate")]
pub fn watch(is_connected: RwSignal<bool>) {
    browser::IS_CONNECTED.with(|signal| signal.set(Some(is_connected)));
    let offline = window_event_listener(leptos::ev::offline, |_| lost());
    let online = window_event_listener(leptos::ev::online, |_| look());
    on_cleanup(move || {
        offline.remove();
        online.remove();
        browser::IS_CONNECTED.with(|signal| signal.set(None));
    });
}

/// Makes [`lost`] known to the frame, and follows what the browser knows about the network.
#[cfg(not(feature = "hydrate"))]
pub fn watch(_: RwSignal<bool>) {}

/// A request got no answer. Browser only; on the server it does nothing.
#[cfg(feature = "hydrate")]
pub fn lost() {
    let Some(is_connected) = browser::IS_CONNECTED.with(std::cell::Cell::get) else { return };
    // Looking goes on already when the frame knows.
    if is_connected.try_get_untracked() == Some(true) {
        is_connected.set(false);
        browser::look_later();
    }
}

/// A request got no answer. Browser only; on the server it does nothing.
#[cfg(not(feature = "hydrate"))]
pub fn lost() {}

/// A stream broke off, which may have other causes: asks the server. Browser only; on the server it does nothing.
#[cfg(feature = "hydrate")]
pub fn doubt() {
    leptos::task::spawn_local(async {
        if !browser::answers().await {
            lost();
        }
    });
}

/// A stream broke off, which may have other causes: asks the server. Browser only; on the server it does nothing.
#[cfg(not(feature = "hydrate"))]
pub fn doubt() {}

/// Asks the server at once.
#[cfg(feature = "hydrate")]
pub fn look() {
    leptos::task::spawn_local(async {
        if browser::answers().await
            && let Some(is_connected) = browser::IS_CONNECTED.with(std::cell::Cell::get)
        {
            _ = is_connected.try_set(true);
        }
    });
}

/// Asks the server at once.
#[cfg(not(feature = "hydrate"))]
pub fn look() {}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::*;
    use std::cell::Cell;
    use std::time::Duration;
    use wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;

    /// Also in the sentence that the page shows.
    const LOOK_EVERY: Duration = Duration::from_secs(4);

    // Failed requests know no context; a browser tab has one frame.
    thread_local!(pub static IS_CONNECTED: Cell<Option<RwSignal<bool>>> = const { Cell::new(None) });

    pub fn look_later() {
        set_timeout(
            || {
                super::look();
                let is_connected = IS_CONNECTED.with(Cell::get).and_then(|signal| signal.try_get_untracked());
                if is_connected == Some(false) {
                    look_later();
                }
            },
            LOOK_EVERY,
        );
    }

    pub async fn answers() -> bool {
        let answer = JsFuture::from(window().fetch_with_str("/healthz")).await;
        answer.ok().and_then(|answer| answer.dyn_into::<web_sys::Response>().ok()).is_some_and(|answer| answer.ok())
    }
}
