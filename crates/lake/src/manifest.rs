//! Manifests: which files belong to a table. Reading, writing, and merging so that commits stay cheap.

use crate::error::lake_error;
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};
use paimon::io::FileIO;
use paimon::spec::{
    BinaryRow, CoreOptions, DataFileMeta, DataType, Datum, EMPTY_SERIALIZED_ROW, FileKind, Identifier, Manifest,
    ManifestEntry, ManifestFileMeta, ManifestList, TableSchema,
};
use ports::lake::LakeError;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};

/// How many manifests are read at once.
const READS_MAX: usize = 8;
/// First guess of what an entry takes in a manifest, bytes; corrected by each manifest written.
const ENTRY_BYTES_GUESS: u64 = 300;
/// How many times its largest manifest a tail holds before it becomes one. A larger number makes lists longer, which every
/// commit writes; a smaller one makes some commits rewrite many entries.
const TAIL_GROWTH: u64 = 8;
/// Version of the records in a manifest.
const ENTRY_VERSION: i32 = 2;

/// One file that is added to a table or taken away.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) kind: FileKind,
    pub(crate) partition: Vec<u8>,
    pub(crate) bucket: i32,
    pub(crate) total_buckets: i32,
    pub(crate) file: DataFileMeta,
}

impl Entry {
    /// What makes two entries speak of the same file.
    pub(crate) fn key(&self) -> Identifier {
        Identifier {
            partition: normal_partition(&self.partition).to_vec(),
            bucket: self.bucket,
            level: self.file.level,
            file_name: self.file.file_name.clone(),
            extra_files: self.file.extra_files.clone(),
            embedded_index: self.file.embedded_index.clone(),
            external_path: self.file.external_path.clone(),
        }
    }

    fn to_manifest_entry(&self) -> ManifestEntry {
        let (partition, file) = (self.partition.clone(), self.file.clone());
        ManifestEntry::new(self.kind, partition, self.bucket, self.total_buckets, file, ENTRY_VERSION)
    }
}

/// Writers spell the partition of an unpartitioned table in several ways; this is the one that is compared.
pub(crate) fn normal_partition(partition: &[u8]) -> &[u8] {
    let is_empty = partition == EMPTY_SERIALIZED_ROW.as_slice() || partition == [0; 4];
    if is_empty { &[] } else { partition }
}

/// Entries in order, with every pair of ADD and later DELETE of one file taken out. What is left of DELETEs cancels an
/// ADD that is not among them.
pub(crate) fn cancel_pairs(entries: Vec<Entry>) -> Vec<Entry> {
    let mut live: HashMap<Identifier, usize> = HashMap::new();
    let mut kept: Vec<Option<Entry>> = Vec::with_capacity(entries.len());
    for entry in entries {
        let key = entry.key();
        match (entry.kind, live.remove(&key)) {
            (FileKind::Delete, Some(added)) => kept[added] = None,
            (FileKind::Delete, None) => kept.push(Some(entry)),
            (FileKind::Add, _) => {
                live.insert(key, kept.len());
                kept.push(Some(entry));
            }
        }
    }
    kept.into_iter().flatten().collect()
}

/// Where a table's manifests lie and how they are written.
#[derive(Clone, Debug)]
pub(crate) struct Manifests {
    file_io: FileIO,
    folder: String,
    compression: String,
    target_size: u64,
    full_merge_size: u64,
    merge_min_count: usize,
    partition_types: Vec<DataType>,
    schema_id: i64,
}

