//! The data type mapping (S4).

use super::{Answer, HelpPage};
use crate::tr;
use crate::ui::{Icon, Pane};
use leptos::prelude::*;
use model::types::{TYPES, TypeMapping, TypeNote, TypeSupport};

#[component]
pub fn TypesPage() -> impl IntoView {
    let search = RwSignal::new(String::new());
    let shown = move || search.with(|text| TYPES.iter().filter(|row| row.matches(text)).collect::<Vec<_>>());
    view! {
        <HelpPage title=tr!(help.types_title) about=tr!(help.types_about)>
            <div class="mb-2 flex items-center gap-2">
                <label class="input max-w-72">
                    <Icon name="search" small=true class="text-muted"/>
                    <span class="sr-only">{tr!(help.types_search)}</span>
                    <input type="search" placeholder=tr!(help.types_search) on:input:target=move |event| search.set(event.target().value())/>
                </label>
                <span class="ml-auto text-sm text-muted" role="status">{move || tr!(help.types_count, n = shown().len()).to_string()}</span>
            </div>
            <Pane>
                <table class="list-table">
                    <thead>
                        <tr>
                            <th scope="col">{tr!(help.col_sql)}</th>
                            <th scope="col">{tr!(help.col_paimon)}</th>
                            <th scope="col">{tr!(help.col_arrow)}</th>
                            <th scope="col">{tr!(help.col_flink)}</th>
                            <th scope="col">{tr!(help.col_read)}</th>
                            <th scope="col">{tr!(help.col_write)}</th>
                            <th scope="col">{tr!(help.col_notes)}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {move || shown().into_iter().map(|row| view! { <TypeRow row=*row/> }).collect_view()}
                    </tbody>
                </table>
                {move || shown().is_empty().then(|| view! { <p class="p-4 text-muted">{tr!(help.types_none)}</p> })}
            </Pane>
        </HelpPage>
    }
}

#[component]
fn TypeRow(row: TypeMapping) -> impl IntoView {
    let name = |name: Option<&'static str>| name.unwrap_or("–");
    let flags = match row.support {
        TypeSupport::Ddl => view! { <td colspan="2">{tr!(help.ddl_only)}</td> }.into_any(),
        TypeSupport::Expression => view! { <td colspan="2">{tr!(help.expression_only)}</td> }.into_any(),
        support => view! {
            <td><Answer yes=support.can_read()/></td>
            <td><Answer yes=support.can_write()/></td>
        }
        .into_any(),
    };
    view! {
        <tr>
            <td class="mono">{name(row.sql)}</td>
            <td class="mono">{name(row.paimon)}</td>
            <td class="mono">{name(row.arrow)}</td>
            <td class="mono">{name(row.flink)}</td>
            {flags}
            <td>{row.note.map(note_text)}</td>
        </tr>
    }
}

fn note_text(note: TypeNote) -> &'static str {
    match note {
        TypeNote::SuffixY => tr!(help.note_suffix_y),
        TypeNote::SuffixS => tr!(help.note_suffix_s),
        TypeNote::SuffixL => tr!(help.note_suffix_l),
        TypeNote::Decimal => tr!(help.note_decimal),
        TypeNote::Char => tr!(help.note_char),
        TypeNote::Varchar => tr!(help.note_varchar),
        TypeNote::String => tr!(help.note_string),
        TypeNote::Binary => tr!(help.note_binary),
        TypeNote::Date => tr!(help.note_date),
        TypeNote::Time => tr!(help.note_time),
        TypeNote::TimestampNtz => tr!(help.note_timestamp_ntz),
        TypeNote::TimestampLtz => tr!(help.note_timestamp_ltz),
        TypeNote::Map => tr!(help.note_map),
        TypeNote::Struct => tr!(help.note_struct),
        TypeNote::Multiset => tr!(help.note_multiset),
        TypeNote::Variant => tr!(help.note_variant),
        TypeNote::ReadsAs => tr!(help.note_reads_as),
        TypeNote::Unreadable => tr!(help.note_unreadable),
        TypeNote::Datetime => tr!(help.note_datetime),
        TypeNote::Interval => tr!(help.note_interval),
        TypeNote::Json => tr!(help.note_json),
        TypeNote::BareDecimal => tr!(help.note_bare_decimal),
    }
}
