//! Parts that know the domain and serve two pages or more.

pub mod audit;
pub mod data_source_fields;
pub mod form_state;
pub mod notice;
pub mod probe_panel;
pub mod store_browser;
pub mod table_tree;
pub mod time;
