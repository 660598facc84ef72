//! The table at the cursor of the tree: what is known of it, and the statements that tell more.

use super::explorer::inserted;
use super::sheet::SheetContext;
use crate::components::table_tree::{Chosen, Names, Place, rows_of};
use crate::tr;
use crate::ui::{Button, Icon, Tag};
use leptos::prelude::*;
use model::table::TableInfo;

/// Enough to see what a table holds.
const PREVIEW_ROWS: u32 = 100;

/// The foot of the explorer; nothing while the cursor is on no table.
#[component]
pub fn TableCard(table: Memo<Option<Chosen>>) -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let place = Memo::new(move |_| match table.get()? {
        Chosen::Table { project, schema, table } => Some(Place::Columns { project, schema, table }),
        Chosen::Schema { .. } | Chosen::Column { .. } => None,
    });
    Effect::new(move |_| {
        if let Some(place) = place.get() {
            context.catalog.load(place);
        }
    });
    let info = move || match context.catalog.get(&place.get()?)? {
        Names::Table(info) => Some(info),
        Names::Loading | Names::Names(_) | Names::Files(_) | Names::Failed(_) => None,
    };
    move || {
        let chosen = table.get()?;
        let info = info();
        let name = match &chosen {
            Chosen::Table { table, .. } => table.clone(),
            Chosen::Schema { .. } | Chosen::Column { .. } => return None,
        };
        Some(view! {
            <section class="table-card" aria-label=name.clone()>
                <p class="flex items-center gap-2"><Icon name="table-2" small=true class="text-muted"/><b class="min-w-0 truncate font-mono text-sm" title=name.clone()>{name.clone()}</b></p>
                {info.as_ref().map(|info| view! { <Known info=(**info).clone()/> })}
                <div class="mt-2 flex flex-wrap gap-1">
                    {questions(info.as_deref()).into_iter().map(|(label, make)| {
                        let (chosen, info) = (chosen.clone(), info.clone());
                        let ask = move |()| {
                            let session = context.session.get_untracked();
                            context.has_results.set(true);
                            context.running.start_script(make(&inserted(&chosen, &session), info.as_deref()), 0);
                        };
                        view! { <Button class="h-6 text-sm" on_click=ask>{label}</Button> }
                    }).collect_view()}
                </div>
            </section>
        })
    }
}

type Make = fn(&str, Option<&TableInfo>) -> String;

/// What can be asked of a table: the word on the button, and the statement that one would type.
fn questions(info: Option<&TableInfo>) -> Vec<(&'static str, Make)> {
    let mut questions: Vec<(&'static str, Make)> =
        vec![(tr!(worksheet.table_rows), preview), (tr!(worksheet.table_columns), |name, _| format!("DESC {name};"))];
    if info.is_some_and(|info| info.columns.iter().any(|column| column.is_partition)) {
        questions.push((tr!(worksheet.table_partitions), |name, _| format!("SHOW PARTITIONS {name};")));
    }
    questions.push((tr!(worksheet.table_ddl), |name, _| format!("SHOW CREATE TABLE {name};")));
    questions
}

/// The first rows; of a partitioned table those of its newest partition, which the full-scan guard lets pass.
fn preview(name: &str, info: Option<&TableInfo>) -> String {
    let partition = info.and_then(|info| info.columns.iter().find(|column| column.is_partition));
    match partition {
        None => format!("SELECT * FROM {name} LIMIT {PREVIEW_ROWS};"),
        Some(column) => {
            let column = super::completion::quoted(&column.name);
            let text = name.replace('\'', "''");
            format!("SELECT * FROM {name} WHERE {column} = MAX_PT('{text}') LIMIT {PREVIEW_ROWS};")
        }
    }
}

/// Kind, size and snapshot.
#[component]
fn Known(info: TableInfo) -> impl IntoView {
    let has_key = info.columns.iter().any(|column| column.is_primary_key);
    let rows = rows_of(&info);
    view! {
        {(!info.comment.is_empty()).then(|| view! { <p class="mt-1 line-clamp-2 text-sm text-muted" title=info.comment.clone()>{info.comment.clone()}</p> })}
        <p class="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-muted">
            <Tag>{if has_key { tr!(worksheet.table_key) } else { tr!(worksheet.table_append) }}</Tag>
            {(!rows.is_empty()).then_some(rows)}
            <span>{match info.snapshot_id {
                Some(id) => tr!(worksheet.snapshot, id = id).to_string(),
                None => tr!(worksheet.table_no_snapshot).to_owned(),
            }}</span>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::table::Column;

    fn info(partitions: &[&str]) -> TableInfo {
        let column = |name: &&str| Column {
            name: (*name).into(),
            data_type: "STRING".into(),
            nullable: true,
            comment: String::new(),
            is_partition: true,
            is_primary_key: false,
        };
        TableInfo {
            schema: "default".into(),
            name: "t".into(),
            comment: String::new(),
            columns: partitions.iter().map(column).collect(),
            snapshot_id: None,
            record_count: None,
        }
    }

    #[test]
    fn a_preview_reads_one_partition() {
        let check = |name: &str, partitions: &[&str], expected: &str| {
            assert_eq!(preview(name, Some(&info(partitions))), expected);
        };
        check("t", &[], "SELECT * FROM t LIMIT 100;");
        check("s.t", &["dt", "hr"], "SELECT * FROM s.t WHERE dt = MAX_PT('s.t') LIMIT 100;");
    }
}
