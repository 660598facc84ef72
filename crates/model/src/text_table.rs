//! The text form of results: what the connection tool prints, to the character.

use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Narrowest column.
const WIDTH_MIN: usize = 10;

/// Widest column; a longer value is cut and ends with `…`.
const WIDTH_MAX: usize = 200;

/// A table in a box. Columns are as wide as what they show, so every row is measured before the first is printed.
#[derive(Clone, Debug)]
pub struct TextTable {
    header: Vec<String>,
    widths: Vec<usize>,
}

impl TextTable {
    pub fn new<S: AsRef<str>>(header: &[S]) -> Self {
        let header: Vec<String> = header.iter().map(|name| shown(name.as_ref())).collect();
        let widths = header.iter().map(|name| name.width().max(WIDTH_MIN)).collect();
        Self { header, widths }
    }

    /// Widens the columns for a row; `None` is NULL.
    pub fn measure<S: AsRef<str>>(&mut self, row: &[Option<S>]) {
        for (width, cell) in self.widths.iter_mut().zip(row) {
            *width = (*width).max(cell.as_ref().map_or(0, |text| shown(text.as_ref()).width()));
        }
    }

    /// `+----+` with the line's end.
    pub fn border(&self) -> String {
        let mut line = String::from("+");
        for width in &self.widths {
            line.extend(std::iter::repeat_n('-', width + 2));
            line.push('+');
        }
        line.push('\n');
        line
    }

    /// Border, names, border.
    pub fn head(&self) -> String {
        let names = self.line(self.header.iter().map(String::as_str));
        format!("{border}{names}{border}", border = self.border())
    }

    /// One measured row with the line's end.
    pub fn row<S: AsRef<str>>(&self, row: &[Option<S>]) -> String {
        let cells: Vec<String> =
            row.iter().map(|cell| cell.as_ref().map_or("NULL".into(), |c| shown(c.as_ref()))).collect();
        self.line(cells.iter().map(String::as_str))
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>) -> String {
        let mut line = String::from("|");
        for (cell, width) in cells.zip(&self.widths) {
            line.push(' ');
            push_padded(&mut line, cell, *width);
            line.push_str(" |");
        }
        line.push('\n');
        line
    }

    /// A whole small table.
    pub fn render<S: AsRef<str>>(header: &[S], rows: &[Vec<Option<S>>]) -> String {
        let mut table = Self::new(header);
        rows.iter().for_each(|row| table.measure(row));
        let mut text = table.head();
        rows.iter().for_each(|row| text.push_str(&table.row(row)));
        text.push_str(&table.border());
        text
    }
}

/// A value on one line, at most [`WIDTH_MAX`] wide. Control characters are written as escapes, so that the box holds.
fn shown(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(4 * WIDTH_MAX));
    let mut width = 0;
    // Where the value is cut if it proves too long: room for `…` is kept.
    let mut cut = 0;
    for c in text.chars() {
        let before = line.len();
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if c.is_control() => write!(line, "\\u{:04X}", u32::from(c)).expect("a string takes everything"),
            c => line.push(c),
        }
        width += if c.is_control() { line.len() - before } else { c.width().unwrap_or(0) };
        if width < WIDTH_MAX {
            cut = line.len();
        }
        if width > WIDTH_MAX {
            line.truncate(cut);
            line.push('…');
            return line;
        }
    }
    line
}

fn push_padded(line: &mut String, text: &str, width: usize) {
    line.push_str(text);
    line.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width())));
}

/// SHOW SCHEMAS, SHOW TABLES, SHOW PARTITIONS: one entry a line, and the empty line before `OK`.
pub fn list<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> String {
    let mut text: String = lines.into_iter().map(|line| format!("{}\n", line.as_ref())).collect();
    text.push('\n');
    text
}

/// What DESC prints about a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableDescription {
    pub owner: String,
    pub project: String,
    pub schema: String,
    pub comment: String,
    /// `yyyy-MM-dd HH:mm:ss` in the session's zone; empty when unknown.
    pub created_at: String,
    pub last_ddl_at: String,
    pub last_modified_at: String,
    pub size_bytes: u64,
    pub columns: Vec<DescribedColumn>,
    pub partition_columns: Vec<DescribedColumn>,
    /// Lines of `Extended Info:`; their presence makes it DESC EXTENDED.
    pub extended: Option<Vec<(String, String)>>,
}

