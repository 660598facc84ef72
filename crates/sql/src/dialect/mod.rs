//! The dialect: text in, typed statements out. Nothing here looks a name up or touches data.

pub mod ast;
pub mod types;

pub use ast::*;
pub use types::SqlType;

use ports::sql_engine::UnparsedStatement;

/// The statements of a script up to the first that is none, and what is wrong with that one.
pub fn parse(script: &str) -> (Vec<ParsedStatement>, Option<UnparsedStatement>) {
    let _ = script;
    (Vec::new(), None)
}
