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

    /// The rule that the server said a field breaks, until the field is typed in again.
    pub fn answered_code(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            self.answered.with(|answered| answered.iter().find(|p| p.field == field).map(|p| p.code.clone()))
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

    /// What the server said of single fields; what to do next stands there too.
    pub fn answer(self, problem: &Problem) {
        let mut fields = problem.fields.clone();
        if let ([field], Some(hint)) = (fields.as_mut_slice(), &problem.hint) {
            field.message = format!("{}\n{hint}", field.message);
        }
        self.answered.set(fields);
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

/// A draft with its problems, and where its fields belong: makes the parts of a field from the field's name.
pub struct DraftForm<D: Send + Sync + 'static> {
    pub draft: RwSignal<D>,
    pub problems: Problems,
    /// Prefix of the fields in problems: empty, or `source.` inside a project's form.
    pub prefix: &'static str,
    /// Name of the draft among the arguments of the server function: `draft`, or `draft[source]`.
    pub argument: &'static str,
}

// Not derived: that would ask the draft to be `Copy`.
impl<D: Send + Sync + 'static> Clone for DraftForm<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Send + Sync + 'static> Copy for DraftForm<D> {}

impl<D: Send + Sync + 'static> DraftForm<D> {
    pub fn new(draft: RwSignal<D>, problems: Problems) -> Self {
        Self { draft, problems, prefix: "", argument: "draft" }
    }

    /// The field as problems name it.
    pub fn field(self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub fn id(self, name: &str) -> String {
        self.field(name).replace('.', "-")
    }

    /// The control's name in a posted form.
    pub fn post_name(self, name: &str) -> Option<String> {
        Some(format!("{}[{name}]", self.argument))
    }

    /// The sentence to show under the field.
    pub fn error(self, name: &str) -> Signal<Option<String>> {
        self.problems.of(&self.field(name))
    }

    pub fn get(self, get: fn(&D) -> &String) -> Signal<String> {
        Signal::derive(move || self.draft.with(|draft| get(draft).clone()))
    }

    /// Types into the field.
    pub fn set(self, name: &'static str, set: fn(&mut D) -> &mut String) -> Callback<String> {
        Callback::new(move |value| {
            self.draft.update(|draft| *set(draft) = value);
            self.problems.touch(&self.field(name));
        })
    }
}

/// The problem in the language of the page; English is the server's own sentence.
fn sentence(problem: &FieldProblem) -> String {
    if i18n::locale() == i18n::Locale::en {
        return problem.message.clone();
    }
    rule(&problem.code).map_or_else(|| problem.message.clone(), str::to_owned)
}

/// The sentence of a rule, by the code that problems and notices name it with.
pub fn rule(code: &str) -> Option<&'static str> {
    Some(match code {
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
        "taken" => tr!(rule.taken),
        "directory_missing" => tr!(rule.directory_missing),
        "nested" => tr!(rule.nested),
        "timezone" => tr!(rule.timezone),
        "owner_unknown" => tr!(rule.owner_unknown),
        _ => return None,
    })
}

/// A draft that this browser keeps while it is typed, so that a closed tab loses nothing. Secrets are blanked first.
#[derive(Clone, Copy)]
pub struct KeptDraft {
    key: &'static str,
    /// The local time of the last save, `hh:mm`.
    pub saved_at: RwSignal<Option<String>>,
}

impl KeptDraft {
    /// Restores what was kept under `key`, then keeps every change of `draft` as `blanked` makes it. A draft that is as
    /// it was at the start needs no keeping.
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
                }
            } else if now == start {
                kept.forget();
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

/// When the draft was saved in this browser, and the way to be rid of it.
#[component]
pub fn DraftNote(
    kept: KeptDraft,
    /// Also says that secrets are not kept, where there are any.
    #[prop(optional)]
    without_secrets: bool,
    on_discard: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <span class="ml-auto flex min-w-0 items-center gap-2 text-sm text-muted">
            {move || kept.saved_at.get().map(|time| view! {
                <span class="truncate max-lg:sr-only">{if without_secrets { tr!(source.draft_saved, time = time).to_string() } else { tr!(project.draft_saved, time = time).to_string() }}</span>
                <button type="button" class="act whitespace-nowrap" on:click=move |_| on_discard()>{tr!(source.discard)}</button>
            })}
        </span>
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
