//! What stands in the place of data: nothing yet, loading, refused, failed.

use super::chip::Tone;
use super::copy::CopyButton;
use super::icon::{Icon, Spinner};
use crate::error::ApiError;
use crate::{routes, tr};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use model::problem::{ErrorCode, Problem};

/// One sentence and the one action that fills the list.
#[component]
pub fn EmptyState(
    icon: &'static str,
    #[prop(into)] title: String,
    #[prop(into, optional)] about: Option<String>,
    /// The buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <div class="max-w-80 text-center">
                <span class="empty-icon"><Icon name=icon/></span>
                <p class="name mt-3">{title}</p>
                {about.map(|about| view! { <p class="mt-0.5 text-muted">{about}</p> })}
                {children.map(|children| view! { <div class="mt-3 flex justify-center gap-2">{children()}</div> })}
            </div>
        </div>
    }
}

/// Rows in the shape of the list that is coming: after 150 ms, with a word after 2 s and a way out after 5 s.
#[component]
pub fn Skeleton(
    #[prop(default = 4)] rows: usize,
    /// What is being done, e.g. `Listing oss://…`.
    #[prop(into, optional)]
    text: MaybeProp<String>,
    /// Offered after 5 s.
    #[prop(into, optional)]
    on_cancel: Option<Callback<()>>,
) -> impl IntoView {
    let row = || view! { <div class="skel-row"><i class="w-24"></i><i class="w-16"></i><i class="w-8"></i><i class="w-20"></i></div> };
    view! {
        <div class="skel" aria-busy="true">
            <p class="skel-text" role="status"><Spinner/>{move || text.get().unwrap_or_else(|| tr!(frame.loading).to_owned())}{cancel_button(on_cancel)}</p>
            <div aria-hidden="true">{std::iter::repeat_with(row).take(rows).collect_view()}</div>
        </div>
    }
}

/// The button that ends a long wait; it is not there before 5 s have gone by.
pub fn cancel_button(on_cancel: Option<Callback<()>>) -> Option<AnyView> {
    on_cancel.map(|on_cancel| {
        view! { <button type="button" class="btn skel-cancel ml-2 h-6 text-sm" on:click=move |_| on_cancel.run(())>{tr!(frame.cancel)}</button> }
            .into_any()
    })
}

/// What a page shows that was tired of waiting. The answer is shown all the same should it come.
#[component]
fn Waiting(rows: usize, text: MaybeProp<String>, is_given_up: RwSignal<bool>, on_retry: Callback<()>) -> impl IntoView {
    let retry = move |()| {
        is_given_up.set(false);
        on_retry.run(());
    };
    move || {
        if is_given_up.get() {
            view! { <ProblemView problem=stopped_waiting() on_retry=retry/> }.into_any()
        } else {
            view! { <Skeleton rows text on_cancel=move |()| is_given_up.set(true)/> }.into_any()
        }
    }
}

/// The wait was cancelled; nothing is known about what was waited for.
pub fn stopped_waiting() -> Problem {
    Problem::new(ErrorCode::Unavailable, tr!(problem.stopped_waiting))
}

/// Shows what a resource brings: a skeleton until it is there, the problem if it failed.
#[component]
pub fn Load<T: Clone + Send + Sync + 'static>(
    resource: Resource<Result<T, ApiError>>,
    #[prop(default = 4)] rows: usize,
    #[prop(into, optional)] text: MaybeProp<String>,
    /// What failed, e.g. `The tables cannot be listed`.
    #[prop(into, optional)]
    title: Option<String>,
    /// How the value is shown.
    children: Callback<(T,), AnyView>,
) -> impl IntoView
where
    Result<T, ApiError>: serde::Serialize + serde::de::DeserializeOwned,
{
    let is_given_up = RwSignal::new(false);
    let on_retry = Callback::new(move |()| resource.refetch());
    view! {
        <Transition fallback=move || view! { <Waiting rows text is_given_up on_retry/> }>
            {move || {
                let title = title.clone();
                resource.get().map(|loaded| match loaded {
                    Ok(value) => children.run((value,)),
                    Err(error) => view! {
                        <ProblemView problem=error.0 title=title on_retry/>
                    }.into_any(),
                })
            }}
        </Transition>
    }
}

