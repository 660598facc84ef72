//! Worksheets: saved texts, each with its own session.

use crate::error::Noun;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Resource};
use model::external_project::ProjectState;
use model::names::{Id, ProjectName, clean};
use model::problem::Broken;
use model::session::SqlSession;
use model::worksheet::{Run, Worksheet, WorksheetSummary};
use std::collections::HashSet;
use store::Tx;

const NAME_CHARS_MAX: usize = 128;

impl Services {
    /// The worksheets of the person who asks, the last changed first.
    pub async fn list_worksheets(&self, ctx: &RequestContext) -> Result<Vec<WorksheetSummary>, Error> {
        self.authorize(ctx, Action::Read, Resource::Worksheets).await?;
        Ok(self.store.worksheets(&ctx.principal).await?)
    }

    pub async fn worksheet(&self, ctx: &RequestContext, id: &Id) -> Result<Worksheet, Error> {
        self.authorize(ctx, Action::Read, Resource::Worksheet(id.clone())).await?;
        self.own_worksheet(ctx, id).await
    }

    /// A new worksheet. Without a project it is bound to that of the worksheet changed last, or to the first enabled
    /// one; without a name it is numbered.
    pub async fn create_worksheet(
        &self,
        ctx: &RequestContext,
        project: Option<&str>,
        name: Option<&str>,
        text: &str,
    ) -> Result<Worksheet, Error> {
        self.authorize(ctx, Action::Create, Resource::Worksheets).await?;
        self.check_text(text)?;
        let project = match project {
            Some(name) => self.stored_project(name).await?.name,
            None => self.usual_project(ctx).await?,
        };
        let name = name.map(worksheet_name).transpose()?;
        let mut tx = self.store.begin().await?;
        let max = self.config.limits.worksheets_max;
        if tx.count_worksheets(&ctx.principal).await? >= max {
            return Err(Error::LimitExceeded(format!("You have {max} worksheets already. Delete some first.")));
        }
        let name = match name {
            Some(name) => name,
            None => numbered(&tx.worksheet_names(&ctx.principal).await?),
        };
        let worksheet = tx.insert_worksheet(&ctx.principal, &name, text, &SqlSession::new(project)).await?;
        tx.audit(&ctx.did(Action::Create, &Resource::Worksheet(worksheet.id.clone()), name)).await?;
        tx.commit().await?;
        Ok(worksheet)
    }

    /// Saves the text that was edited from `version`; the new version.
    pub async fn save_worksheet_text(
        &self,
        ctx: &RequestContext,
        id: &Id,
        text: &str,
        version: i64,
    ) -> Result<i64, Error> {
        self.authorize(ctx, Action::Modify, Resource::Worksheet(id.clone())).await?;
        self.check_text(text)?;
        let mut tx = self.store.begin().await?;
        let worksheet = own(&mut tx, ctx, id).await?;
        if worksheet.version != version {
            let by = ctx.principal.short_name().to_owned();
            return Err(Error::Changed { by, at: worksheet.updated_at });
        }
        // Saved with every keystroke: the audit log would hold nothing else.
        let version = tx.set_worksheet_text(id, text).await?;
        tx.commit().await?;
        Ok(version)
    }

    pub async fn rename_worksheet(&self, ctx: &RequestContext, id: &Id, name: &str) -> Result<(), Error> {
        let resource = Resource::Worksheet(id.clone());
        self.authorize(ctx, Action::Modify, resource.clone()).await?;
        let name = worksheet_name(name)?;
        let mut tx = self.store.begin().await?;
        let worksheet = own(&mut tx, ctx, id).await?;
        tx.set_worksheet_name(id, &name).await?;
        tx.audit(&ctx.did(Action::Modify, &resource, format!("renamed `{}` to `{name}`", worksheet.name))).await?;
        Ok(tx.commit().await?)
    }

    /// Binds the worksheet to another project, with a new session.
    pub async fn set_worksheet_project(
        &self,
        ctx: &RequestContext,
        id: &Id,
        project: &str,
    ) -> Result<Worksheet, Error> {
        let resource = Resource::Worksheet(id.clone());
        self.authorize(ctx, Action::Modify, resource.clone()).await?;
        self.authorize(ctx, Action::Read, Resource::ExternalProject(project.into())).await?;
        let project = self.stored_project(project).await?.name;
        self.refuse_while_running(id)?;
        let mut tx = self.store.begin().await?;
        own(&mut tx, ctx, id).await?;
        tx.set_worksheet_session(id, &SqlSession::new(project.clone())).await?;
        tx.audit(&ctx.did(Action::Modify, &resource, format!("bound to project {project}"))).await?;
        let worksheet = own(&mut tx, ctx, id).await?;
        tx.commit().await?;
        Ok(worksheet)
    }

