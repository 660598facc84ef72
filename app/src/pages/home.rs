//! Home: what to do first, and later what was done last.

use crate::api::home::{Home, load_home};
use crate::api::worksheet::CreateWorksheet;
use crate::components::time;
use crate::layout::use_frame;
use crate::ui::pane::PageTitle;
use crate::ui::{Button, ButtonKind, Chip, Icon, LinkButton, Load, Note, Pane, Tone};
use crate::{routes, tr};
use leptos::form::ActionForm;
use leptos::prelude::*;
use model::data_source::DataSource;
use model::external_project::{ExternalProject, ProjectState};
use model::worksheet::WorksheetSummary;

/// The project that the first start makes.
const SAMPLE: &str = "sample";
/// What the first worksheet holds: the rows that the seed ends with.
const SAMPLE_SQL: &str = "SET odps.sql.allow.fullscan=true;\nSELECT * FROM sample.default.test_tbl;\n";

#[component]
pub fn HomePage() -> impl IntoView {
    let home = Resource::new(|| (), |()| load_home());
    let show = |(home,): (Home,)| {
        if home.worksheets.is_empty() {
            view! { <FirstRun home/> }.into_any()
        } else {
            view! { <Overview home/> }.into_any()
        }
    };
    view! {
        <div class="page">
            <PageTitle title=tr!(frame.home)/>
            <Load resource=home children=Callback::new(show)/>
        </div>
    }
}

#[component]
fn FirstRun(home: Home) -> impl IntoView {
    let has_sample = home.projects.iter().any(|project| project.name.as_str() == SAMPLE);
    view! {
        <div class="mx-auto max-w-5xl pt-10">
            <h1 class="text-2xl leading-tight">{tr!(home.running)}</h1>
            <p class="mt-1.5 text-muted">{tr!(home.running_about)}</p>
            <PasswordNote/>
            <div class="mt-7 grid grid-cols-[repeat(auto-fit,minmax(20rem,1fr))] gap-4">
                {has_sample.then(|| view! { <SampleCard/> })}
                <section class="pane flex flex-col" aria-labelledby="connect">
                    <div class="p-4 pb-3">
                        <h2 id="connect" class="flex items-center gap-2"><Icon name="plug-zap" class="text-muted"/>{tr!(home.connect)}</h2>
                        <p class="mt-1 text-muted">{tr!(home.connect_about)}</p>
                    </div>
                    <ul class="mx-4 mb-4 divide-y divide-line rounded-md border border-line">
                        <li class="flex h-7 items-center gap-2 px-3"><Icon name="hard-drive" small=true/>{tr!(home.connect_local)}</li>
                        <li class="flex h-7 items-center gap-2 px-3"><Icon name="cloud" small=true/>{tr!(home.connect_bucket)}</li>
                    </ul>
                    <div class="mt-auto p-4 pt-0">
                        <LinkButton href=routes::DATA_SOURCE_NEW>{tr!(home.create_source)}</LinkButton>
                    </div>
                </section>
            </div>
            <HelpLinks/>
        </div>
    }
}

/// One key chord away from rows: the worksheet opens with the statement typed.
#[component]
fn SampleCard() -> impl IntoView {
    let create = ServerAction::<CreateWorksheet>::new();
    view! {
        <section class="pane flex flex-col border-primary!" aria-labelledby="sample">
            <div class="p-4 pb-3">
                <h2 id="sample" class="flex items-center gap-2"><Icon name="square-terminal" class="text-primary"/>{tr!(home.sample)}</h2>
                <p class="mt-1 text-muted">{tr!(home.sample_about)}</p>
            </div>
            <pre class="sql mx-4 mb-4 rounded-md border border-line bg-base-200 px-3 py-2 text-sm leading-5">
                <span class="k">"SET"</span>" odps.sql.allow.fullscan="<span class="n">"true"</span>";\n"
                <span class="k">"SELECT"</span>" * "<span class="k">"FROM"</span>"\n  sample.default.test_tbl;"
            </pre>
            <ActionForm action=create attr:class="mt-auto flex items-center gap-2 p-4 pt-0">
                <input type="hidden" name="project" value=SAMPLE/>
                <input type="hidden" name="text" value=SAMPLE_SQL/>
                <Button kind=ButtonKind::Primary submit=true icon="play" busy=create.pending()>{tr!(home.open_worksheet)}</Button>
                <span class="text-sm text-muted">{tr!(home.then)}" "<kbd class="kbd">"Ctrl"</kbd>" "<kbd class="kbd">"↵"</kbd></span>
            </ActionForm>
        </section>
    }
}

/// Until there is a password, the next sign-in needs a new link.
#[component]
fn PasswordNote() -> impl IntoView {
    let frame = use_frame();
    let is_missing = move || frame.signed_in.get().and_then(Result::ok).is_some_and(|me| !me.has_password);
    view! {
        <Suspense>
            {move || is_missing().then(|| view! {
                <div class="mt-4">
                    <Note tone=Tone::Warning title=tr!(home.no_password)
                        action=|| view! { <LinkButton href=routes::SETTINGS>{tr!(home.choose_password)}</LinkButton> }>
                        {tr!(home.no_password_about)}
                    </Note>
                </div>
            })}
        </Suspense>
    }
}

