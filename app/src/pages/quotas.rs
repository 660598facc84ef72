//! Quotas: what the statements of a project may use.

use crate::api::external_project::quotas;
use crate::tr;
use crate::ui::format::{bytes, grouped};
use crate::ui::{Load, PageHead, Pane};
use leptos::prelude::*;
use model::quota::Quota;

#[component]
pub fn QuotasPage() -> impl IntoView {
    let quotas = Resource::new(|| (), |()| quotas());
    view! {
        <div class="page">
            <PageHead title=tr!(frame.quotas) about=tr!(home.quotas_about)/>
            <Pane>
                <Load resource=quotas rows=1 children=Callback::new(|(quotas,): (Vec<Quota>,)| view! { <QuotaTable quotas/> }.into_any())/>
            </Pane>
        </div>
    }
}

#[component]
fn QuotaTable(quotas: Vec<Quota>) -> impl IntoView {
    view! {
        <div class="scroll overflow-x-auto" tabindex="0" role="region" aria-label=tr!(frame.quotas)>
        <table class="list-table">
            <thead>
                <tr>
                    <th scope="col">{tr!(home.quota_name)}</th>
                    <th scope="col" class="text-right">{tr!(home.quota_memory)}</th>
                    <th scope="col" class="text-right">{tr!(home.quota_running)}</th>
                    <th scope="col" class="text-right">{tr!(home.quota_queued)}</th>
                    <th scope="col" class="text-right">{tr!(home.quota_rows)}</th>
                    <th scope="col" class="text-right">{tr!(home.quota_bytes)}</th>
                    <th scope="col" class="text-right">{tr!(home.quota_seconds)}</th>
                </tr>
            </thead>
            <tbody>
                {quotas.into_iter().map(|quota| view! {
                    <tr>
                        <td class="name">{quota.name}</td>
                        <td class="num">{bytes(quota.memory_bytes_max)}</td>
                        <td class="num">{grouped(quota.statements_running_max.into())}</td>
                        <td class="num">{grouped(quota.statements_queued_max.into())}</td>
                        <td class="num">{grouped(quota.result_rows_max)}</td>
                        <td class="num">{bytes(quota.result_bytes_max)}</td>
                        <td class="num">{grouped(quota.statement_seconds_max)}" s"</td>
                    </tr>
                }).collect_view()}
            </tbody>
        </table>
        </div>
    }
}
