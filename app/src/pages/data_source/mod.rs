//! External data sources: the list, the form, the details.

mod create;
mod detail;
mod edit;
mod list;

pub use create::{AnsweredWithoutScript, DataSourceNewPage};
pub use detail::DataSourcePage;
pub use list::DataSourcesPage;