#[component]
fn HelpLinks() -> impl IntoView {
    view! {
        <p class="mt-4 text-sm text-muted">
            {tr!(home.new_here)}" "
            <a class="act" href=routes::HELP_TYPES>{tr!(frame.help_types)}</a>" · "
            <a class="act" href=routes::HELP_SUPPORT_MATRIX>{tr!(frame.help_support_matrix)}</a>" · "
            <a class="act" href=routes::HELP_KEYBOARD>{tr!(frame.help_keyboard)}</a>
        </p>
    }
}

#[component]
fn Overview(home: Home) -> impl IntoView {
    let frame = use_frame();
    let create = ServerAction::<CreateWorksheet>::new();
    let failing: Vec<DataSource> = home
        .sources
        .iter()
        .filter(|source| source.last_test.as_ref().is_some_and(|test| !test.state.is_connected()))
        .cloned()
        .collect();
    view! {
        <div class="mx-auto max-w-6xl">
            <div class="page-head items-center">
                <h1>{tr!(frame.home)}</h1>
                <ActionForm action=create>
                    <Suspense>
                        {move || frame.project_shown().map(|project| view! { <input type="hidden" name="project" value=project/> })}
                    </Suspense>
                    <Button kind=ButtonKind::Primary submit=true icon="plus" busy=create.pending()>{tr!(home.new_worksheet)}</Button>
                </ActionForm>
            </div>
            <PasswordNote/>
            <div class="home-grid mt-4">
                <div class="min-w-0 space-y-4">
                    <Pane title=tr!(home.recent) actions=|| view! { <a class="act text-sm" href=routes::WORKSHEETS>{tr!(home.all_worksheets)}</a> }>
                        <RecentWorksheets worksheets=home.worksheets/>
                    </Pane>
                    {(!failing.is_empty()).then(|| view! { <Pane title=tr!(home.attention)><FailingSources sources=failing/></Pane> })}
                    <HelpLinks/>
                </div>
                <div class="min-w-0 space-y-4">
                    <Pane title=tr!(home.projects) actions=|| view! { <a class="act text-sm" href=routes::PROJECT_NEW>{tr!(frame.create_project)}</a> }>
                        <Projects projects=home.projects sources=home.sources/>
                    </Pane>
                </div>
            </div>
        </div>
    }
}

#[component]
fn RecentWorksheets(worksheets: Vec<WorksheetSummary>) -> impl IntoView {
    view! {
        <table class="list-table">
            <thead><tr>
                <th scope="col">{tr!(frame.worksheet)}</th>
                <th scope="col">{tr!(frame.project)}</th>
                <th scope="col" class="text-right">{tr!(home.edited)}</th>
            </tr></thead>
            <tbody>
                {worksheets.into_iter().map(|worksheet| view! {
                    <tr>
                        <td><span class="flex items-center gap-2">
                            <Icon name="file-code" small=true/><a class="name" href=routes::worksheet(&worksheet.id)>{worksheet.name}</a>
                        </span></td>
                        <td class="mono text-muted">{worksheet.project.to_string()}</td>
                        <td class="num text-muted">{time::short(worksheet.updated_at)}</td>
                    </tr>
                }).collect_view()}
            </tbody>
        </table>
    }
}

#[component]
fn FailingSources(sources: Vec<DataSource>) -> impl IntoView {
    view! {
        <table class="list-table">
            <thead class="sr-only"><tr><th scope="col">{tr!(home.state)}</th><th scope="col">{tr!(frame.external_data_source)}</th><th scope="col">{tr!(source.col_actions)}</th></tr></thead>
            <tbody>
                {sources.into_iter().map(|source| {
                    let cause = source.last_test.as_ref().and_then(|test| {
                        test.steps.iter().find(|step| step.status == model::probe::ProbeStatus::Failed).map(|step| step.message.clone())
                    });
                    view! {
                        <tr>
                            <td class="w-40"><Chip tone=Tone::Bad>{model::probe::ConnectionState::Unreachable.label()}</Chip></td>
                            <td class="max-w-0 truncate">
                                <a class="name" href=routes::data_source(source.name.as_str())>{source.name.to_string()}</a>" "
                                <span class="text-muted">{cause}</span>
                            </td>
                            <td class="w-0 text-right"><a class="act" href=routes::data_source(source.name.as_str())>{tr!(home.diagnose)}</a></td>
                        </tr>
                    }
                }).collect_view()}
            </tbody>
        </table>
    }
}

#[component]
fn Projects(projects: Vec<ExternalProject>, sources: Vec<DataSource>) -> impl IntoView {
    view! {
        <ul class="divide-y divide-line">
            {projects.into_iter().map(|project| {
                let test = sources.iter().find(|source| source.name == project.server).and_then(|source| source.last_test.as_ref());
                let (tone, word) = match (project.state, test) {
                    (ProjectState::Disabled, _) => (Tone::Unknown, tr!(home.disabled)),
                    (ProjectState::Enabled, None) => (Tone::Unknown, tr!(home.not_tested)),
                    (ProjectState::Enabled, Some(test)) if test.state.is_connected() => (Tone::Ok, test.state.label()),
                    (ProjectState::Enabled, Some(test)) => (Tone::Bad, test.state.label()),
                };
                view! {
                    <li class="flex h-9 items-center gap-2 px-3">
                        <a class="name min-w-0 truncate" title=project.name.to_string() href=routes::project(project.name.as_str())>{project.name.to_string()}</a>
                        <span class="min-w-0 truncate text-sm text-muted">{project.server.to_string()}</span>
                        <span class="ml-auto flex-none"><Chip tone=tone>{word}</Chip></span>
                    </li>
                }
            }).collect_view()}
        </ul>
    }
}
