//! Which keys there are.

use super::HelpPage;
use crate::tr;
use crate::ui::Pane;
use leptos::prelude::*;

/// Keys, and what they do. Alternatives are separated by ` · `.
type Keys = Vec<(&'static str, &'static str)>;

fn sheet() -> Keys {
    vec![
        ("Ctrl+Enter", tr!(help.key_run)),
        ("Ctrl+Shift+Enter · Alt+X", tr!(help.key_run_all)),
        ("Esc Esc", tr!(help.key_cancel)),
        ("Ctrl+S", tr!(help.key_save)),
        ("Ctrl+J", tr!(help.key_results)),
        ("Ctrl+B", tr!(help.key_explorer)),
        ("F6", tr!(help.key_pane)),
    ]
}

fn editor() -> Keys {
    vec![
        ("Ctrl+Space · Alt+/", tr!(help.key_complete)),
        ("Tab · Enter", tr!(help.key_accept)),
        ("Ctrl+/", tr!(help.key_comment)),
        ("Ctrl+F", tr!(help.key_find)),
        ("Ctrl+Z · Ctrl+Y", tr!(help.key_undo)),
        ("Tab · Shift+Tab", tr!(help.key_indent)),
        ("F8", tr!(help.key_next_problem)),
        ("Esc, Tab", tr!(help.key_leave)),
    ]
}

fn grid() -> Keys {
    vec![
        ("← → ↑ ↓", tr!(help.key_arrows)),
        ("PgUp · PgDn", tr!(help.key_page)),
        ("Home · End", tr!(help.key_row_ends)),
        ("Ctrl+Home · Ctrl+End", tr!(help.key_table_ends)),
        ("Space · Enter", tr!(help.key_open)),
        ("Ctrl+A", tr!(help.key_select_all)),
        ("Ctrl+C", tr!(help.key_copy)),
    ]
}

fn tree() -> Keys {
    vec![("↑ ↓", tr!(help.key_tree_move)), ("→ · ←", tr!(help.key_tree_open)), ("Enter", tr!(help.key_tree_choose))]
}

fn everywhere() -> Keys {
    vec![("Tab", tr!(help.key_tab)), ("← →", tr!(help.key_tabs)), ("Esc", tr!(help.key_escape))]
}

#[component]
pub fn KeyboardPage() -> impl IntoView {
    let sections = [
        (tr!(help.keys_sheet), sheet()),
        (tr!(help.keys_editor), editor()),
        (tr!(help.keys_grid), grid()),
        (tr!(help.keys_tree), tree()),
        (tr!(help.keys_everywhere), everywhere()),
    ];
    view! {
        <HelpPage title=tr!(help.keys_title) about=tr!(help.keys_about)>
            {sections.map(|(title, keys)| view! {
                <h2>{title}</h2>
                <Pane>
                    <table class="list-table">
                        <thead><tr><th scope="col">{tr!(help.col_keys)}</th><th scope="col">{tr!(help.col_action)}</th></tr></thead>
                        <tbody>
                            {keys.into_iter().map(|(keys, action)| view! {
                                <tr><td class="w-64 whitespace-nowrap"><Chord keys/></td><td>{action}</td></tr>
                            }).collect_view()}
                        </tbody>
                    </table>
                </Pane>
            })}
        </HelpPage>
    }
}

/// The keys of one action as key caps.
#[component]
fn Chord(keys: &'static str) -> impl IntoView {
    keys.split(" · ")
        .enumerate()
        .map(|(index, chord)| {
            view! {
                {(index > 0).then_some(" · ")}
                {chord.split([' ', '+']).filter(|key| !key.is_empty()).map(|key| {
                    let (key, after) = key.strip_suffix(',').map_or((key, ""), |key| (key, ", "));
                    view! { <kbd class="kbd mr-0.5">{key}</kbd>{after} }
                }).collect_view()}
            }
        })
        .collect_view()
}
