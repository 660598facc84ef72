//! Short notices of success. They go away after six seconds and are never the only place of an error.

use super::icon::Icon;
use leptos::prelude::*;
use std::time::Duration;

const SHOWN_FOR: Duration = Duration::from_secs(6);
/// More would cover the page; the oldest goes first.
const TOASTS_MAX: usize = 4;

#[derive(Clone, Copy)]
struct ToastList(RwSignal<Vec<(u32, String)>>);

/// Makes [`toast`] work below this point.
pub fn provide_toasts() {
    provide_context(ToastList(RwSignal::new(Vec::new())));
    #[cfg(feature = "hydrate")]
    LIST.with(|list| list.set(use_context::<ToastList>()));
}

// Handlers and tasks have no owner to look a context up in; a browser tab has one list.
#[cfg(feature = "hydrate")]
thread_local!(static LIST: std::cell::Cell<Option<ToastList>> = const { std::cell::Cell::new(None) });

/// Shows a notice. Does nothing on the server.
#[cfg(feature = "hydrate")]
pub fn toast(text: impl Into<String>) {
    let Some(ToastList(list)) = LIST.with(std::cell::Cell::get) else { return };
    let id = list.with_untracked(|list| list.last().map_or(0, |(id, _)| id.wrapping_add(1)));
    list.update(|list| {
        list.push((id, text.into()));
        if list.len() > TOASTS_MAX {
            list.remove(0);
        }
    });
    set_timeout(move || list.update(|list| list.retain(|(other, _)| *other != id)), SHOWN_FOR);
}

/// Shows a notice. Does nothing on the server.
#[cfg(not(feature = "hydrate"))]
pub fn toast(_: impl Into<String>) {
    _ = (SHOWN_FOR, TOASTS_MAX);
}

/// Where the notices appear.
#[component]
pub fn Toasts() -> impl IntoView {
    let ToastList(list) = expect_context::<ToastList>();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each={move || list.get()} key=|(id, _)| *id let((_, text))>
                <div class="pop toast-item is-ok"><Icon name="circle-check" class="tone"/><span>{text}</span></div>
            </For>
        </div>
    }
}