/// A column as DESC prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedColumn {
    pub name: String,
    pub data_type: String,
    pub label: String,
    pub nullable: bool,
    pub default: Option<String>,
    pub comment: String,
}

/// Inner width of the DESC box, where no line needs more.
const BOX_WIDTH_MIN: usize = 84;

/// Lines in a box that is as wide as its widest line.
#[derive(Default)]
struct TextBox {
    /// `None` is a border.
    lines: Vec<Option<String>>,
}

impl TextBox {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(Some(line.into()));
    }

    fn border(&mut self) {
        self.lines.push(None);
    }

    fn render(&self) -> String {
        let widest = self.lines.iter().flatten().map(|line| line.width() + 2).max().unwrap_or(0);
        let width = widest.max(BOX_WIDTH_MIN);
        let mut text = String::new();
        for line in &self.lines {
            match line {
                None => text.push_str(&format!("+{}+\n", "-".repeat(width))),
                Some(line) => {
                    text.push_str("| ");
                    push_padded(&mut text, line, width - 2);
                    text.push_str(" |\n");
                }
            }
        }
        text
    }
}

impl TableDescription {
    /// The box of DESC.
    pub fn render(&self) -> String {
        let mut text = TextBox::default();
        let section = |text: &mut TextBox, lines: &[(&str, &str)]| {
            lines.iter().for_each(|(label, value)| text.line(format!("{label:<25} {}", shown(value))));
            text.border();
        };
        text.border();
        let identity = [
            ("Owner:", self.owner.as_str()),
            ("Project:", self.project.as_str()),
            ("Schema:", self.schema.as_str()),
            ("TableComment:", self.comment.as_str()),
        ];
        section(&mut text, &identity);
        let times = [
            ("CreateTime:", self.created_at.as_str()),
            ("LastDDLTime:", self.last_ddl_at.as_str()),
            ("LastModifiedTime:", self.last_modified_at.as_str()),
        ];
        section(&mut text, &times);
        text.line(format!("{:<23} | Size: {}", "InternalTable: NO", self.size_bytes));
        text.border();
        self.push_columns(&mut text, "Native Columns:", &self.columns);
        if !self.partition_columns.is_empty() {
            self.push_columns(&mut text, "Partition Columns:", &self.partition_columns);
        }
        if let Some(extended) = &self.extended {
            text.line("Extended Info:");
            text.border();
            let lines: Vec<(String, &str)> =
                extended.iter().map(|(label, value)| (format!("{label}:"), value.as_str())).collect();
            let lines: Vec<(&str, &str)> = lines.iter().map(|(label, value)| (label.as_str(), *value)).collect();
            section(&mut text, &lines);
        }
        text.render()
    }