/// A failure in the place of what could not be shown: title, cause, cure, request id; never a stack trace.
#[component]
pub fn ProblemView(
    problem: Problem,
    #[prop(into, optional)] title: Option<Option<String>>,
    #[prop(into, optional)] on_retry: Option<Callback<()>>,
) -> impl IntoView {
    match problem.code {
        ErrorCode::Forbidden => view! { <Denied problem on_retry/> }.into_any(),
        ErrorCode::Unauthenticated => view! { <SignedOut/> }.into_any(),
        ErrorCode::Invalid
        | ErrorCode::NotFound
        | ErrorCode::AlreadyExists
        | ErrorCode::Conflict
        | ErrorCode::LimitExceeded
        | ErrorCode::Unavailable
        | ErrorCode::Unsupported
        | ErrorCode::Internal => view! { <Failed problem title=title.flatten() on_retry/> }.into_any(),
    }
}

/// The kind of a failure, in the words of the page.
pub fn problem_title(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Invalid => tr!(problem.invalid),
        ErrorCode::Unauthenticated => tr!(problem.unauthenticated),
        ErrorCode::Forbidden => tr!(problem.forbidden),
        ErrorCode::NotFound => tr!(problem.not_found),
        ErrorCode::AlreadyExists => tr!(problem.already_exists),
        ErrorCode::Conflict => tr!(problem.conflict),
        ErrorCode::LimitExceeded => tr!(problem.limit_exceeded),
        ErrorCode::Unavailable => tr!(problem.unavailable),
        ErrorCode::Unsupported => tr!(problem.unsupported),
        ErrorCode::Internal => tr!(problem.internal),
    }
}

#[component]
fn Failed(problem: Problem, title: Option<String>, on_retry: Option<Callback<()>>) -> impl IntoView {
    let title = title.unwrap_or_else(|| problem_title(problem.code).to_owned());
    let details =
        [Some(title.clone()), Some(problem.message.clone()), problem.hint.clone(), problem.request_id.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n");
    view! {
        <div class="p-4" role="alert">
            <p class="name flex items-center gap-2"><Icon name=Tone::Bad.icon() class="text-error"/>{title}</p>
            <dl class="kv mt-2 pl-6">
                <dt>{tr!(problem.cause)}</dt><dd>{problem.message}</dd>
                {problem.hint.map(|hint| view! { <dt>{tr!(problem.cure)}</dt><dd>{hint}</dd> })}
                {problem.request_id.map(|id| view! { <dt>{tr!(problem.request)}</dt><dd class="mono">{id}</dd> })}
            </dl>
            <div class="mt-4 flex flex-wrap gap-2 pl-6">
                {on_retry.map(|on_retry| view! {
                    <button type="button" class="btn" on:click=move |_| on_retry.run(())><Icon name="refresh-cw" small=true/>{tr!(frame.try_again)}</button>
                })}
                <CopyButton text=details label=tr!(problem.copy_details) words=true/>
            </div>
        </div>
    }
}

/// The exact sentence, and who can help.
#[component]
fn Denied(problem: Problem, on_retry: Option<Callback<()>>) -> impl IntoView {
    let message = problem.message.clone();
    view! {
        <div class="mx-auto max-w-4xl p-4 pt-8">
            <div class="flex items-start gap-3">
                <span class="empty-icon m-0"><Icon name="lock"/></span>
                <div class="min-w-0">
                    <h2>{tr!(problem.denied_title)}</h2>
                    <p class="mt-0.5 text-muted">{problem.hint.unwrap_or_else(|| tr!(problem.denied_hint).to_owned())}</p>
                </div>
            </div>
            <pre class="sql denied" role="alert"><span class="grow">{problem.message}</span><CopyButton text=message label=tr!(problem.copy_message)/></pre>
            <p class="mt-4 flex items-center gap-4 text-sm text-muted">
                {problem.request_id.map(|id| view! { <span>{tr!(problem.request)}" "<span class="font-mono">{id}</span></span> })}
                {on_retry.map(|on_retry| view! {
                    <button type="button" class="btn" on:click=move |_| on_retry.run(())><Icon name="refresh-cw" small=true/>{tr!(problem.check_again)}</button>
                })}
            </p>
        </div>
    }
}

/// The session ended while the page was open: what is typed stays, and a link leads back here after signing in.
#[component]
fn SignedOut() -> impl IntoView {
    let location = use_location();
    let href = move || {
        let query = location.search.get();
        let path = location.pathname.get();
        routes::sign_in_then(&if query.is_empty() { path } else { format!("{path}?{query}") })
    };
    view! {
        <div class="p-4" role="alert">
            <p class="name flex items-center gap-2"><Icon name="lock"/>{tr!(problem.unauthenticated)}</p>
            <p class="mt-1 pl-6 text-muted">{tr!(problem.session_ended)}</p>
            // Leaves the application: the session cookie comes with a whole page.
            <a class="btn btn-primary mt-3 ml-6" rel="external" href=href>{tr!(frame.sign_in)}</a>
        </div>
    }
}
