//! What was done to one thing, and by whom.

use super::time;
use crate::tr;
use crate::ui::chip::{Chip, Tone};
use crate::ui::pane::Pane;
use leptos::prelude::*;
use model::audit::AuditEntry;
use model::data_source::mask_arn;

#[component]
pub fn AuditList(entries: Vec<AuditEntry>, #[prop(into)] title: String) -> impl IntoView {
    view! {
        <Pane title=title note=entries.len().to_string()>
            {entries.is_empty().then(|| view! { <p class="p-3 text-muted">{tr!(source.audit_none)}</p> })}
            <ul class="divide-y divide-line">
                {entries.into_iter().map(|entry| view! {
                    <li class="flex min-h-9 items-center gap-3 px-3 py-1">
                        <Chip tone=if entry.allowed { Tone::Ok } else { Tone::Bad }>{entry.action}</Chip>
                        <span class="min-w-0 grow text-muted">{entry.detail}</span>
                        <span class="font-mono text-sm text-muted">{mask_arn(entry.principal.as_str())}</span>
                        <span class="whitespace-nowrap text-sm text-muted">{time::long(entry.at)}</span>
                    </li>
                }).collect_view()}
            </ul>
        </Pane>
    }
}
