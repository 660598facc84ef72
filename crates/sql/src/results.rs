//! Results: spooled once as an Arrow IPC file, then paged, shown and exported from there.

use crate::convert::too_long_decimal;
use crate::display::{self, Zone};
use crate::error::{Class, failed};
use arrow::array::{Array, RecordBatch};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::CompressionType;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use model::text_table::TextTable;
use model::worksheet::{Cell, ResultColumn, ResultPage};
use ports::sql_engine::{ExportFormat, SqlError, StatementLimits};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Rows of one batch in the spool: what one page reads at most beyond its own rows.
const BATCH_ROWS: usize = 4_096;
/// A cell longer than this is cut in the grid, characters.
const CELL_CHARS: usize = 1_000;
/// A page is cut when its texts reach this size, so that wide rows cannot fill the memory.
const PAGE_BYTES: usize = 16 << 20;
/// Size of the pieces in which exports are streamed.
const CHUNK_BYTES: usize = 64 << 10;
/// Pieces that wait for a slow receiver.
const CHUNKS_WAITING: usize = 8;

/// Key of the file's metadata: rows up to the end of each batch.
const ROWS: &str = "lakedeck.rows";
/// Key of the file's metadata: the zone in which the statement ran, and in which its result is shown.
const ZONE: &str = "lakedeck.zone";
/// Key of the file's metadata: how the text form looks.
const FORM: &str = "lakedeck.form";

/// The text form of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A bordered table.
    Table,
    /// One row a line, then an empty line: `SHOW …`.
    List,
    /// Exactly this text: `DESC …`.
    Text(String),
}

impl Form {
    fn stored(&self) -> String {
        match self {
            Self::Table => "table".into(),
            Self::List => "list".into(),
            Self::Text(text) => format!("text:{text}"),
        }
    }

    fn parse(stored: Option<&String>) -> Self {
        match stored.map(String::as_str) {
            Some("list") => Self::List,
            Some(text) if text.starts_with("text:") => Self::Text(text["text:".len()..].into()),
            _ => Self::Table,
        }
    }
}

/// The columns of a result as the grid's head shows them.
pub(crate) fn result_columns(schema: &SchemaRef) -> Vec<ResultColumn> {
    let column = |field: &Arc<arrow::datatypes::Field>| ResultColumn {
        name: field.name().clone(),
        data_type: display::sql_type(field),
        is_number: display::is_number(field.data_type()),
    };
    schema.fields().iter().map(column).collect()
}

/// What was spooled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spooled {
    pub rows: u64,
    pub bytes: u64,
    /// The sentence that says at which limit the result was cut.
    pub truncated: Option<String>,
}

/// Takes the rows of a result until a limit is reached.
pub(crate) struct SpoolWriter {
    writer: FileWriter<CountingWriter>,
    coalescer: BatchCoalescer,
    limits: StatementLimits,
    rows: u64,
    row_ends: Vec<u64>,
    truncated: Option<String>,
}

