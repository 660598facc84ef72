//! Browses a store through the server: folders and warehouses, and a new folder where one is missing.

use crate::api::data_source::{browse, create_folder};
use crate::error::ApiError;
use crate::tr;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::chip::Tag;
use crate::ui::dialog::Dialog;
use crate::ui::icon::{Icon, Spinner};
use crate::ui::states::{ProblemView, cancel_button, stopped_waiting};
use leptos::prelude::*;
use model::data_source::BrowseTarget;
use model::lake::{EntryKind, StoreEntry, StoreListing};

/// A dialog that lists one level of a store at a time; choosing a folder closes it.
#[component]
pub fn StoreBrowser(
    #[prop(into)] id: String,
    open: RwSignal<bool>,
    /// Whose store, asked for when the dialog opens.
    #[prop(into)]
    target: Callback<(), BrowseTarget>,
    /// Where to begin: what is typed so far.
    #[prop(into)]
    start: Signal<String>,
    #[prop(into)] on_choose: Callback<String>,
) -> impl IntoView {
    let listing = RwSignal::new(None::<Result<StoreListing, ApiError>>);
    let at = RwSignal::new(String::new());
    // Only the newest question may answer: a slow listing must not overwrite the folder that is shown now.
    let question = StoredValue::new(0_u32);
    let next = move || {
        question.update_value(|n| *n += 1);
        question.get_value()
    };
    let cancel = Callback::new(move |()| {
        next();
        listing.set(Some(Err(ApiError(stopped_waiting()))));
    });
    let go = Callback::new(move |uri: String| {
        let number = next();
        at.set(uri.clone());
        listing.set(None);
        let target = target.run(());
        leptos::task::spawn_local(async move {
            let answer = browse(target, uri).await;
            if question.try_get_value() == Some(number) {
                listing.set(Some(answer));
            }
        });
    });
    Effect::new(move |_| {
        if open.get() {
            go.run(start.get_untracked());
        }
    });
    view! {
        <Dialog id=id open=open title=tr!(source.browse_title) class="w-[40rem]">
            <div class="dialog-body">
                <p class="mb-2 flex items-center gap-2">
                    {move || listing.with(|l| l.as_ref().and_then(|l| l.as_ref().ok()).and_then(|l| l.parent.clone())).map(|parent| view! {
                        <Button kind=ButtonKind::Ghost icon="arrow-up" label=tr!(source.browse_up) on_click=move |()| go.run(parent.clone())/>
                    })}
                    <span class="min-w-0 truncate font-mono text-sm">
                        {move || if at.with(String::is_empty) { tr!(source.browse_top).to_owned() } else { at.get() }}
                    </span>
                </p>
                <div class="pane h-72 overflow-auto">
                    {move || match listing.get() {
                        None => view! {
                            <p class="flex items-center gap-2 p-3 text-muted" role="status">
                                <Spinner/><span class="min-w-0 truncate">{tr!(source.browse_loading, uri = at.get()).to_string()}</span>{cancel_button(Some(cancel))}
                            </p>
                        }.into_any(),
                        Some(Err(error)) => view! {
                            <ProblemView problem=error.0 on_retry=move |()| go.run(at.get_untracked())/>
                        }.into_any(),
                        Some(Ok(listing)) => view! { <Entries listing go on_choose open/> }.into_any(),
                    }}
                </div>
                <NewFolder at listing target go/>
            </div>
            <div class="dialog-foot">
                <Button on_click=move |()| open.set(false)>{tr!(source.cancel)}</Button>
                <Button
                    kind=ButtonKind::Primary
                    disabled_reason=Signal::derive(move || at.with(String::is_empty).then(|| tr!(source.browse_title).to_owned()))
                    on_click=move |()| {
                        on_choose.run(at.get_untracked());
                        open.set(false);
                    }
                >
                    {tr!(source.browse_choose)}
                </Button>
            </div>
        </Dialog>
    }
}

#[component]
fn Entries(
    listing: StoreListing,
    go: Callback<String>,
    on_choose: Callback<String>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let is_empty = listing.entries.is_empty();
    view! {
        <ul class="pop-menu">
            {listing.entries.into_iter().map(|entry| view! { <EntryRow entry go on_choose open/> }).collect_view()}
        </ul>
        {is_empty.then(|| view! { <p class="p-3 text-muted">{tr!(source.browse_empty)}</p> })}
        {listing.truncated.then(|| view! { <p class="px-3 pb-3 text-sm text-muted">{tr!(source.browse_truncated)}</p> })}
    }
}

