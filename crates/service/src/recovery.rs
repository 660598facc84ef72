//! What a server that stopped left behind: settled at the next start, truthfully.

use crate::active_run::{ActiveRun, Admitted};
use crate::connection::patiently;
use crate::error::chain;
use crate::statement_error::system_error;
use crate::{Error, Inner, Services};
use model::Timestamp;
use model::names::Id;
use model::worksheet::{Run, StatementRun, StatementState};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::JournalEntry;

const HOUSEKEEPING: Duration = Duration::from_secs(3600);
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// A request of the process that died may still be on its way: "not there" counts when it is said twice.
const SECOND_LOOK: Duration = Duration::from_secs(3);

/// What became of a commit that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Committed(i64),
    NotCommitted,
    /// It can no longer be looked up, and why.
    CannotTell(String),
}

impl Services {
    /// Settles what an earlier process left unfinished, and starts the housekeeping. Call it once, before serving.
    pub async fn recover(&self) -> Result<(), Error> {
        for run in self.store.unfinished_runs().await? {
            self.recover_run(run).await?;
        }
        tokio::spawn(sweep_warehouses(self.clone()));
        tokio::spawn(keep_house(Arc::downgrade(&self.0)));
        Ok(())
    }

    /// What can be told at once is told at once; what the store has to be asked for follows.
    async fn recover_run(&self, mut run: Run) -> Result<(), Error> {
        let mut unsettled = Vec::new();
        for statement in &mut run.statements {
            if statement.state.is_final() {
                continue;
            }
            if self.store.journal(&run.id, statement.index).await?.is_empty() {
                interrupted(statement);
            } else {
                statement.state = StatementState::Unknown;
                unsettled.push(statement.index);
            }
            self.spool.discard(&run.id, statement.index).await;
            self.note_statement(&run.id, statement).await?;
        }
        tracing::info!(run.id = run.id, unsettled = unsettled.len(), "found an unfinished run");
        let id = run.id.clone();
        let active = self.runs.resume(run);
        let guard = Admitted { services: self.clone(), id };
        if unsettled.is_empty() {
            self.finish_run(&active).await;
            return Ok(());
        }
        let services = self.clone();
        tokio::spawn(async move {
            services.settle_all(&active, unsettled).await;
            drop(guard);
        });
        Ok(())
    }

    async fn settle_all(&self, active: &ActiveRun, unsettled: Vec<usize>) {
        for index in unsettled {
            let Some(verdict) = self.settle(active, index).await else { return };
            let Some(mut statement) = active.statement(index) else { return };
            verdict.apply(&mut statement, "when the server stopped");
            if let Err(error) = self.note_statement(&active.id(), &statement).await {
                tracing::error!(run.id = active.id(), error = %chain(&error), "cannot note what became of a statement");
                return;
            }
            active.change(index, |it| *it = statement);
        }
        self.finish_run(active).await;
    }