    fn push_columns(&self, text: &mut TextBox, title: &str, columns: &[DescribedColumn]) {
        text.line(title);
        text.border();
        let (header, minimum): (Vec<&str>, &[usize]) = if self.extended.is_some() {
            let names = vec!["Field", "Type", "Label", "ExtendedLabel", "Nullable", "DefaultValue", "Comment"];
            (names, &[8, 6, 5, 13, 8, 12, 0])
        } else {
            (vec!["Field", "Type", "Label", "Comment"], &[15, 10, 5, 0])
        };
        let rows: Vec<Vec<String>> = columns
            .iter()
            .map(|column| {
                let mut cells = vec![shown(&column.name), shown(&column.data_type), shown(&column.label)];
                if self.extended.is_some() {
                    cells.push(String::new());
                    cells.push(column.nullable.to_string());
                    cells.push(column.default.as_deref().map_or("NULL".into(), shown));
                }
                cells.push(shown(&column.comment));
                cells
            })
            .collect();
        let widths: Vec<usize> = (0..header.len())
            .map(|index| rows.iter().map(|row| row[index].width()).max().unwrap_or(0).max(minimum[index]))
            .collect();
        let line = |cells: &[&str]| {
            let mut line = String::new();
            for (index, cell) in cells.iter().enumerate() {
                if index > 0 {
                    line.push_str(" | ");
                }
                // The last column is padded by the box.
                push_padded(&mut line, cell, if index + 1 < cells.len() { widths[index] } else { 0 });
            }
            line
        };
        text.line(line(&header));
        text.border();
        for row in &rows {
            text.line(line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        text.border();
    }
}

/// DESC SCHEMA.
pub fn schema_description(name: &str, comment: &str, owner: &str, created_at: &str, location: &str) -> String {
    let lines =
        [("Name", name), ("Comment", comment), ("Owner", owner), ("CreateTime", created_at), ("Location", location)];
    lines
        .iter()
        .map(|(label, value)| format!("{:<26}{}\n", format!("{label}:"), shown(value)).replace(" \n", "\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &[&str], rows: &[&[Option<&str>]], expected: &str) {
        let rows: Vec<Vec<Option<&str>>> = rows.iter().map(|row| row.to_vec()).collect();
        let expected: String = expected.lines().map(|line| format!("{}\n", line.trim_start())).collect();
        assert_eq!(TextTable::render(header, &rows), expected);
    }

    #[test]
    fn seed_table() {
        check(
            &["id", "name"],
            &[&[Some("101"), Some("Zhang San")], &[Some("102"), Some("Li Si")]],
            "+------------+------------+
             | id         | name       |
             +------------+------------+
             | 101        | Zhang San  |
             | 102        | Li Si      |
             +------------+------------+",
        );
    }

    #[test]
    fn empty_null_and_wide() {
        check(
            &["a"],
            &[],
            "+------------+
             | a          |
             +------------+
             +------------+",
        );
        check(
            &["a", "a_longer_header"],
            &[&[None, Some("")], &[Some("中文字符宽度"), Some("x\ny\t\u{1}")]],
            "+--------------+-----------------+
             | a            | a_longer_header |
             +--------------+-----------------+
             | NULL         |                 |
             | 中文字符宽度 | x\\ny\\t\\u0001    |
             +--------------+-----------------+",
        );
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shown(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(shown(&"x".repeat(201)), format!("{}…", "x".repeat(199)));
        assert_eq!(shown(&"中".repeat(100)), "中".repeat(100));
        assert_eq!(shown(&"中".repeat(101)), format!("{}…", "中".repeat(99)));
        assert_eq!(shown(&"\n".repeat(5000)).chars().count(), 199);
    }

    #[test]
    fn lists() {
        assert_eq!(list(["default", "testschema"]), "default\ntestschema\n\n");
        assert_eq!(list::<&str>([]), "\n");
    }

    #[test]
    fn description() {
        let column = |name: &str, data_type: &str| DescribedColumn {
            name: name.into(),
            data_type: data_type.into(),
            nullable: true,
            ..DescribedColumn::default()
        };
        let mut description = TableDescription {
            owner: "acs:ram::1:root".into(),
            project: "ext".into(),
            schema: "default".into(),
            size_bytes: 42,
            columns: vec![column("id", "bigint"), column("data", "string")],
            partition_columns: vec![column("dt", "string")],
            ..TableDescription::default()
        };
        let text = description.render();
        assert!(text.lines().all(|line| line.width() == BOX_WIDTH_MIN + 2), "{text}");
        for expected in [
            "| Owner:                    acs:ram::1:root",
            "| InternalTable: NO       | Size: 42  ",
            "| Field           | Type       | Label | Comment                                     |",
            "| id              | bigint     |       |                                             |",
            "| Partition Columns:  ",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        description.extended = Some(vec![("Bucket".into(), "3".into())]);
        description.columns.push(column("s", "struct<a:int,b:array<string>>"));
        let text = description.render();
        let width = text.lines().next().map_or(0, UnicodeWidthStr::width);
        assert!(width > BOX_WIDTH_MIN + 2 && text.lines().all(|line| line.width() == width), "{text}");
        for expected in [
            "| Field    | Type                          | Label | ExtendedLabel | Nullable | DefaultValue | Comment |",
            "| s        | struct<a:int,b:array<string>> |       |               | true     | NULL         |  ",
            "| Bucket:                   3 ",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }
}