#[component]
fn EntryRow(
    entry: StoreEntry,
    go: Callback<String>,
    on_choose: Callback<String>,
    open: RwSignal<bool>,
) -> impl IntoView {
    let (icon, kind) = match entry.kind {
        EntryKind::Bucket => ("hard-drive", tr!(source.entry_bucket)),
        EntryKind::Folder => ("folder", tr!(source.entry_folder)),
        EntryKind::Warehouse => ("boxes", tr!(source.entry_warehouse)),
        EntryKind::Schema => ("database", tr!(source.entry_schema)),
        EntryKind::Table => ("table-2", tr!(source.entry_table)),
        EntryKind::File => ("file-text", tr!(source.entry_file)),
    };
    let is_file = entry.kind == EntryKind::File;
    let is_warehouse = entry.kind == EntryKind::Warehouse;
    let (uri, chosen) = (entry.uri.clone(), entry.uri);
    view! {
        <li>
            {if is_file {
                view! { <span class="flex min-w-0 grow items-center gap-2 text-muted"><Icon name=icon small=true/><span class="truncate font-mono text-sm">{entry.name}</span></span> }.into_any()
            } else {
                view! {
                    <button type="button" class="flex min-w-0 grow items-center gap-2 text-left" on:click=move |_| go.run(uri.clone())>
                        <Icon name=icon small=true class="text-muted"/>
                        <span class="truncate font-mono text-sm">{entry.name}</span>
                    </button>
                }.into_any()
            }}
            {(!matches!(entry.kind, EntryKind::Folder | EntryKind::File)).then(|| view! { <Tag>{kind}</Tag> })}
            {is_warehouse.then(|| view! {
                <Button class="ml-2 h-6" on_click=move |()| { on_choose.run(chosen.clone()); open.set(false); }>{tr!(source.browse_choose)}</Button>
            })}
        </li>
    }
}

/// Makes a folder below the one that is shown, or a bucket at the top.
#[component]
fn NewFolder(
    at: RwSignal<String>,
    listing: RwSignal<Option<Result<StoreListing, ApiError>>>,
    target: Callback<(), BrowseTarget>,
    go: Callback<String>,
) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<String>);
    let is_busy = RwSignal::new(false);
    // The scheme of a bucket follows from the buckets that are there; an empty store is an object store of unknown name.
    let new_uri = move || {
        let (at, name) = (at.get_untracked(), name.get_untracked().trim().trim_matches('/').to_owned());
        if at.is_empty() {
            let scheme = match target.run(()) {
                BrowseTarget::Draft(draft) if draft.storage == "oss" => "oss",
                BrowseTarget::Draft(_) | BrowseTarget::Stored(_) => listing
                    .with_untracked(|l| {
                        l.as_ref()
                            .and_then(|l| l.as_ref().ok())
                            .and_then(|l| l.entries.first().map(|e| e.uri.starts_with("oss:")))
                    })
                    .map_or("s3", |is_oss| if is_oss { "oss" } else { "s3" }),
            };
            format!("{scheme}://{name}/")
        } else {
            format!("{}/{name}/", at.trim_end_matches('/'))
        }
    };
    let make = move |()| {
        if name.with_untracked(|name| name.trim().is_empty()) || is_busy.get_untracked() {
            return;
        }
        let uri = new_uri();
        let target = target.run(());
        is_busy.set(true);
        problem.set(None);
        leptos::task::spawn_local(async move {
            match create_folder(target, uri.clone()).await {
                Ok(()) => {
                    name.set(String::new());
                    go.run(uri);
                }
                Err(error) => problem.set(Some(error.0.message)),
            }
            is_busy.set(false);
        });
    };
    // No form of its own: the dialog stands inside the page's form, and forms do not nest.
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" && !event.is_composing() {
            event.prevent_default();
            make(());
        }
    };
    view! {
        <div class="mt-3 flex items-center gap-2">
            <label class="sr-only" for="new-folder">{tr!(source.browse_new_name)}</label>
            <input
                id="new-folder"
                class="input font-mono text-sm"
                autocomplete="off"
                spellcheck="false"
                placeholder=tr!(source.browse_new_name)
                prop:value=move || name.get()
                on:input:target=move |event| name.set(event.target().value())
                on:keydown=on_key
            />
            <Button icon="plus" busy=is_busy on_click=make>
                {move || if at.with(String::is_empty) { tr!(source.browse_new_bucket) } else { tr!(source.browse_new_folder) }}
            </Button>
        </div>
        {move || problem.get().map(|problem| view! {
            <p class="hint is-bad" role="alert"><Icon name="circle-x"/><span>{problem}</span></p>
        })}
    }
}
