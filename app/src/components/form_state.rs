//! The state of a form: what is typed, which problems are shown, and the copy kept in the browser.

use crate::i18n;
use crate::tr;
use leptos::prelude::*;
use model::problem::{FieldProblem, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Which problems of a form are shown: those of fields that were typed in, all of them after OK, and what the server
/// answered until the field is typed in again.
#[derive(Clone, Copy)]
pub struct Problems {
    found: Signal<Vec<FieldProblem>>,
    answered: RwSignal<Vec<FieldProblem>>,
    touched: RwSignal<BTreeSet<String>>,
    is_submitted: RwSignal<bool>,
}

impl Problems {
    /// `found` is what the rules say of the draft as it is now.
    pub fn new(found: Signal<Vec<FieldProblem>>) -> Self {
        Self {
            found,
            answered: RwSignal::new(Vec::new()),
            touched: RwSignal::new(BTreeSet::new()),
            is_submitted: RwSignal::new(false),
        }
    }

    /// The sentence to show under a field.
    pub fn of(self, field: &str) -> Signal<Option<String>> {
        let field = field.to_owned();
        Signal::derive(move || {
            let of_field = |problems: &Vec<FieldProblem>| problems.iter().find(|p| p.field == field).map(sentence);
            let is_shown = self.is_submitted.get() || self.touched.with(|touched| touched.contains(&field));
            self.answered.with(of_field).or_else(|| is_shown.then(|| self.found.with(of_field)).flatten())
        })
    }

    /// The field was typed in.
    pub fn touch(self, field: &str) {
        self.touched.update(|touched| _ = touched.insert(field.to_owned()));
        if self.answered.with_untracked(|answered| answered.iter().any(|problem| problem.field == field)) {
            self.answered.update(|answered| answered.retain(|problem| problem.field != field));
        }
    }

    /// OK was pressed: everything found is shown. `true` if nothing was found.
    pub fn submit(self) -> bool {
        self.is_submitted.set(true);
        let is_good = self.found.with_untracked(Vec::is_empty);
        if !is_good {
            crate::ui::dom::focus_first_invalid();
        }
        is_good
    }

    /// What the server said of single fields.
    pub fn answer(self, problem: &Problem) {
        self.answered.set(problem.fields.clone());
        if !problem.fields.is_empty() {
            crate::ui::dom::focus_first_invalid();
        }
    }

    /// How many fields need attention, as far as is shown.
    pub fn count(self) -> Signal<usize> {
        Signal::derive(move || {
            let answered = self.answered.with(Vec::len);
            if self.is_submitted.get() { self.found.with(Vec::len).max(answered) } else { answered }
        })
    }

    /// Whether the rules find nothing wrong with these fields, shown or not.
    pub fn is_good(self, belongs: impl Fn(&str) -> bool) -> bool {
        self.found.with(|found| !found.iter().any(|problem| belongs(&problem.field)))
    }
}

/// The problem in the language of the page; English is the server's own sentence.
fn sentence(problem: &FieldProblem) -> String {
    if i18n::locale() == i18n::Locale::en {
        return problem.message.clone();
    }
    let known = match problem.code.as_str() {
        "required" => tr!(rule.required),
        "data_source_name" => tr!(rule.data_source_name),
        "project_name" => tr!(rule.project_name),
        "engine_catalog_name" => tr!(rule.engine_catalog_name),
        "role_arn" => tr!(rule.role_arn),
        "role_arn_masked" => tr!(rule.role_arn_masked),
        "warehouse_oss" => tr!(rule.warehouse_oss),
        "warehouse_s3" => tr!(rule.warehouse_s3),
        "warehouse_local" => tr!(rule.warehouse_local),
        "warehouse_local_dots" => tr!(rule.warehouse_local_dots),
        "warehouse_local_root" => tr!(rule.warehouse_local_root),
        "endpoint" => tr!(rule.endpoint),
        "endpoint_required" => tr!(rule.endpoint_required),
        "description" => tr!(rule.description),
        "region" => tr!(rule.region),
        "choice" => tr!(rule.choice),
        "auth_for_storage" => tr!(rule.auth_for_storage),
        "property_count" => tr!(rule.property_count),
        _ => return problem.message.clone(),
    };
    known.to_owned()
}

/// A draft that this browser keeps while it is typed, so that a closed tab loses nothing. Secrets are blanked first.
#[derive(Clone, Copy)]
pub struct KeptDraft {
    key: &'static str,
    /// The local time of the last save, `hh:mm`.
    pub saved_at: RwSignal<Option<String>>,
}

impl KeptDraft {
    /// Restores what was kept under `key`, then keeps every change of `draft` as `blanked` makes it.
    pub fn new<D>(key: &'static str, draft: RwSignal<D>, blanked: fn(D) -> D) -> Self
    where
        D: Clone + PartialEq + Default + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let kept = Self { key, saved_at: RwSignal::new(None) };
        let start = draft.get_untracked();
        Effect::new(move |before: Option<()>| {
            let now = draft.get();
            if before.is_none() {
                // Effects run in the browser, after the server's page was taken over.
                if let Some(restored) = read::<D>(key)
                    && restored != start
                {
                    draft.set(restored);
                    kept.saved_at.set(Some(String::new()));
                }
            } else if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(&blanked(now))) {
                _ = storage.set_item(key, &text);
                kept.saved_at.set(Some(local_time()));
            }
        });
        kept
    }

    /// Forgets what was kept: the form was sent, or its draft discarded.
    pub fn forget(self) {
        if let Some(storage) = storage() {
            _ = storage.remove_item(self.key);
        }
        self.saved_at.set(None);
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn read<D: DeserializeOwned>(key: &str) -> Option<D> {
    serde_json::from_str(&storage()?.get_item(key).ok()??).ok()
}

fn local_time() -> String {
    let now = js_sys::Date::new_0();
    format!("{:02}:{:02}", now.get_hours(), now.get_minutes())
}
