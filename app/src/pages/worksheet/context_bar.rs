//! The bar over the text: name, project and schema, session, state of saving, and the ways to run.

use super::autosave::SaveState;
use super::completion::quoted;
use super::list::use_new_worksheet;
use super::sheet::SheetContext;
use crate::api::worksheet::{rename_worksheet, reset_session, set_worksheet_project};
use crate::components::table_tree::{Names, Place};
use crate::tr;
use crate::ui::icon::{Icon, Spinner};
use crate::ui::{Button, ButtonKind, Menu, toast};
use leptos::prelude::*;
use leptos::task::spawn_local;

#[component]
pub fn ContextBar() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let new_worksheet =
        use_new_worksheet(Signal::derive(move || Some(context.session.with(|s| s.project.to_string()))));
    let explorer_label = Signal::derive(move || {
        if context.has_explorer.get() { tr!(worksheet.hide_explorer) } else { tr!(worksheet.show_explorer) }
    });
    view! {
        <div class="sheet-bar" role="group" aria-label=tr!(worksheet.bar)>
            <button
                type="button"
                class="btn btn-ghost btn-square"
                aria-label=explorer_label
                title=move || format!("{} (Ctrl+B)", explorer_label.get())
                aria-expanded=move || if context.has_explorer.get() { "true" } else { "false" }
                on:click=move |_| context.has_explorer.update(|shown| *shown = !*shown)
            >
                <Icon name="panel-left"/>
            </button>
            <NameField/>
            <Button kind=ButtonKind::Ghost icon="plus" label=tr!(worksheet.new) on_click=move |()| new_worksheet.run(String::new())/>
            <SaveMark/>
            <span class="ml-auto"></span>
            <SessionMenu/>
            <PlaceMenu/>
            <RunButtons/>
        </div>
    }
}

/// The name is a field: one types over it.
#[component]
fn NameField() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    // The title is the stored name: what it says is safe.
    let rename = move |name: String| {
        let before = context.name.get_untracked();
        let name = name.trim().to_owned();
        if name == before {
            return;
        }
        let id = context.worksheet.with_value(|worksheet| worksheet.id.clone());
        context.is_renaming.set(true);
        spawn_local(async move {
            match rename_worksheet(id, name.clone()).await {
                Ok(()) => _ = context.name.try_set(name),
                Err(error) => {
                    context.name.try_set(before);
                    toast(error.0.message);
                }
            }
            context.is_renaming.try_set(false);
        });
    };
    view! {
        <input
            class="sheet-name"
            aria-label=tr!(worksheet.name)
            maxlength="128"
            autocomplete="off"
            spellcheck="false"
            value=context.name.get_untracked()
            prop:value=context.name
            on:change:target=move |event| rename(event.target().value())
            on:keydown:target=move |event| if event.key() == "Enter" { _ = event.target().blur() }
        />
    }
}

#[component]
fn SaveMark() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    view! {
        <span class="flex items-center gap-1 whitespace-nowrap text-muted" role="status">
            {move || match context.autosave.state.get() {
                SaveState::Saved if context.is_renaming.get() => tr!(worksheet.saving).into_any(),
                SaveState::Saved => tr!(worksheet.saved).into_any(),
                SaveState::Saving => tr!(worksheet.saving).into_any(),
                SaveState::Failed(_) | SaveState::Conflict(_) => view! {
                    <Icon name="triangle-alert" small=true class="text-warning"/>{tr!(worksheet.not_saved_short)}
                }.into_any(),
            }}
        </span>
    }
}

/// What SET changed, and the way back.
#[component]
fn SessionMenu() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let n_settings = move || context.session.with(|session| session.settings.len());
    let reset = move |_| {
        let id = context.worksheet.with_value(|worksheet| worksheet.id.clone());
        spawn_local(async move {
            match reset_session(id).await {
                Ok(worksheet) => {
                    context.session.try_set(worksheet.session);
                    toast(tr!(worksheet.session_reset));
                }
                Err(error) => toast(error.0.message),
            }
        });
    };
    view! {
        <Menu
            id="session-menu"
            class="btn btn-ghost text-sm"
            label=tr!(worksheet.session)
            trigger=move || view! {
                <Icon name="settings-2" small=true/>
                <span>{tr!(worksheet.session)}</span>
                {move || (n_settings() > 0).then(|| view! { <span class="tag h-4">{n_settings()}</span> })}
                <Icon name="chevron-down" small=true/>
            }
        >
            {move || if n_settings() == 0 {
                view! { <p class="pop-note">{tr!(worksheet.session_plain)}</p> }.into_any()
            } else {
                view! {
                    <dl class="pop-note max-w-96 font-mono">
                        {context.session.get().settings.into_iter().map(|(key, value)| view! {
                            <div class="flex gap-1 whitespace-pre-wrap"><dt>{key}"="</dt><dd class="min-w-0 break-all text-base-content">{value}</dd></div>
                        }).collect_view()}
                    </dl>
                }.into_any()
            }}
            <hr/>
            <button type="button" on:click=reset><Icon name="rotate-ccw" small=true/>{tr!(worksheet.reset_session)}</button>
        </Menu>
    }
}

