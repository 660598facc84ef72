//! Server-sent events: follows an address until the server says `done` or the follower is dropped.

#[cfg(feature = "hydrate")]
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

/// What a stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// The data of one message.
    Message(String),
    /// Nothing more will come.
    Done,
    /// The connection is lost; the browser tries again by itself.
    Lost,
}

/// An open stream; dropping it closes the connection.
pub struct Follower {
    source: web_sys::EventSource,
    _closures: [Closure<dyn FnMut(web_sys::MessageEvent)>; 3],
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.source.close();
    }
}

/// Follows `url`. Browser only: call it from handlers and effects.
pub fn follow(url: &str, on_event: impl Fn(StreamEvent) + 'static) -> Option<Follower> {
    let source = web_sys::EventSource::new(url).ok()?;
    let on_event = std::rc::Rc::new(on_event);
    let message = {
        let on_event = on_event.clone();
        Closure::new(move |event: web_sys::MessageEvent| {
            if let Some(data) = event.data().as_string() {
                on_event(StreamEvent::Message(data));
            }
        })
    };
    let done = {
        let (on_event, source) = (on_event.clone(), source.clone());
        Closure::new(move |_: web_sys::MessageEvent| {
            // Without it the browser would connect again for ever.
            source.close();
            on_event(StreamEvent::Done);
        })
    };
    let lost = {
        let source = source.clone();
        Closure::new(move |_: web_sys::MessageEvent| {
            let is_closed = source.ready_state() == web_sys::EventSource::CLOSED;
            on_event(if is_closed { StreamEvent::Done } else { StreamEvent::Lost });
        })
    };
    source.set_onmessage(Some(message.as_ref().unchecked_ref()));
    source.set_onerror(Some(lost.as_ref().unchecked_ref()));
    source.add_event_listener_with_callback("done", done.as_ref().unchecked_ref()).ok()?;
    Some(Follower { source, _closures: [message, done, lost] })
}

/// A place for the one stream that a component follows. It is closed with the component.
///
/// In the browser only: on the server a page may be cleaned up on another thread than the one that rendered it.
#[derive(Clone, Copy)]
pub struct FollowerSlot {
    #[cfg(feature = "hydrate")]
    slot: StoredValue<Option<Follower>, LocalStorage>,
}

impl FollowerSlot {
    #[cfg(feature = "hydrate")]
    pub fn new() -> Self {
        let slot = StoredValue::new_local(None);
        on_cleanup(move || _ = slot.try_update_value(Option::take));
        Self { slot }
    }

    #[cfg(feature = "hydrate")]
    pub fn set(self, follower: Option<Follower>) {
        _ = self.slot.try_update_value(|slot| *slot = follower);
    }

    #[cfg(not(feature = "hydrate"))]
    pub fn new() -> Self {
        Self {}
    }

    #[cfg(not(feature = "hydrate"))]
    pub fn set(self, follower: Option<Follower>) {
        drop(follower);
    }
}

impl Default for FollowerSlot {
    fn default() -> Self {
        Self::new()
    }
}
