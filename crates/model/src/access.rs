//! Who may do what to which thing. Control plane and data plane are separate families of resources.

use crate::names::Id;
use crate::table::TableRef;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who acts: `acs:ram::<account>:root` or `acs:ram::<account>:user/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Principal(String);

impl Principal {
    /// The owner of an account of 1–20 digits.
    pub fn root(account: &str) -> Self {
        Self(format!("acs:ram::{account}:root"))
    }

    /// A principal as it was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0.ends_with(":root")
    }

    /// The account: `124` of `acs:ram::124:root`.
    pub fn account(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }

    /// The short name for the user menu: `root` or the user's name.
    pub fn short_name(&self) -> &str {
        self.0.rsplit([':', '/']).next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What someone wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    // Control plane.
    Create,
    Read,
    Modify,
    Delete,
    Test,
    Run,
    // Data plane.
    Select,
    Insert,
    Alter,
    Drop,
    List,
}

/// What it is done to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Resource {
    // Control plane.
    DataSources,
    DataSource(String),
    ExternalProjects,
    ExternalProject(String),
    Worksheets,
    Worksheet(Id),
    Statements,
    // Data plane.
    Catalog(String),
    Schema { project: String, schema: String },
    Table(TableRef),
}

impl Resource {
    /// The kind and the name under which the audit log knows it.
    pub fn kind_and_name(&self) -> (&'static str, String) {
        match self {
            Self::DataSources => ("data_source", "*".into()),
            Self::DataSource(name) => ("data_source", name.clone()),
            Self::ExternalProjects => ("external_project", "*".into()),
            Self::ExternalProject(name) => ("external_project", name.clone()),
            Self::Worksheets => ("worksheet", "*".into()),
            Self::Worksheet(id) => ("worksheet", id.clone()),
            Self::Statements => ("statement", "*".into()),
            Self::Catalog(project) => ("catalog", project.clone()),
            Self::Schema { project, schema } => ("schema", format!("{project}.{schema}")),
            Self::Table(table) => ("table", table.to_string()),
        }
    }
}

/// One thing that a statement needs: an action on a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Access {
    pub action: Action,
    pub resource: Resource,
}

/// The person behind a session, for the page's frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    pub principal: Principal,
    /// Until a password was chosen, the next sign-in needs a new link.
    pub has_password: bool,
}
