//! What messages mean, and what to do: those of the connection test, and those of SQL statements.

use super::HelpPage;
use crate::tr;
use crate::ui::Pane;
use leptos::prelude::*;

/// Messages of the connection test as they are shown, with their cures.
fn connection() -> Vec<(&'static str, &'static str)> {
    vec![
        ("Unreachable: The endpoint name cannot be resolved.", tr!(help.cure_resolve)),
        ("Unreachable: No route to <host>:<port>.", tr!(help.cure_route)),
        ("Unreachable: The host refused the connection.", tr!(help.cure_refused)),
        ("ConfigError: The certificate of <host> is not trusted.", tr!(help.cure_tls)),
        ("ConfigError: The access key is wrong.", tr!(help.cure_key)),
        ("ConfigError: The role cannot be assumed.", tr!(help.cure_role)),
        ("ConfigError: The identity may not list <bucket>/<prefix>.", tr!(help.cure_list)),
        ("ConfigError: Blocked by the bucket's address rule.", tr!(help.cure_address)),
        ("ConfigError: Bucket <b> does not exist.", tr!(help.cure_bucket)),
        ("ConfigError: The bucket is in region <r>.", tr!(help.cure_region)),
        ("ConfigError: The warehouse path does not exist.", tr!(help.cure_prefix)),
        ("ConfigError: The directory is not a Paimon warehouse.", tr!(help.cure_shape)),
        ("ConfigError: Table <t> cannot be read: <why>.", tr!(help.cure_schema)),
        ("ConfigError: Clock differs by <n> s.", tr!(help.cure_clock)),
        ("ConfigError: This store cannot commit safely; it is used for reading only.", tr!(help.cure_commit)),
        ("Unsupport: OSS-HDFS is not built in.", tr!(help.cure_library)),
    ]
}

/// Messages of statements, their cures, and the anchors that other pages link to.
fn statements() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        (
            "ODPS-0130071: … Table(<project>,<schema>,<table>) is full scan with all partitions, please specify partition predicates.",
            tr!(help.sql_full_scan),
            "full-scan",
        ),
        ("ODPS-0130161: … Parse exception - …", tr!(help.sql_parse), "parse"),
        ("ODPS-0130071: … table <t> cannot be resolved", tr!(help.sql_not_found), "not-found"),
        ("ODPS-0130071: … function <f> cannot be resolved", tr!(help.sql_function), "function"),
        (
            "ODPS-0130071: … wrong columns count <n> in data source, requires <m> columns (includes dynamic partitions if any)",
            tr!(help.sql_columns),
            "columns",
        ),
        ("ODPS-0123031: Partition exception - …", tr!(help.sql_partition), "partition"),
        ("ODPS-0130071: … not supported yet: <STATEMENT>", tr!(help.sql_not_yet), "not-yet"),
        ("ODPS-0130071: … type <T> is not supported by Paimon table", tr!(help.sql_type), "type"),
        ("Forbidden: User <principal> doesn't have privilege <P> on <OBJECT>", tr!(help.sql_forbidden), "forbidden"),
        ("ODPS-0010013: … Resource limit - …", tr!(help.sql_limit), "limit"),
        ("The server stopped while this statement was publishing", tr!(help.sql_unknown), "unknown"),
    ]
}

#[component]
pub fn TroubleshootingPage() -> impl IntoView {
    view! {
        <HelpPage title=tr!(help.trouble_title) about=tr!(help.trouble_about)>
            <h2 id="connection">{tr!(help.trouble_connection)}</h2>
            <Pane>
                <table class="list-table">
                    <Heads/>
                    <tbody>
                        {connection().into_iter().map(|(message, cure)| view! {
                            <tr><td class="mono w-1/2">{message}</td><td>{cure}</td></tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </Pane>
            <h2 id="sql">{tr!(help.trouble_sql)}</h2>
            <Pane>
                <table class="list-table">
                    <Heads/>
                    <tbody>
                        {statements().into_iter().map(|(message, cure, anchor)| view! {
                            <tr id=anchor><td class="mono w-1/2">{message}</td><td>{cure}</td></tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </Pane>
        </HelpPage>
    }
}

#[component]
fn Heads() -> impl IntoView {
    view! {
        <thead><tr><th scope="col">{tr!(help.col_message)}</th><th scope="col">{tr!(help.col_cure)}</th></tr></thead>
    }
}
