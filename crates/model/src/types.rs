//! How the types of Paimon, SQL, Arrow and Flink correspond, and what can be done with each: the data of the type
//! mapping page (S4).

/// What works with a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeSupport {
    /// Columns of it are created, read and written.
    ReadWrite,
    /// Columns made by other engines are read; they cannot be written here.
    Read,
    /// A name that CREATE TABLE accepts for another type.
    Ddl,
    /// Exists in expressions; cannot be stored.
    Expression,
    /// Other columns of the table stay readable.
    None,
}

impl TypeSupport {
    pub fn can_read(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Read)
    }

    pub fn can_write(self) -> bool {
        self == Self::ReadWrite
    }
}

/// What else is to be known about a type; worded where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeNote {
    SuffixY,
    SuffixS,
    SuffixL,
    Decimal,
    Char,
    Varchar,
    String,
    Binary,
    Date,
    Time,
    TimestampNtz,
    TimestampLtz,
    Map,
    Struct,
    Multiset,
    Variant,
    ReadsAs,
    Unreadable,
    Datetime,
    Interval,
    Json,
    BareDecimal,
}

/// One row of the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeMapping {
    /// `None` for names that exist in SQL only.
    pub paimon: Option<&'static str>,
    /// What CREATE TABLE accepts and DESC prints; `None` where SQL has no name for it.
    pub sql: Option<&'static str>,
    pub arrow: Option<&'static str>,
    pub flink: Option<&'static str>,
    pub support: TypeSupport,
    pub note: Option<TypeNote>,
}

const fn row(
    paimon: &'static str,
    sql: &'static str,
    arrow: &'static str,
    flink: &'static str,
    support: TypeSupport,
    note: Option<TypeNote>,
) -> TypeMapping {
    TypeMapping {
        paimon: Some(paimon),
        sql: if sql.is_empty() { None } else { Some(sql) },
        arrow: if arrow.is_empty() { None } else { Some(arrow) },
        flink: if flink.is_empty() { None } else { Some(flink) },
        support,
        note,
    }
}

const fn sql_only(
    sql: &'static str,
    arrow: Option<&'static str>,
    flink: Option<&'static str>,
    support: TypeSupport,
    note: TypeNote,
) -> TypeMapping {
    TypeMapping { paimon: None, sql: Some(sql), arrow, flink, support, note: Some(note) }
}

/// Every type, simple ones first.
pub const TYPES: &[TypeMapping] = {
    use TypeNote as Note;
    use TypeSupport::{Ddl, Expression, None as Unsupported, Read, ReadWrite};
    &[
        row("BOOLEAN", "BOOLEAN", "Boolean", "BOOLEAN", ReadWrite, None),
        row("TINYINT", "TINYINT", "Int8", "TINYINT", ReadWrite, Some(Note::SuffixY)),
        row("SMALLINT", "SMALLINT", "Int16", "SMALLINT", ReadWrite, Some(Note::SuffixS)),
        row("INT", "INT", "Int32", "INT", ReadWrite, None),
        row("BIGINT", "BIGINT", "Int64", "BIGINT", ReadWrite, Some(Note::SuffixL)),
        row("FLOAT", "FLOAT", "Float32", "FLOAT", ReadWrite, None),
        row("DOUBLE", "DOUBLE", "Float64", "DOUBLE", ReadWrite, None),
        row("DECIMAL(p,s)", "DECIMAL(p,s)", "Decimal128(p,s)", "DECIMAL(p,s)", ReadWrite, Some(Note::Decimal)),
        row("CHAR(n)", "CHAR(n)", "Utf8", "CHAR(n)", ReadWrite, Some(Note::Char)),
        row("VARCHAR(n)", "VARCHAR(n)", "Utf8", "VARCHAR(n)", ReadWrite, Some(Note::Varchar)),
        row("VARCHAR(2147483647)", "STRING", "Utf8", "STRING", ReadWrite, Some(Note::String)),
        row("BINARY(n)", "BINARY", "Binary", "BINARY(n)", ReadWrite, None),
        row("VARBINARY(n), BYTES", "BINARY", "Binary", "VARBINARY(n), BYTES", ReadWrite, Some(Note::Binary)),
        row("DATE", "DATE", "Date32", "DATE", ReadWrite, Some(Note::Date)),
        row("TIME(p)", "", "Time32(ms)", "TIME(p)", Read, Some(Note::Time)),
        row("TIMESTAMP(p)", "TIMESTAMP_NTZ(p)", "Timestamp(unit)", "TIMESTAMP(p)", ReadWrite, Some(Note::TimestampNtz)),
        row(
            "TIMESTAMP(p) WITH LOCAL TIME ZONE",
            "TIMESTAMP(p)",
            "Timestamp(unit, UTC)",
            "TIMESTAMP_LTZ(p)",
            ReadWrite,
            Some(Note::TimestampLtz),
        ),
        row("ARRAY<t>", "ARRAY<t>", "List(element)", "ARRAY<t>", ReadWrite, None),
        row("MAP<k,v>", "MAP<k,v>", "Map(entries: key, value)", "MAP<k,v>", ReadWrite, Some(Note::Map)),
        row("ROW<f t, …>", "STRUCT<f:t, …>", "Struct", "ROW<f t, …>", ReadWrite, Some(Note::Struct)),
        row("MULTISET<t>", "", "Map<t, Int32>", "MULTISET<t>", Read, Some(Note::Multiset)),
        row("VARIANT", "JSON", "Struct(value, metadata)", "VARIANT", Read, Some(Note::Variant)),
        row("BLOB", "BINARY", "LargeBinary", "BYTES", Read, Some(Note::ReadsAs)),
        row("VECTOR<t,n>", "ARRAY<t>", "FixedSizeList", "ARRAY<t>", Read, Some(Note::ReadsAs)),
        row("GEOMETRY, GEOGRAPHY", "", "", "", Unsupported, Some(Note::Unreadable)),
        sql_only("DATETIME", Some("Timestamp(ms, UTC)"), Some("TIMESTAMP_LTZ(3)"), Ddl, Note::Datetime),
        sql_only("INTERVAL", Some("Interval"), Some("INTERVAL"), Expression, Note::Interval),
        sql_only("JSON", None, None, Ddl, Note::Json),
        sql_only("DECIMAL", Some("Decimal128(38,18)"), Some("DECIMAL(38,18)"), Ddl, Note::BareDecimal),
    ]
};

impl TypeMapping {
    /// Whether one of the names contains the text, whatever its case.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        [self.paimon, self.sql, self.arrow, self.flink]
            .into_iter()
            .flatten()
            .any(|name| name.to_lowercase().contains(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&'static str> {
        TYPES.iter().filter(|row| row.matches(text)).filter_map(|row| row.paimon.or(row.sql)).collect()
    }

    #[test]
    fn search() {
        assert_eq!(found(" tinyint"), ["TINYINT"]);
        assert_eq!(found("ltz"), ["TIMESTAMP(p) WITH LOCAL TIME ZONE", "DATETIME"]);
        assert_eq!(found("").len(), TYPES.len());
        assert!(found("uuid").is_empty());
    }

    #[test]
    fn what_cannot_be_written_is_explained() {
        for row in TYPES {
            assert!(row.support.can_write() || row.note.is_some(), "{row:?}");
        }
    }
}