impl Manifests {
    pub(crate) fn of(file_io: FileIO, location: &str, schema: &TableSchema) -> Self {
        let options = CoreOptions::new(schema.options());
        let size = |key: &str, default| schema.options().get(key).and_then(|v| bytes(v)).unwrap_or(default);
        let merge_min_count = schema.options().get("manifest.merge-min-count").and_then(|v| v.trim().parse().ok());
        Self {
            file_io,
            folder: format!("{location}/manifest"),
            compression: options.manifest_compression().to_owned(),
            target_size: options.manifest_target_size().max(1).unsigned_abs(),
            full_merge_size: size("manifest.full-compaction-threshold-size", 16 << 20),
            merge_min_count: merge_min_count.unwrap_or(30usize).max(2),
            partition_types: schema.partition_fields().iter().map(|field| field.data_type().clone()).collect(),
            schema_id: schema.id(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    pub(crate) fn compression(&self) -> &str {
        &self.compression
    }

    pub(crate) async fn read_list(&self, name: &str) -> Result<Vec<ManifestFileMeta>, LakeError> {
        ManifestList::read(&self.file_io, &self.path(name))
            .await
            .map_err(|error| lake_error(error, &format!("read the manifest list `{}`", self.path(name))))
    }

    /// The entries of a manifest in their order.
    pub(crate) async fn read(&self, name: &str) -> Result<Vec<Entry>, LakeError> {
        // The entry itself keeps its kind and bucket to the crate; the filter sees them.
        let mut seen = Vec::new();
        let mut filter = |kind: FileKind, _: &[u8], bucket: i32, _: i32| {
            seen.push((kind, bucket));
            true
        };
        let entries = Manifest::read_filtered(&self.file_io, &self.path(name), &mut Default::default(), &mut filter)
            .await
            .map_err(|error| lake_error(error, &format!("read the manifest `{}`", self.path(name))))?;
        let entries = entries.into_iter().zip(seen).map(|(entry, (kind, bucket))| Entry {
            kind,
            bucket,
            partition: entry.partition().to_vec(),
            total_buckets: entry.total_buckets(),
            file: entry.file().clone(),
        });
        Ok(entries.collect())
    }

    /// The entries of several manifests, in the order of the manifests; those whose partitions `wanted` refuses are
    /// left out.
    pub(crate) async fn read_all(
        &self,
        manifests: &[ManifestFileMeta],
        mut wanted: impl FnMut(&[u8]) -> bool,
    ) -> Result<Vec<Entry>, LakeError> {
        let reads: Vec<_> = manifests.iter().map(|meta| self.read(meta.file_name())).collect();
        let mut reads = stream::iter(reads).buffered(READS_MAX);
        let mut entries = Vec::new();
        while let Some(read) = reads.try_next().await? {
            entries.extend(read.into_iter().filter(|entry| wanted(&entry.partition)));
        }
        Ok(entries)
    }
}

/// Writes the manifests of one attempt to commit, and remembers them so that they can be taken back.
pub(crate) struct ManifestWriter<'a> {
    manifests: &'a Manifests,
    id: uuid::Uuid,
    written: Vec<String>,
    lists: usize,
}

impl<'a> ManifestWriter<'a> {
    pub(crate) fn new(manifests: &'a Manifests) -> Self {
        Self { manifests, id: uuid::Uuid::new_v4(), written: Vec::new(), lists: 0 }
    }

    /// Names of everything that was written or begun.
    pub(crate) fn into_written(self) -> Vec<String> {
        self.written
    }

    /// A file with a name of its own that is written elsewhere, e.g. an index manifest.
    pub(crate) fn claim(&mut self, prefix: &str) -> String {
        let name = format!("{prefix}-{}-{}", self.id, self.written.len());
        self.written.push(name.clone());
        name
    }

    pub(crate) async fn write_list(&mut self, manifests: &[ManifestFileMeta]) -> Result<String, LakeError> {
        let name = format!("manifest-list-{}-{}", self.id, self.lists);
        self.lists += 1;
        self.written.push(name.clone());
        let path = self.manifests.path(&name);
        ManifestList::write_with_compression(&self.manifests.file_io, &path, manifests, &self.manifests.compression)
            .await
            .map_err(|error| lake_error(error, &format!("write the manifest list `{path}`")))?;
        Ok(name)
    }

    /// Writes entries in their order into manifests of about the target size.
    pub(crate) async fn write(&mut self, entries: &[Entry]) -> Result<Vec<ManifestFileMeta>, LakeError> {
        let mut metas = Vec::new();
        let mut entry_bytes = ENTRY_BYTES_GUESS;
        let mut rest = entries;
        while !rest.is_empty() {
            let fitting = usize::try_from(self.manifests.target_size / entry_bytes.max(1)).unwrap_or(usize::MAX).max(1);
            let (chunk, after) = rest.split_at(fitting.min(rest.len()));
            let meta = self.write_one(chunk).await?;
            entry_bytes = meta.file_size().unsigned_abs() / chunk.len() as u64;
            metas.push(meta);
            rest = after;
        }
        Ok(metas)
    }

    async fn write_one(&mut self, entries: &[Entry]) -> Result<ManifestFileMeta, LakeError> {
        let name = self.claim("manifest");
        let path = self.manifests.path(&name);
        let doing = || format!("write the manifest `{path}`");
        let records: Vec<ManifestEntry> = entries.iter().map(Entry::to_manifest_entry).collect();
        let file_io = &self.manifests.file_io;
        Manifest::write_with_compression(file_io, &path, &records, &self.manifests.compression)
            .await
            .map_err(|error| lake_error(error, &doing()))?;
        let size = file_io.get_status(&path).await.map_err(|error| lake_error(error, &doing()))?.size;
        self.describe(name, size, entries).map_err(|error| lake_error(error, &doing()))
    }

    fn describe(&self, name: String, size: u64, entries: &[Entry]) -> paimon::Result<ManifestFileMeta> {
        let deleted = entries.iter().filter(|entry| entry.kind == FileKind::Delete).count();
        let schema_id = entries.iter().map(|entry| entry.file.schema_id).fold(self.manifests.schema_id, i64::max);
        let buckets = || entries.iter().map(|entry| entry.bucket);
        let levels = || entries.iter().map(|entry| entry.file.level);
        let row_ids: Option<Vec<(i64, i64)>> = entries.iter().map(|entry| entry.file.row_id_range()).collect();
        let row_ids = row_ids.filter(|ids| !ids.is_empty());
        let (min, max, nulls) = partition_range(&self.manifests.partition_types, entries)?;
        let meta = ManifestFileMeta::new(
            name,
            i64::try_from(size).unwrap_or(i64::MAX),
            (entries.len() - deleted) as i64,
            deleted as i64,
            stats(min, max, nulls)?,
            schema_id,
        );
        Ok(meta
            .with_bucket_level_stats(buckets().min(), buckets().max(), levels().min(), levels().max())
            .with_row_id_stats(
                row_ids.iter().flatten().map(|range| range.0).min(),
                row_ids.iter().flatten().map(|range| range.1).max(),
            ))
    }
}

/// Statistics of a type that the crate does not let us name: they are made through their serialised form.
fn stats<T: DeserializeOwned>(min: Vec<u8>, max: Vec<u8>, nulls: Vec<i64>) -> paimon::Result<T> {
    let form = serde_json::json!({ "_MIN_VALUES": min, "_MAX_VALUES": max, "_NULL_COUNTS": nulls });
    serde_json::from_value(form).map_err(|error| paimon::Error::DataInvalid {
        message: "partition statistics cannot be made".into(),
        source: Some(Box::new(error)),
    })
}

/// Smallest and largest value and the count of NULLs of each partition column.
fn partition_range(types: &[DataType], entries: &[Entry]) -> paimon::Result<(Vec<u8>, Vec<u8>, Vec<i64>)> {
    if types.is_empty() {
        return Ok((EMPTY_SERIALIZED_ROW.clone(), EMPTY_SERIALIZED_ROW.clone(), Vec::new()));
    }
    let mut ranges: Vec<Option<(Datum, Datum)>> = vec![None; types.len()];
    let mut nulls = vec![0; types.len()];
    // Files of one partition follow one another; its row is decoded once.
    let mut counted: HashMap<&[u8], i64> = HashMap::new();
    for entry in entries {
        *counted.entry(&entry.partition).or_default() += 1;
    }
    for (partition, count) in counted {
        let row = BinaryRow::from_serialized_bytes(partition)?;
        for (position, data_type) in types.iter().enumerate() {
            match row.get_datum(position, data_type)? {
                None => nulls[position] += count,
                Some(value) => {
                    let range = &mut ranges[position];
                    *range = Some(match range.take() {
                        None => (value.clone(), value),
                        Some((min, max)) if value < min => (value, max),
                        Some((min, max)) if value > max => (min, value),
                        Some(range) => range,
                    });
                }
            }
        }
    }
    let row = |pick: fn(&(Datum, Datum)) -> &Datum| {
        let values: Vec<_> = ranges.iter().map(|range| range.as_ref().map(pick)).zip(types).collect();
        BinaryRow::from_datums(&values).to_serialized_bytes()
    };
    Ok((row(|range| &range.0), row(|range| &range.1), nulls))
}

/// A merge that was written but not published yet: if others are faster, it still fits as long as its inputs stand
/// side by side in the newer list.
#[derive(Debug)]
pub(crate) struct Merge {
    inputs: Vec<String>,
    outputs: Vec<ManifestFileMeta>,
    pub(crate) written: Vec<String>,
}

impl Merge {
    /// The list with the inputs replaced, `None` where they are not in it any more.
    pub(crate) fn apply(&self, list: &[ManifestFileMeta]) -> Option<Vec<ManifestFileMeta>> {
        let width = self.inputs.len();
        let same = |window: &[ManifestFileMeta]| window.iter().map(ManifestFileMeta::file_name).eq(self.inputs.iter());
        let start = list.windows(width).position(same)?;
        let mut merged = list[..start].to_vec();
        merged.extend(self.outputs.iter().cloned());
        merged.extend(list[start + width..].iter().cloned());
        Some(merged)
    }
}

/// What to do about the manifests of a list before it is carried on.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    Keep,
    /// The newest manifests from here on become one.
    Tail(usize),
    /// Everything small or with deletions is rewritten without cancelled pairs.
    Full,
}

/// What [`plan`] knows of a manifest.
#[derive(Clone, Copy, Debug)]
struct Weight {
    size: u64,
    entries: u64,
    has_deletions: bool,
}

/// Decides by size and number of entries. A tail is due when it is long enough and holds [`TAIL_GROWTH`] times its largest
/// manifest: so an entry is rewritten a logarithmic number of times, and a list has a logarithmic number of manifests
/// above `merge_min_count`.
fn plan(list: &[Weight], target_size: u64, full_merge_size: u64, merge_min_count: usize) -> Plan {
    let must_change: Vec<u64> =
        list.iter().filter(|w| w.has_deletions || w.size < target_size).map(|w| w.size).collect();
    if must_change.len() > 1 && must_change.iter().sum::<u64>() >= full_merge_size {
        return Plan::Full;
    }
    let (mut plan, mut size, mut entries, mut largest) = (Plan::Keep, 0, 0, 0);
    for (index, weight) in list.iter().enumerate().rev() {
        (size, entries, largest) = (size + weight.size, entries + weight.entries, largest.max(weight.entries));
        if weight.size >= target_size || size > 2 * target_size {
            break;
        }
        if list.len() - index >= merge_min_count && TAIL_GROWTH * largest <= entries {
            plan = Plan::Tail(index);
        }
    }
    plan
}

/// Merges what is due in the manifests of a list; `None` where nothing is.
pub(crate) async fn merge(manifests: &Manifests, list: &[ManifestFileMeta]) -> Result<Option<Merge>, LakeError> {
    let weights: Vec<Weight> = list
        .iter()
        .map(|meta| Weight {
            size: meta.file_size().unsigned_abs(),
            entries: (meta.num_added_files() + meta.num_deleted_files()).unsigned_abs(),
            has_deletions: meta.num_deleted_files() > 0,
        })
        .collect();
    let mut writer = ManifestWriter::new(manifests);
    let merged = match plan(&weights, manifests.target_size, manifests.full_merge_size, manifests.merge_min_count) {
        Plan::Keep => return Ok(None),
        Plan::Tail(start) => merge_tail(&mut writer, &list[start..]).await.map(|outputs| (start, outputs)),
        Plan::Full => merge_all(&mut writer, list).await.map(|outputs| (0, outputs)),
    };
    let written = writer.into_written();
    match merged {
        Ok((start, outputs)) => {
            let inputs = list[start..].iter().map(|meta| meta.file_name().to_owned()).collect();
            Ok(Some(Merge { inputs, outputs, written }))
        }
        Err(error) => {
            remove(manifests, &written).await;
            Err(error)
        }
    }
}

async fn merge_tail(
    writer: &mut ManifestWriter<'_>,
    tail: &[ManifestFileMeta],
) -> Result<Vec<ManifestFileMeta>, LakeError> {
    let entries = writer.manifests.read_all(tail, |_| true).await?;
    writer.write(&cancel_pairs(entries)).await
}

/// Rewrites what is small or holds deletions, and those large manifests that a deletion reaches into. Every DELETE
/// meets its ADD here, so none is left.
async fn merge_all(
    writer: &mut ManifestWriter<'_>,
    list: &[ManifestFileMeta],
) -> Result<Vec<ManifestFileMeta>, LakeError> {
    let manifests = writer.manifests;
    let mut deleted: HashSet<Identifier> = HashSet::new();
    for meta in list.iter().filter(|meta| meta.num_deleted_files() > 0) {
        let entries = manifests.read(meta.file_name()).await?;
        // An ADD after its DELETE, e.g. a file that was upgraded and restored, makes the file live again.
        for entry in entries {
            match entry.kind {
                FileKind::Delete => deleted.insert(entry.key()),
                FileKind::Add => deleted.remove(&entry.key()),
            };
        }
    }
    let (mut outputs, mut pending) = (Vec::new(), Vec::new());
    let chunk = usize::try_from(2 * manifests.target_size / ENTRY_BYTES_GUESS).unwrap_or(usize::MAX).max(1);
    for meta in list {
        let stays_whole = meta.num_deleted_files() == 0 && meta.file_size().unsigned_abs() >= manifests.target_size;
        if stays_whole && deleted.is_empty() {
            outputs.push(meta.clone());
            continue;
        }
        let entries = manifests.read(meta.file_name()).await?;
        if stays_whole && !entries.iter().any(|entry| deleted.contains(&entry.key())) {
            outputs.push(meta.clone());
            continue;
        }
        pending.extend(
            cancel_pairs(entries).into_iter().filter(|e| e.kind == FileKind::Add && !deleted.contains(&e.key())),
        );
        if pending.len() >= chunk {
            outputs.extend(writer.write(&std::mem::take(&mut pending)).await?);
        }
    }
    outputs.extend(writer.write(&pending).await?);
    Ok(outputs)
}

/// Takes back files in the manifest folder that no snapshot names. What cannot be removed is left for the sweep.
pub(crate) async fn remove(manifests: &Manifests, names: &[String]) {
    for name in names {
        if let Err(error) = manifests.file_io.delete_file(&manifests.path(name)).await {
            tracing::debug!("left `{name}` behind: {error}");
        }
    }
}

/// A size such as `8 MB` or `512kb`, in bytes.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c.is_whitespace());
    let factor = match text[digits.len()..].trim() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => 1 << 20,
        "g" | "gb" | "gibibytes" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What single-row commits do to a list: how many manifests it holds at most, and how many entries are rewritten.
    fn simulate(commits: u64, entries_of: impl Fn(u64) -> u64) -> (usize, u64) {
        let (mut list, mut longest, mut rewritten) = (Vec::new(), 0, 0);
        for commit in 0..commits {
            let entries = entries_of(commit);
            list.push(Weight { size: 2_500 + 60 * entries, entries, has_deletions: false });
            if let Plan::Tail(start) = plan(&list, 8 << 20, 16 << 20, 30) {
                let entries = list.drain(start..).map(|weight| weight.entries).sum();
                rewritten += entries;
                list.push(Weight { size: 2_500 + 60 * entries, entries, has_deletions: false });
            }
            longest = longest.max(list.len());
        }
        (longest, rewritten)
    }

