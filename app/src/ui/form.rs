//! Sections, steps and the foot of a form.

use leptos::prelude::*;

/// A titled group of fields: label column left, controls right.
#[component]
pub fn FormSection(
    #[prop(into)] title: String,
    /// Anchor for the steps line.
    #[prop(into, optional)]
    id: Option<String>,
    children: Children,
) -> impl IntoView {
    let heading = id.clone().map(|id| format!("{id}-title"));
    let labelled_by = heading.clone();
    view! { <section class="form-sec" id=id aria-labelledby=labelled_by><h2 id=heading>{title}</h2>{children()}</section> }
}

/// Marks the sections of one scrolling form; `current` counts from 0.
#[component]
pub fn Steps(#[prop(into)] label: String, steps: Vec<String>, #[prop(into)] current: Signal<usize>) -> impl IntoView {
    view! {
        <ol class="steps-line" aria-label=label>
            {steps.into_iter().enumerate().map(|(index, step)| view! {
                <li class:done=move || index < current.get() aria-current=move || (index == current.get()).then_some("step")>
                    {move || (index < current.get()).then(|| view! { <super::Icon name="check" small=true/> })}
                    {step}
                </li>
            }).collect_view()}
        </ol>
    }
}

/// The bar under a form: what is wrong left, buttons right.
#[component]
pub fn FormFoot(
    /// How many fields need attention.
    #[prop(into, optional)]
    n_problems: Signal<usize>,
    /// What stands at the left, e.g. the way back.
    #[prop(into, optional)]
    start: Option<ViewFn>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="form-foot">
            {start.map(|start| move || start.run())}
            <span role="status">
                {move || match n_problems.get() {
                    0 => None,
                    1 => Some(crate::tr!(frame.one_field_bad).to_owned()),
                    n => Some(crate::tr!(frame.fields_bad, count = n).to_string()),
                }
                .map(|text| view! { <super::Chip tone=super::Tone::Bad plain=true>{text}</super::Chip> })}
            </span>
            <span class="grow"></span>
            {children()}
        </div>
    }
}
