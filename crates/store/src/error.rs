//! Why the metadata store could not do it. The words are for operators; users get those of the service.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the data directory `{}` is in use by another lakedeck process; stop that one or choose another --data-dir",
        .0.display()
    )]
    InUse(PathBuf),
    #[error(
        "the master key `{}` is missing, but the database holds credentials sealed with it; restore the key from your \
         backup",
        .0.display()
    )]
    KeyMissing(PathBuf),
    #[error(
        "the master key `{}` is not the one that the database was made with; restore the key from your backup",
        .0.display()
    )]
    KeyWrong(PathBuf),
    #[error("the master key `{}` is damaged: it must be 64 hexadecimal digits", .0.display())]
    KeyMalformed(PathBuf),
    #[error("the master key `{path}` can be read by other users; run: chmod 600 {path}", path = .0.display())]
    KeyExposed(PathBuf),
    #[error("the database was written by a newer version of lakedeck (migration {0}); start that version")]
    NewerSchema(i64),
    #[error("the database `{}` is damaged; restore it from your backup", .path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    /// A name that must be unique exists already.
    #[error("{0} is taken")]
    Taken(Unique),
    /// A sealed value does not open: it was moved between rows, or changed.
    #[error("the sealed value `{0}` cannot be opened")]
    Unsealable(String),
    /// A row that this version cannot read.
    #[error("{what} in the database cannot be read: {why}")]
    Unreadable { what: &'static str, why: String },
    #[error("cannot {doing} `{}`", .path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the metadata database failed")]
    Database(#[from] sqlx::Error),
    #[error("a migration of the metadata database failed")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

/// What the database keeps unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    DataSourceName,
    ProjectName,
    EngineCatalogName,
}

impl std::fmt::Display for Unique {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::DataSourceName => "the data source name",
            Self::ProjectName => "the project name",
            Self::EngineCatalogName => "the engine catalog name",
        })
    }
}

impl Error {
    /// The unique index that a write ran into, by the column that SQLite names.
    pub(crate) fn on_unique(source: sqlx::Error) -> Self {
        let column =
            source.as_database_error().filter(|error| error.is_unique_violation()).map(|error| error.message());
        let unique = column.and_then(|message| {
            [
                ("data_source.name", Unique::DataSourceName),
                ("external_project.name", Unique::ProjectName),
                ("external_project.engine_catalog", Unique::EngineCatalogName),
            ]
            .into_iter()
            .find_map(|(column, unique)| message.ends_with(column).then_some(unique))
        });
        unique.map_or(Self::Database(source), Self::Taken)
    }

    pub(crate) fn unreadable(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Unreadable { what, why: why.to_string() }
    }
}