impl SpoolWriter {
    /// Begins a spool at a path where no file exists yet.
    pub(crate) fn create(path: &Path, schema: &SchemaRef, limits: StatementLimits) -> Result<Self, SqlError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(spool_error)?;
        }
        let file = File::create_new(path).map_err(spool_error)?;
        let options =
            IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).map_err(spool_error)?;
        let output = CountingWriter { inner: BufWriter::new(file), bytes: 0 };
        let writer = FileWriter::try_new_with_options(output, schema, options).map_err(spool_error)?;
        let coalescer = BatchCoalescer::new(Arc::clone(schema), BATCH_ROWS);
        Ok(Self { writer, coalescer, limits, rows: 0, row_ends: Vec::new(), truncated: None })
    }

    /// Takes rows; `false` once a limit is reached and no more are wanted.
    pub(crate) fn push(&mut self, batch: RecordBatch) -> Result<bool, SqlError> {
        let left = self.limits.result_rows.saturating_sub(self.rows);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX);
        let batch = if batch.num_rows() > wanted {
            self.truncated = Some(format!("The result was cut at {} rows.", grouped(self.limits.result_rows)));
            batch.slice(0, wanted)
        } else {
            batch
        };
        if batch.columns().iter().any(|column| too_long_decimal(column).is_some()) {
            return Err(failed(Class::Data, "a decimal of the result has more digits than its type, at most 38"));
        }
        self.rows += batch.num_rows() as u64;
        self.coalescer.push_batch(batch).map_err(spool_error)?;
        self.write_completed()?;
        if self.bytes() > self.limits.result_bytes {
            let size = size_text(self.limits.result_bytes);
            self.truncated = Some(format!("The result was cut at {size}."));
        }
        Ok(self.truncated.is_none())
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.writer.get_ref().bytes
    }

    fn write_completed(&mut self) -> Result<(), SqlError> {
        while let Some(batch) = self.coalescer.next_completed_batch() {
            let before = self.row_ends.last().copied().unwrap_or(0);
            self.row_ends.push(before + batch.num_rows() as u64);
            self.writer.write(&batch).map_err(spool_error)?;
        }
        Ok(())
    }

    /// Completes the file.
    pub(crate) fn finish(mut self, form: &Form, zone_name: &str) -> Result<Spooled, SqlError> {
        self.coalescer.finish_buffered_batch().map_err(spool_error)?;
        self.write_completed()?;
        let row_ends = serde_json::to_string(&self.row_ends).map_err(spool_error)?;
        self.writer.write_metadata(ROWS, row_ends);
        self.writer.write_metadata(FORM, form.stored());
        self.writer.write_metadata(ZONE, zone_name);
        self.writer.finish().map_err(spool_error)?;
        self.writer.get_mut().flush().map_err(spool_error)?;
        Ok(Spooled { rows: self.rows, bytes: self.bytes(), truncated: self.truncated })
    }
}

fn spool_error(error: impl std::fmt::Display) -> SqlError {
    failed(Class::Internal, format!("cannot write the result: {error}"))
}

/// `10,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.0 GiB`, `512 MiB`.
pub(crate) fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

struct CountingWriter {
    inner: BufWriter<File>,
    bytes: u64,
}

impl Write for CountingWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A finished spool, opened for reading. All of it blocks: call from a thread that may.
pub(crate) struct Spool {
    reader: FileReader<BufReader<File>>,
    row_ends: Vec<u64>,
    form: Form,
    zone: Zone,
    path: PathBuf,
}

