//! What is supported (S2).

use super::{Answer, HelpPage};
use crate::tr;
use crate::ui::Pane;
use leptos::prelude::*;

/// An operation, whether it works, whether it works in a strict project, and a word about it.
type Row = (&'static str, bool, bool, Option<&'static str>);

fn operations() -> Vec<Row> {
    vec![
        (tr!(help.op_read), true, true, None),
        (tr!(help.op_write), true, true, Some(tr!(help.op_write_note))),
        (tr!(help.op_dynamic), true, false, Some(tr!(help.op_dynamic_note))),
        (tr!(help.op_cross), true, false, Some(tr!(help.op_cross_note))),
        (tr!(help.op_ddl), true, true, Some(tr!(help.op_ddl_note))),
        (tr!(help.op_travel), true, true, Some(tr!(help.op_travel_note))),
        (tr!(help.op_alter), false, false, Some(tr!(help.op_alter_note))),
        (tr!(help.op_other), false, false, Some(tr!(help.op_other_note))),
    ]
}

fn stores() -> Vec<(&'static str, bool, Option<&'static str>)> {
    vec![
        (tr!(help.store_local), true, Some(tr!(help.store_local_note))),
        (tr!(help.store_s3), true, Some(tr!(help.store_s3_note))),
        (tr!(help.store_oss), true, None),
        (tr!(help.store_hdfs), false, Some(tr!(help.store_hdfs_note))),
    ]
}

#[component]
pub fn SupportMatrixPage() -> impl IntoView {
    view! {
        <HelpPage title=tr!(help.matrix_title) about=tr!(help.matrix_about)>
            <Pane>
                <table class="list-table">
                    <thead>
                        <tr>
                            <th scope="col">{tr!(help.col_operation)}</th>
                            <th scope="col">{tr!(help.col_supported)}</th>
                            <th scope="col">{tr!(help.col_strict)}</th>
                            <th scope="col">{tr!(help.col_notes)}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {operations().into_iter().map(|(operation, works, works_strict, note)| view! {
                            <tr>
                                <td class="name">{operation}</td>
                                <td><Answer yes=works/></td>
                                <td><Answer yes=works_strict/></td>
                                <td>{note}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </Pane>
            <p class="hint">{tr!(help.matrix_strict)}</p>
            <h2>{tr!(help.stores)}</h2>
            <Pane>
                <table class="list-table">
                    <thead>
                        <tr>
                            <th scope="col">{tr!(help.stores)}</th>
                            <th scope="col">{tr!(help.col_supported)}</th>
                            <th scope="col">{tr!(help.col_notes)}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {stores().into_iter().map(|(store, works, note)| view! {
                            <tr><td class="name">{store}</td><td><Answer yes=works/></td><td>{note}</td></tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </Pane>
        </HelpPage>
    }
}
