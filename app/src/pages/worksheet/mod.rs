//! Worksheets: the list, and the page in which one types and runs SQL.

mod autosave;
mod completion;
mod context_bar;
mod error_panel;
mod explorer;
mod history;
mod list;
mod results;
mod running;
mod sheet;
mod table_card;
mod text_view;

pub use list::WorksheetsPage;
pub use sheet::WorksheetPage;