    /// Forgets what SET and USE changed.
    pub async fn reset_session(&self, ctx: &RequestContext, id: &Id) -> Result<(), Error> {
        self.authorize(ctx, Action::Modify, Resource::Worksheet(id.clone())).await?;
        self.refuse_while_running(id)?;
        let mut tx = self.store.begin().await?;
        let worksheet = own(&mut tx, ctx, id).await?;
        tx.set_worksheet_session(id, &SqlSession::new(worksheet.session.project)).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes the worksheet and cancels what it runs; the runs stay in the history.
    pub async fn delete_worksheet(&self, ctx: &RequestContext, id: &Id) -> Result<(), Error> {
        let resource = Resource::Worksheet(id.clone());
        self.authorize(ctx, Action::Delete, resource.clone()).await?;
        let mut tx = self.store.begin().await?;
        let worksheet = own(&mut tx, ctx, id).await?;
        tx.delete_worksheet(id).await?;
        tx.audit(&ctx.did(Action::Delete, &resource, worksheet.name)).await?;
        tx.commit().await?;
        if let Some(run) = self.runs.of_worksheet(id) {
            run.cancel();
        }
        Ok(())
    }

    /// Runs statements of a worksheet in its session. `script` is the part of its text that begins at byte
    /// `base_offset`: places in the answer are those of the whole text.
    pub async fn run_worksheet(
        &self,
        ctx: &RequestContext,
        id: &Id,
        script: &str,
        base_offset: usize,
    ) -> Result<Run, Error> {
        self.authorize(ctx, Action::Run, Resource::Worksheet(id.clone())).await?;
        let worksheet = self.own_worksheet(ctx, id).await?;
        self.start_run(ctx, Some(id.clone()), worksheet.session, script, base_offset).await
    }

    /// Runs statements without a worksheet: what scripts and the connection tool do. The session of the answer may
    /// be handed in again.
    pub async fn run_statements(
        &self,
        ctx: &RequestContext,
        project: &str,
        script: &str,
        after: Option<&Id>,
    ) -> Result<Run, Error> {
        self.authorize(ctx, Action::Run, Resource::ExternalProject(project.into())).await?;
        let project = self.stored_project(project).await?;
        if project.state == ProjectState::Disabled {
            return Err(Error::ProjectDisabled(project.name.to_string()));
        }
        let session = match after {
            Some(after) => self.run(ctx, after).await?.session,
            None => SqlSession::new(project.name.clone()),
        };
        if session.project != project.name {
            let message = format!("That run's session is bound to the project {}.", session.project);
            return Err(Error::field("after", "other_project", &message));
        }
        self.start_run(ctx, None, session, script, 0).await
    }

    pub(crate) async fn own_worksheet(&self, ctx: &RequestContext, id: &Id) -> Result<Worksheet, Error> {
        self.store.worksheet(&ctx.principal, id).await?.ok_or_else(|| Error::not_found(Noun::Worksheet, id))
    }

    async fn usual_project(&self, ctx: &RequestContext) -> Result<ProjectName, Error> {
        let projects = self.store.projects().await?;
        let known: HashSet<&ProjectName> = projects.iter().map(|project| &project.name).collect();
        let worksheets = self.store.worksheets(&ctx.principal).await?;
        if let Some(last) = worksheets.into_iter().find(|worksheet| known.contains(&worksheet.project)) {
            return Ok(last.project);
        }
        let first = projects.into_iter().find(|project| project.state == ProjectState::Enabled);
        first.map(|project| project.name).ok_or_else(|| Error::Field {
            field: "project",
            code: "no_project",
            message: "There is no external project yet.".into(),
            hint: Some("Create one under Projects first.".into()),
        })
    }

    fn check_text(&self, text: &str) -> Result<(), Error> {
        let max = self.config.limits.script_bytes_max;
        if text.len() > max {
            return Err(Error::LimitExceeded(format!("A worksheet holds at most {} MB of text.", max >> 20)));
        }
        Ok(())
    }

    fn refuse_while_running(&self, id: &Id) -> Result<(), Error> {
        match self.runs.of_worksheet(id) {
            Some(_) => Err(Error::WorksheetBusy),
            None => Ok(()),
        }
    }
}

async fn own(tx: &mut Tx, ctx: &RequestContext, id: &Id) -> Result<Worksheet, Error> {
    tx.worksheet(&ctx.principal, id).await?.ok_or_else(|| Error::not_found(Noun::Worksheet, id))
}

fn worksheet_name(text: &str) -> Result<String, Error> {
    let checked = clean(text).and_then(|name| match name.chars().count() {
        0 => Err(Broken::new("required", "This field is required.")),
        count if count > NAME_CHARS_MAX => {
            Err(Broken::new("worksheet_name", format!("At most {NAME_CHARS_MAX} characters.")))
        }
        _ => Ok(name),
    });
    checked.map_err(Error::broken("name"))
}

/// `Worksheet 1`, or the first number that is free.
fn numbered(taken: &[String]) -> String {
    let taken: HashSet<&str> = taken.iter().map(String::as_str).collect();
    (1..).map(|n| format!("Worksheet {n}")).find(|name| !taken.contains(name.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_from_the_first_gap() {
        let check = |taken: &[&str], expected: &str| {
            let taken: Vec<String> = taken.iter().map(ToString::to_string).collect();
            assert_eq!(numbered(&taken), expected);
        };
        check(&[], "Worksheet 1");
        check(&["Worksheet 1", "Worksheet 3", "x"], "Worksheet 2");
    }
}
