//! Tabs of a page. The selected one is named by a signal, which a page keeps in its address.

use super::dom;
use leptos::prelude::*;

/// One tab: its id, and what stands on it.
#[derive(Clone)]
pub struct Tab {
    pub id: &'static str,
    pub label: String,
}

impl Tab {
    pub fn new(id: &'static str, label: impl Into<String>) -> Self {
        Self { id, label: label.into() }
    }
}

/// The bar of tabs; arrow keys move, only the selected tab is in the tab order. The panel is
/// `<div role="tabpanel" id="<id>-panel" aria-labelledby="<id>-tab">`.
#[component]
pub fn Tabs(
    #[prop(into)] label: String,
    tabs: Vec<Tab>,
    #[prop(into)] selected: Signal<String>,
    #[prop(into)] on_select: Callback<String>,
) -> impl IntoView {
    let ids: Vec<&'static str> = tabs.iter().map(|tab| tab.id).collect();
    let step = move |event: leptos::ev::KeyboardEvent| {
        let selected = selected.get_untracked();
        let Some(at) = ids.iter().position(|id| *id == selected) else { return };
        let next = match event.key().as_str() {
            "ArrowRight" => (at + 1) % ids.len(),
            "ArrowLeft" => (at + ids.len() - 1) % ids.len(),
            "Home" => 0,
            "End" => ids.len() - 1,
            _ => return,
        };
        event.prevent_default();
        on_select.run(ids[next].to_owned());
        dom::focus(&format!("{}-tab", ids[next]));
    };
    view! {
        <div class="tabbar" role="tablist" aria-label=label on:keydown=step>
            {tabs.into_iter().map(|tab| {
                let is_selected = move || selected.with(|selected| selected == tab.id);
                view! {
                    <button
                        type="button"
                        role="tab"
                        id=format!("{}-tab", tab.id)
                        aria-controls=move || is_selected().then(|| format!("{}-panel", tab.id))
                        aria-selected=move || if is_selected() { "true" } else { "false" }
                        tabindex=move || if is_selected() { "0" } else { "-1" }
                        on:click=move |_| on_select.run(tab.id.to_owned())
                    >
                        {tab.label}
                    </button>
                }
            }).collect_view()}
        </div>
    }
}