/// Binds the worksheet to another project: with a new session.
pub fn bind(context: SheetContext, project: String) {
    let id = context.worksheet.with_value(|worksheet| worksheet.id.clone());
    spawn_local(async move {
        match set_worksheet_project(id, project.clone()).await {
            Ok(worksheet) => {
                context.session.try_set(worksheet.session);
                toast(tr!(worksheet.bound, project = project).to_string());
            }
            Err(error) => toast(error.0.message),
        }
    });
}

/// Project and schema of the session.
#[component]
fn PlaceMenu() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let project = Memo::new(move |_| context.session.with(|session| session.project.to_string()));
    let schema = Memo::new(move |_| context.session.with(|session| session.schema.clone()));
    let names = move |place: Place| match context.catalog.get(&place) {
        Some(Names::Names(names)) => names.to_vec(),
        _ => Vec::new(),
    };
    let use_schema = move |name: &str| {
        // What the menu does is what one would type, and is seen as such.
        context.running.start_script(format!("USE SCHEMA {};", quoted(name)), 0);
    };
    let label = Signal::derive(move || format!("{}: {}.{}", tr!(worksheet.place), project.get(), schema.get()));
    Effect::new(move |_| {
        context.catalog.load(Place::Projects);
        context.catalog.load(Place::Schemas { project: project.get() });
    });
    view! {
        <Menu
            id="place-menu"
            class="btn btn-ghost text-sm"
            label
            trigger=move || view! {
                <Icon name="database" small=true/>
                <span class="max-w-56 truncate font-mono">{move || format!("{}.{}", project.get(), schema.get())}</span>
                <Icon name="chevron-down" small=true/>
            }
        >
            <p class="pop-note">{tr!(frame.schema)}</p>
            <For each=move || names(Place::Schemas { project: project.get() }) key=Clone::clone let:name>
                <button
                    type="button"
                    class="font-mono text-sm"
                    aria-pressed={
                        let name = name.clone();
                        move || if schema.get() == name { "true" } else { "false" }
                    }
                    on:click={
                        let name = name.clone();
                        move |_| use_schema(&name)
                    }
                >
                    <Icon name="database" small=true class="text-muted"/>{name.clone()}
                </button>
            </For>
            <hr/>
            <p class="pop-note">{tr!(frame.project)}</p>
            <For each=move || names(Place::Projects) key=Clone::clone let:name>
                <button
                    type="button"
                    class="font-mono text-sm"
                    aria-pressed={
                        let name = name.clone();
                        move || if project.get() == name { "true" } else { "false" }
                    }
                    on:click={
                        let name = name.clone();
                        move |_| if project.get_untracked() != name { bind(context, name.clone()) }
                    }
                >
                    <Icon name="boxes" small=true class="text-muted"/>{name.clone()}
                </button>
            </For>
        </Menu>
    }
}

/// Run, its other form, and the way to stop.
#[component]
fn RunButtons() -> impl IntoView {
    let context = expect_context::<SheetContext>();
    let running = context.running;
    let is_busy = Memo::new(move |_| running.is_busy());
    view! {
        <Show
            when=move || is_busy.get()
            fallback=move || view! {
                <span class="join ml-1">
                    <button type="button" class="btn btn-primary join-item" title=tr!(worksheet.run_title) on:click=move |_| context.run_here()>
                        <Icon name="play" small=true/>{tr!(worksheet.run)}<kbd class="text-xs opacity-90">"Ctrl ↵"</kbd>
                    </button>
                    <Menu
                        id="run-menu"
                        class="btn btn-primary btn-square join-item border-l-primary-content/30 text-primary-content"
                        label=tr!(worksheet.run_more)
                        trigger=|| view! { <Icon name="chevron-down" small=true/> }
                    >
                        <button type="button" on:click=move |_| context.run_here()>
                            {tr!(worksheet.run_statement)}<kbd class="kbd ml-auto">"Ctrl ↵"</kbd>
                        </button>
                        <button type="button" on:click=move |_| context.run_all()>
                            {tr!(worksheet.run_all)}<kbd class="kbd ml-auto">"Ctrl Shift ↵"</kbd>
                        </button>
                    </Menu>
                </span>
            }
        >
            <button
                type="button"
                class="btn ml-1"
                aria-busy=move || running.is_cancelling.get().then_some("true")
                on:click=move |_| running.cancel()
            >
                <Spinner/>{tr!(worksheet.cancel)}<kbd class="kbd">"Esc Esc"</kbd>
            </button>
        </Show>
    }
}
