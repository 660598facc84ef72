//! Where the one-time sign-in link leads. Opening the link changes nothing; the form on the page redeems it, so that
//! programs that look at links beforehand do not use it up.

use super::sign_in::Gate;
use crate::ui::{Button, ButtonKind, Note, Tone};
use crate::{routes, tr};
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn WelcomePage() -> impl IntoView {
    let query = use_query_map();
    let token = move || query.with(|query| query.get("token")).filter(|token| !token.is_empty());
    let next = move || query.with(|query| query.get("next"));
    let has_failed = move || query.with(|query| query.get("error")).is_some();
    let form = NodeRef::<html::Form>::new();
    submit_once(form);
    view! {
        <Gate title=tr!(frame.welcome)>
            {move || match token().filter(|_| !has_failed()) {
                Some(token) => view! {
                    <p class="mb-4 text-muted">{tr!(frame.welcome_about)}</p>
                    <form method="post" action=routes::SESSION_WELCOME node_ref=form>
                        <input type="hidden" name="token" value=token/>
                        {next().map(|next| view! { <input type="hidden" name="next" value=next/> })}
                        <Button kind=ButtonKind::Primary submit=true class="w-full">{tr!(frame.sign_in)}</Button>
                    </form>
                }.into_any(),
                None => view! {
                    <div role="alert"><Note tone=Tone::Bad title=tr!(frame.welcome_used)>{tr!(frame.welcome_used_about)}</Note></div>
                    <a class="btn mt-4 w-full" rel="external" href=routes::SIGN_IN>{tr!(frame.sign_in)}</a>
                }.into_any(),
            }}
        </Gate>
    }
}

/// Presses the button for who opened the link in a browser: nothing stands between the link and the console.
fn submit_once(form: NodeRef<html::Form>) {
    let is_done = StoredValue::new(false);
    Effect::new(move |_| {
        let Some(form) = form.get() else { return };
        if !is_done.get_value() && !document().hidden() {
            is_done.set_value(true);
            _ = form.submit();
        }
    });
}