impl Spool {
    pub(crate) fn open(path: &Path) -> Result<Self, SqlError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => failed(Class::Internal, "the result is no longer kept; run the statement again"),
            _ => read_error(error),
        })?;
        let reader = FileReader::try_new(BufReader::new(file), None).map_err(read_error)?;
        let metadata = reader.custom_metadata();
        let row_ends = metadata.get(ROWS).map_or(Ok(Vec::new()), |text| serde_json::from_str(text));
        let row_ends = row_ends.map_err(read_error)?;
        let form = Form::parse(metadata.get(FORM));
        let zone = metadata.get(ZONE).and_then(|name| Zone::parse(name)).unwrap_or_default();
        Ok(Self { reader, row_ends, form, zone, path: path.into() })
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }

    fn row_count(&self) -> u64 {
        self.row_ends.last().copied().unwrap_or(0)
    }

    /// The batch that holds a row, and the row's place in it.
    fn seek(&mut self, row: u64) -> Result<Option<usize>, SqlError> {
        if row >= self.row_count() {
            return Ok(None);
        }
        let batch = self.row_ends.partition_point(|end| *end <= row);
        let start = if batch == 0 { 0 } else { self.row_ends[batch - 1] };
        self.reader.set_index(batch).map_err(read_error)?;
        Ok(Some(usize::try_from(row - start).unwrap_or(usize::MAX)))
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, SqlError> {
        self.reader.next().transpose().map_err(read_error)
    }

    pub(crate) fn page(&mut self, offset: u64, count: u64) -> Result<ResultPage, SqlError> {
        let zone = self.zone;
        let mut rows = Vec::new();
        let mut bytes = 0;
        if let Some(mut skip) = self.seek(offset)? {
            'page: while let Some(batch) = self.next()? {
                for row in skip..batch.num_rows() {
                    if rows.len() as u64 >= count || bytes > PAGE_BYTES {
                        break 'page;
                    }
                    let cells: Vec<Cell> = batch.columns().iter().map(|c| cell(c.as_ref(), row, zone)).collect();
                    bytes += cells.iter().map(cell_bytes).sum::<usize>();
                    rows.push(cells);
                }
                skip = 0;
                if rows.len() as u64 >= count {
                    break;
                }
            }
        }
        Ok(ResultPage { offset, rows, row_count: self.row_count() })
    }

    pub(crate) fn whole_cell(&mut self, row: u64, column: usize) -> Result<Cell, SqlError> {
        let missing = || failed(Class::Internal, format!("the result has no row {row}, column {column}"));
        let place = self.seek(row)?.ok_or_else(missing)?;
        let batch = self.next()?.ok_or_else(missing)?;
        let array = batch.columns().get(column).ok_or_else(missing)?;
        Ok(display::value_text(array.as_ref(), place, self.zone).map_or(Cell::Null, Cell::Text))
    }

    /// Calls `each` with every batch from the first on.
    fn for_each(&mut self, mut each: impl FnMut(&RecordBatch) -> io::Result<()>) -> io::Result<()> {
        self.reader
            .set_index(0)
            .or_else(|error| if self.row_ends.is_empty() { Ok(()) } else { Err(error) })
            .map_err(io::Error::other)?;
        if self.row_ends.is_empty() {
            return Ok(());
        }
        for batch in self.reader.by_ref() {
            each(&batch.map_err(io::Error::other)?)?;
        }
        Ok(())
    }

    /// The form of the seeds, without `ID = …` and `OK`.
    fn write_text(mut self, out: &mut dyn Write) -> io::Result<()> {
        let zone = self.zone;
        match self.form.clone() {
            Form::Text(text) => out.write_all(text.as_bytes()),
            Form::List => {
                self.for_each(|batch| {
                    (0..batch.num_rows()).try_for_each(|row| {
                        let cells = texts(batch, row, zone).into_iter().map(|c| c.unwrap_or_else(|| "NULL".into()));
                        writeln!(out, "{}", cells.collect::<Vec<_>>().join(" "))
                    })
                })?;
                writeln!(out)
            }
            Form::Table => self.write_table(out),
        }
    }

    fn write_table(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let zone = self.zone;
        let schema = self.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut table = TextTable::new(&names);
        self.for_each(|batch| {
            (0..batch.num_rows()).for_each(|row| table.measure(&texts(batch, row, zone)));
            Ok(())
        })?;
        out.write_all(table.head().as_bytes())?;
        self.for_each(|batch| {
            (0..batch.num_rows()).try_for_each(|row| out.write_all(table.row(&texts(batch, row, zone)).as_bytes()))
        })?;
        out.write_all(table.border().as_bytes())
    }

    /// RFC 4180 with a byte order mark, so that spreadsheets read UTF-8.
    fn write_csv(mut self, out: &mut dyn Write) -> io::Result<()> {
        let zone = self.zone;
        out.write_all("\u{feff}".as_bytes())?;
        let schema = self.schema();
        let names: Vec<String> = schema.fields().iter().map(|field| csv_field(field.name(), true)).collect();
        write!(out, "{}\r\n", names.join(","))?;
        self.for_each(|batch| {
            for row in 0..batch.num_rows() {
                for (column, array) in batch.columns().iter().enumerate() {
                    if column > 0 {
                        out.write_all(b",")?;
                    }
                    if let Some(text) = display::value_text(array.as_ref(), row, zone) {
                        let may_compute = !display::is_number(array.data_type());
                        out.write_all(csv_field(&text, may_compute).as_bytes())?;
                    }
                }
                out.write_all(b"\r\n")?;
            }
            Ok(())
        })
    }

    /// An array of objects, one a line.
    fn write_json(mut self, out: &mut dyn Write) -> io::Result<()> {
        let zone = self.zone;
        let schema = self.schema();
        let names =
            schema.fields().iter().map(|field| serde_json::to_string(field.name())).collect::<Result<Vec<_>, _>>()?;
        out.write_all(b"[")?;
        let mut first = true;
        self.for_each(|batch| {
            for row in 0..batch.num_rows() {
                out.write_all(if first { b"\n" } else { b",\n" })?;
                first = false;
                out.write_all(b"{")?;
                for (column, array) in batch.columns().iter().enumerate() {
                    let comma = if column > 0 { "," } else { "" };
                    write!(out, "{comma}{}:{}", names[column], json_value(array.as_ref(), row, zone)?)?;
                }
                out.write_all(b"}")?;
            }
            Ok(())
        })?;
        out.write_all(b"\n]\n")
    }

    fn write_arrow(self, out: &mut dyn Write) -> io::Result<()> {
        io::copy(&mut File::open(&self.path)?, out).map(drop)
    }

    pub(crate) fn text(self) -> BoxStream<'static, io::Result<Bytes>> {
        streamed(move |out| self.write_text(out))
    }

    pub(crate) fn export(self, format: ExportFormat) -> BoxStream<'static, io::Result<Bytes>> {
        streamed(move |out| match format {
            ExportFormat::Csv => self.write_csv(out),
            ExportFormat::Json => self.write_json(out),
            ExportFormat::Arrow => self.write_arrow(out),
        })
    }
}

