//! The log in the data directory: one file that begins anew when it is full, beside the ones before it.

use anyhow::Context;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const BYTES_MAX: u64 = 16 << 20;
/// Older files beside the one that is written.
const OLD_COUNT: u32 = 7;

/// `lakedeck.log`, and `lakedeck.log.1` to `lakedeck.log.7`, the oldest last.
pub struct LogFile {
    path: PathBuf,
    bytes_max: u64,
    file: File,
    bytes: u64,
}

impl LogFile {
    pub fn open(folder: PathBuf) -> anyhow::Result<Self> {
        Self::with_limit(folder.join("lakedeck.log"), BYTES_MAX)
    }

    fn with_limit(path: PathBuf, bytes_max: u64) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write {}", path.display());
        let file = append(&path).with_context(cannot)?;
        let bytes = file.metadata().with_context(cannot)?.len();
        Ok(Self { path, bytes_max, file, bytes })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        for number in (1..=OLD_COUNT).rev() {
            let newer = if number == 1 { self.path.clone() } else { self.old(number - 1) };
            match fs::rename(newer, self.old(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.file = append(&self.path)?;
        self.bytes = 0;
        Ok(())
    }

    fn old(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

impl Write for LogFile {
    /// Takes whole lines: one is never split between two files.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.bytes_max {
            self.begin_anew()?;
        }
        let written = self.file.write(line)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_makes_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lakedeck.log");
        for number in 0..10 {
            // Opened anew each time: what an earlier process wrote counts.
            let mut log = LogFile::with_limit(path.clone(), 16).expect("opened");
            log.write_all(format!("line {number}, long\n").as_bytes()).expect("written");
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        assert_eq!(read("lakedeck.log"), "line 9, long\n");
        assert_eq!(read("lakedeck.log.1"), "line 8, long\n");
        assert_eq!(read("lakedeck.log.7"), "line 2, long\n");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 8);
    }
}
