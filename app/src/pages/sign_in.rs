//! Signing in by name and password: a plain form that the server answers.

use crate::i18n::{self, Locale};
use crate::layout::preference::{Preference, PreferenceForm};
use crate::ui::icon::Brand;
use crate::ui::pane::PageTitle;
use crate::ui::{Button, ButtonKind, Note, Tone};
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInPage() -> impl IntoView {
    let query = use_query_map();
    let next = move || query.with(|query| query.get("next")).unwrap_or_else(|| routes::HOME.to_owned());
    let error = move || query.with(|query| query.get("error")).map(|code| error_text(&code));
    view! {
        <Gate title=tr!(frame.sign_in)>
            {move || error().map(|error| view! { <div role="alert" class="mb-4"><Note tone=Tone::Bad title=error/></div> })}
            <form method="post" action=routes::SESSION_SIGN_IN class="space-y-3">
                <input type="hidden" name="next" value=next/>
                <label class="block">
                    <span>{tr!(frame.user_name)}</span>
                    <input class="input mt-1" name="name" value="root" autocomplete="username" autocapitalize="none" spellcheck="false" required/>
                </label>
                <label class="block">
                    <span>{tr!(frame.password)}</span>
                    <input class="input mt-1" name="password" type="password" autocomplete="current-password" required autofocus/>
                </label>
                <Button kind=ButtonKind::Primary submit=true class="w-full">{tr!(frame.sign_in)}</Button>
            </form>
            <p class="mt-4 text-sm text-muted">{tr!(frame.sign_in_link_hint)}</p>
        </Gate>
    }
}

fn error_text(code: &str) -> &'static str {
    match code {
        "unauthenticated" => tr!(frame.sign_in_wrong),
        "limit_exceeded" => tr!(frame.sign_in_limited),
        "unavailable" => tr!(problem.unavailable),
        _ => tr!(problem.internal),
    }
}

/// The bare page around signing in: brand, title, one pane.
#[component]
pub fn Gate(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <PageTitle title=title.clone()/>
        <main class="gate">
            <div class="pane gate-pane">
                <div class="gate-brand"><Brand/><span>"Lakedeck"</span></div>
                <h1 class="mb-4">{title}</h1>
                {children()}
            </div>
            <div class="flex gap-4 text-sm text-muted">
                <PreferenceForm preference=Preference::Language>
                    {[Locale::en, Locale::zh_CN].map(|locale| view! {
                        <button class="act" name="value" value=i18n::code(locale) lang=i18n::code(locale)>{i18n::name(locale)}</button>
                    })}
                </PreferenceForm>
            </div>
        </main>
    }
}