    #[test]
    fn lists_stay_short_and_entries_are_seldom_rewritten() {
        let (longest, rewritten) = simulate(1_000, |_| 1);
        assert!(longest <= 40 && rewritten <= 2_000, "{longest} {rewritten}");
        let (longest, rewritten) = simulate(10_000, |_| 1);
        assert!(longest <= 50 && rewritten <= 30_000, "{longest} {rewritten}");
        // Commits of very different sizes.
        let (longest, rewritten) = simulate(3_000, |commit| if commit % 7 == 0 { 500 } else { 1 });
        assert!(longest <= 70 && rewritten <= 3 * 3_000 / 7 * 500, "{longest} {rewritten}");
    }

    #[test]
    fn large_manifests_and_deletions_are_rewritten_together() {
        let weight = |megabytes: u64, has_deletions| Weight {
            size: megabytes << 20,
            entries: megabytes * 100_000,
            has_deletions,
        };
        assert_eq!(plan(&[weight(8, false), weight(9, false)], 8 << 20, 16 << 20, 30), Plan::Keep);
        assert_eq!(plan(&[weight(8, false), weight(9, true)], 8 << 20, 16 << 20, 30), Plan::Keep);
        assert_eq!(plan(&[weight(8, true), weight(9, true)], 8 << 20, 16 << 20, 30), Plan::Full);
        assert_eq!(plan(&[weight(3, false), weight(3, false)], 8 << 20, 16 << 20, 30), Plan::Keep);
    }

    #[test]
    fn sizes() {
        let check = |text: &str, expected| assert_eq!(bytes(text), expected, "{text}");
        check("8 MB", Some(8 << 20));
        check("512kb", Some(512 << 10));
        check("100", Some(100));
        check("1 g", Some(1 << 30));
        check("many", None);
    }
}
