//! External projects: the list, the wizard, the details.

mod create;
mod detail;
mod edit;
mod list;
mod review;

pub use create::ProjectNewPage;
pub use detail::ProjectPage;
pub use list::ProjectsPage;