fn read_error(error: impl std::fmt::Display) -> SqlError {
    failed(Class::Internal, format!("cannot read the result: {error}"))
}

/// The texts of a row; `None` is NULL.
fn texts(batch: &RecordBatch, row: usize, zone: Zone) -> Vec<Option<String>> {
    batch.columns().iter().map(|column| display::value_text(column.as_ref(), row, zone)).collect()
}

fn cell(array: &dyn Array, row: usize, zone: Zone) -> Cell {
    let Some(mut text) = display::value_text(array, row, zone) else { return Cell::Null };
    match text.char_indices().nth(CELL_CHARS) {
        None => Cell::Text(text),
        Some((end, _)) => {
            let chars = text.chars().count() as u64;
            text.truncate(end);
            Cell::Cut { text, chars }
        }
    }
}

fn cell_bytes(cell: &Cell) -> usize {
    match cell {
        Cell::Null => 8,
        Cell::Text(text) | Cell::Cut { text, .. } => text.len() + 8,
    }
}

/// A field of CSV; what a spreadsheet would compute is prefixed with `'`.
fn csv_field(text: &str, may_compute: bool) -> String {
    let guarded = may_compute && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if guarded { format!("'{text}") } else { text.to_owned() };
    // NULL is an empty field, the empty text a quoted one.
    if text.is_empty() || text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A JSON value: 64-bit integers and decimals as texts, because readers would round them.
fn json_value(array: &dyn Array, row: usize, zone: Zone) -> io::Result<String> {
    let Some(text) = display::value_text(array, row, zone) else { return Ok("null".into()) };
    let bare = match array.data_type() {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..) => true,
        DataType::Struct(_) => array.data_type() != &paimon::arrow::variant_arrow_type(),
        DataType::Float32 | DataType::Float64 => !text.ends_with(['N', 'y']),
        _ => false,
    };
    if bare { Ok(text) } else { Ok(serde_json::to_string(&text)?) }
}

/// Runs a writer on a thread that may block; its output comes in pieces, and it waits while nobody takes them.
fn streamed(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> BoxStream<'static, io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(CHUNKS_WAITING);
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(CHUNK_BYTES, ChunkSender(sender.clone()));
        let written = write(&mut out).and_then(|()| out.flush());
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            // The receiver may be gone as well; then nobody needs the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    Box::pin(Chunks(receiver))
}

struct ChunkSender(mpsc::Sender<io::Result<Bytes>>);

impl Write for ChunkSender {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(buffer)))
            .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the receiver is gone"))?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Chunks(mpsc::Receiver<io::Result<Bytes>>);

impl Stream for Chunks {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
