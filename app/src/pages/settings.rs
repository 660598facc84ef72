//! Choices of the person at the page.

use crate::i18n::{self, Locale};
use crate::layout::preference::{Preference, PreferenceForm};
use crate::layout::{DensityButtons, PasswordForm, pressed, theme_label, use_frame};
use crate::page::Theme;
use crate::tr;
use crate::ui::PageHead;
use leptos::prelude::*;

#[component]
pub fn SettingsPage() -> impl IntoView {
    let frame = use_frame();
    view! {
        <div class="page">
            <div class="mx-auto max-w-3xl">
                <PageHead title=tr!(frame.settings)/>
                <div class="pane px-4 pb-2">
                    <section class="form-sec border-t-0">
                        <h2>{tr!(frame.account)}</h2>
                        <span class="lab">{tr!(frame.principal)}</span>
                        <p class="pt-1 font-mono text-sm">
                            <Suspense fallback=|| "…">
                                {move || frame.signed_in.get().and_then(Result::ok).map(|me| me.principal.to_string())}
                            </Suspense>
                        </p>
                    </section>
                    <PasswordForm/>
                    <section class="form-sec">
                        <h2>{tr!(frame.appearance)}</h2>
                        <span class="lab">{tr!(frame.theme)}</span>
                        <div class="flex gap-2">
                            <PreferenceForm preference=Preference::Theme>
                                {Theme::ALL.map(|theme| view! {
                                    <button class="btn" name="value" value=theme.id() aria-pressed=move || pressed(frame.theme.get() == theme)>
                                        {theme_label(theme)}
                                    </button>
                                })}
                            </PreferenceForm>
                        </div>
                        <span class="lab">{tr!(frame.density)}</span>
                        <div class="flex gap-2">
                            <PreferenceForm preference=Preference::Density>
                                <DensityButtons class="btn"/>
                            </PreferenceForm>
                        </div>
                        <span class="lab">{tr!(frame.language)}</span>
                        <div class="flex gap-2">
                            <PreferenceForm preference=Preference::Language>
                                {[Locale::en, Locale::zh_CN].map(|locale| view! {
                                    <button class="btn" name="value" value=i18n::code(locale) lang=i18n::code(locale) aria-pressed=pressed(locale == i18n::locale())>{i18n::name(locale)}</button>
                                })}
                            </PreferenceForm>
                        </div>
                    </section>
                </div>
            </div>
        </div>
    }
}
