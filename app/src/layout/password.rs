//! Choosing a password: on the settings page, and on the home page until there is one.

use super::use_frame;
use crate::api::session::SetPassword;
use crate::tr;
use crate::ui::field::TextKind;
use crate::ui::{Button, ButtonKind, FormSection, TextField, toast};
use leptos::form::ActionForm;
use leptos::prelude::*;

/// A form that posts without JavaScript too.
#[component]
pub fn PasswordForm() -> impl IntoView {
    let frame = use_frame();
    let action = ServerAction::<SetPassword>::new();
    let problem = Signal::derive(move || action.value().get().and_then(Result::err).map(|error| error.0));
    let field_error = move |field: &'static str| {
        Signal::derive(move || problem.get().and_then(|p| p.field(field).map(|f| f.message.clone())))
    };
    let other_error = move || problem.get().filter(|problem| problem.fields.is_empty()).map(|problem| problem.message);
    let new = RwSignal::new(String::new());
    let repeated = RwSignal::new(String::new());
    let current = RwSignal::new(String::new());
    let has_password =
        Signal::derive(move || frame.signed_in.get().and_then(Result::ok).is_none_or(|me| me.has_password));
    Effect::new(move |_| {
        if matches!(action.value().get(), Some(Ok(()))) {
            for field in [new, repeated, current] {
                field.set(String::new());
            }
            frame.signed_in.refetch();
            toast(tr!(frame.password_saved));
        }
    });
    view! {
        <ActionForm action=action>
            <FormSection title=tr!(frame.password)>
                <Suspense>
                    {move || has_password.get().then(|| view! {
                        <TextField id="current" label=tr!(frame.password_current) kind=TextKind::Password required=true
                            value=current on_input=move |text| current.set(text) error=field_error("current")/>
                    })}
                </Suspense>
                <TextField id="new" label=tr!(frame.password_new) kind=TextKind::NewPassword required=true
                    value=new on_input=move |text| new.set(text) error=field_error("new") hint=tr!(frame.password_hint)/>
                <TextField id="repeated" label=tr!(frame.password_repeated) kind=TextKind::NewPassword required=true
                    value=repeated on_input=move |text| repeated.set(text) error=field_error("repeated")/>
                <span></span>
                <div>
                    {move || other_error().map(|text| view! { <p class="hint is-bad mb-2" role="alert">{text}</p> })}
                    <Button kind=ButtonKind::Primary submit=true busy=action.pending()>{tr!(frame.save_password)}</Button>
                </div>
            </FormSection>
        </ActionForm>
    }
}