    /// Looks for the commits that a statement announced, for as long as it takes; `None` when the server stops.
    pub(crate) async fn settle(&self, active: &ActiveRun, position: usize) -> Option<Verdict> {
        let run = &active.id();
        let mut pause = RETRY_FIRST;
        let mut was_missing = false;
        loop {
            let wait = match self.look_for_commit(run, position).await {
                Ok(Verdict::NotCommitted) if !was_missing => {
                    was_missing = true;
                    SECOND_LOOK
                }
                Ok(verdict) => return Some(verdict),
                Err(error) => {
                    tracing::warn!(run.id = run, error = %chain(&error), "cannot look for a commit yet");
                    let why = format!("Still looking for the commit: {}", error.to_problem(run).message);
                    active.change(position, |statement| {
                        statement.notices.retain(|notice| *notice != why);
                        statement.notices.push(why);
                    });
                    pause = (pause * 2).min(RETRY_MAX);
                    pause
                }
            };
            tokio::select! {
                () = active.abandoned().cancelled() => return None,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// The latest commit that was announced and published.
    async fn look_for_commit(&self, run: &Id, position: usize) -> Result<Verdict, Error> {
        let mut found = None;
        for JournalEntry { table, commit_user } in self.store.journal(run, position).await? {
            let Some(project) = self.store.project(table.project.as_str()).await? else {
                return Ok(Verdict::CannotTell(format!("project {} was deleted.", table.project)));
            };
            let connection = self.project_connection(&project).await?;
            let catalog = patiently(self.lake.open(&connection, &project.bucket_catalog)).await?;
            match patiently(catalog.find_commit(&table.schema, &table.table, &commit_user)).await {
                Ok(snapshot) => found = snapshot.or(found),
                Err(Error::Lake(ports::lake::LakeError::NotFound(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found.map_or(Verdict::NotCommitted, Verdict::Committed))
    }

    async fn clean_up(&self) -> Result<(), Error> {
        self.store.delete_expired_sessions().await?;
        let days = i64::try_from(self.config.limits.run_days_max).unwrap_or(i64::MAX / 24);
        let kept_since = Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(days.saturating_mul(24)));
        if let Ok(kept_since) = kept_since {
            let mut tx = self.store.begin().await?;
            tx.delete_runs_before(kept_since).await?;
            tx.commit().await?;
        }
        self.sweep_spool().await
    }

    /// After a run, so that many of them do not outgrow the spool between two rounds of housekeeping.
    pub(crate) fn sweep_spool_now_and_then(&self) {
        if self.spool.is_due() {
            let services = self.clone();
            tokio::spawn(async move {
                if let Err(error) = services.sweep_spool().await {
                    tracing::warn!(error = %chain(&error), "cannot sweep the spool");
                }
            });
        }
    }

    async fn sweep_spool(&self) -> Result<(), Error> {
        let known = self.store.run_ids().await?.into_iter().collect();
        let active = self.runs.ids();
        self.spool.sweep(known, active).await;
        Ok(())
    }
}

impl Verdict {
    /// What became of a statement whose outcome was unknown; `when` it became so, in words.
    pub(crate) fn apply(self, statement: &mut StatementRun, when: &str) {
        match self {
            Self::Committed(snapshot) => {
                statement.state = StatementState::Succeeded;
                statement.snapshot_id = Some(snapshot);
                statement.error = None;
                statement.notices.push(format!("Committed as snapshot {snapshot} {when}."));
            }
            Self::NotCommitted => {
                statement.state = StatementState::Failed;
                let sentence = format!("The statement ended {when}; nothing was written. Run it again.");
                statement.error = Some(*system_error(&sentence));
            }
            Self::CannotTell(why) => {
                statement.state = StatementState::Failed;
                let sentence = format!("The statement ended {when}; whether it was committed cannot be told: {why}");
                statement.error = Some(*system_error(&sentence));
            }
        }
    }
}

/// A statement that announced no commit: what is certain of it.
fn interrupted(statement: &mut StatementRun) {
    let sentence = match statement.state {
        StatementState::Waiting => {
            statement.state = StatementState::Cancelled;
            "The server stopped before this statement began; nothing was done."
        }
        _ if changes_only_by_commit(&statement.verb) => {
            statement.state = StatementState::Failed;
            "The server stopped while this statement ran; nothing was written."
        }
        _ => {
            statement.state = StatementState::Failed;
            "The server stopped while this statement ran; it may have taken effect. Look before you run it again."
        }
    };
    statement.error = Some(*system_error(sentence));
}

/// Whether a statement that announced no commit has certainly changed nothing: it reads, or writes rows only.
fn changes_only_by_commit(verb: &str) -> bool {
    const VERBS: [&str; 17] = [
        "SELECT", "WITH", "VALUES", "FROM", "SHOW", "LIST", "DESC", "DESCRIBE", "EXPLAIN", "SET", "UNSET", "RESET",
        "USE", "INSERT", "UPDATE", "DELETE", "MERGE",
    ];
    let first = verb.split_ascii_whitespace().next().unwrap_or_default();
    VERBS.iter().any(|known| known.eq_ignore_ascii_case(first))
}

/// Removes what writers that died left behind in the warehouses.
async fn sweep_warehouses(services: Services) {
    let projects = match services.store.projects().await {
        Ok(projects) => projects,
        Err(error) => return tracing::warn!(error = %chain(&error), "cannot sweep the warehouses"),
    };
    for project in projects {
        let swept = async {
            let (_, catalog) = services.open_project(project.name.as_str()).await?;
            patiently(catalog.sweep()).await
        };
        match swept.await {
            Ok(0) | Err(Error::ProjectDisabled(_)) => {}
            Ok(files) => tracing::info!(project.name = %project.name, files, "removed what dead writers left"),
            Err(error) => tracing::warn!(project.name = %project.name, error = %chain(&error), "cannot sweep"),
        }
    }
}

/// Ends with the services.
async fn keep_house(services: Weak<Inner>) {
    loop {
        match services.upgrade().map(Services) {
            Some(services) => {
                if let Err(error) = services.clean_up().await {
                    tracing::warn!(error = %chain(&error), "housekeeping failed");
                }
            }
            None => return,
        }
        tokio::time::sleep(HOUSEKEEPING).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_or_commits_is_certain() {
        assert!(changes_only_by_commit("SELECT"));
        assert!(changes_only_by_commit("INSERT OVERWRITE"));
        assert!(!changes_only_by_commit("CREATE TABLE"));
        assert!(!changes_only_by_commit("DROP SCHEMA"));
        assert!(!changes_only_by_commit(""));
    }
}
