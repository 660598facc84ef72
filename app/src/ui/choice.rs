//! One of a few: real radio inputs in a fieldset, so that they post before hydration and arrow keys work.

use super::field::FieldHint;
use super::icon::Icon;
use leptos::prelude::*;

/// A value that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceOption {
    pub value: &'static str,
    pub label: String,
    /// Second line of a card.
    pub detail: String,
    /// Set when it cannot be chosen: a lock is shown, and this text.
    pub disabled_reason: Option<String>,
}

impl ChoiceOption {
    pub fn new(value: &'static str, label: impl Into<String>) -> Self {
        Self { value, label: label.into(), detail: String::new(), disabled_reason: None }
    }

    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    pub fn disabled(self, reason: Option<impl Into<String>>) -> Self {
        Self { disabled_reason: reason.map(Into::into), ..self }
    }
}

/// Cards of two lines, at most four.
#[component]
pub fn ChoiceCards(
    /// Name of the form field.
    #[prop(into)]
    name: String,
    /// The group's label, which stands in the label column and names the fieldset.
    #[prop(into)]
    label: String,
    #[prop(optional)] required: bool,
    #[prop(into)] options: Signal<Vec<ChoiceOption>>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let label_id = format!("{name}-label");
    let (hint_of, described_by) = (name.clone(), format!("{name}-hint"));
    view! {
        <span class="lab" class:req=required id=label_id.clone()>{label}</span>
        <div class="min-w-0">
            <fieldset class="choice-grid" aria-labelledby=label_id aria-describedby=move || error.with(Option::is_some).then(|| described_by.clone())>
                <For each={move || options.get()} key=|option| (option.value, option.disabled_reason.clone()) let:option>
                    <label class="choice" aria-disabled=option.disabled_reason.is_some().then_some("true")>
                        <Radio name=name.clone() option=option.clone() value on_change class="radio radio-primary"/>
                        <span>{option.label}<small>{option.disabled_reason.clone().unwrap_or(option.detail)}</small></span>
                    </label>
                </For>
            </fieldset>
            <FieldHint id=hint_of error/>
        </div>
    }
}

/// Two to five short values in one line.
#[component]
pub fn Segmented(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional)] required: bool,
    /// The label is spoken only: for switches outside forms.
    #[prop(optional)]
    hide_label: bool,
    #[prop(into)] options: Signal<Vec<ChoiceOption>>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let label_id = format!("{name}-label");
    let (hint_of, described_by) = (name.clone(), format!("{name}-hint"));
    let reason = move || options.get().into_iter().find_map(|option| option.disabled_reason);
    view! {
        <span class=if hide_label { "sr-only" } else { "lab" } class:req=required id=label_id.clone()>{label}</span>
        <div class="seg-line">
            <fieldset class="seg" aria-labelledby=label_id aria-describedby=move || error.with(Option::is_some).then(|| described_by.clone())>
                <For each={move || options.get()} key=|option| option.value let:option>
                    <label aria-disabled=option.disabled_reason.is_some().then_some("true")>
                        <Radio name=name.clone() option=option.clone() value on_change class="sr-only"/>
                        {option.disabled_reason.is_some().then(|| view! { <Icon name="lock" small=true/> })}
                        {option.label.clone()}
                    </label>
                </For>
            </fieldset>
            {move || reason().map(|reason| view! { <span class="text-sm text-muted">{reason}</span> })}
            <FieldHint id=hint_of error/>
        </div>
    }
}

#[component]
fn Radio(
    name: String,
    option: ChoiceOption,
    value: Signal<String>,
    on_change: Callback<String>,
    class: &'static str,
) -> impl IntoView {
    view! {
        <input
            type="radio"
            class=class
            name=name
            value=option.value
            checked=value.with_untracked(|value| value == option.value)
            prop:checked=move || value.with(|value| value == option.value)
            disabled=option.disabled_reason.is_some()
            on:change=move |_| on_change.run(option.value.to_owned())
        />
    }
}
