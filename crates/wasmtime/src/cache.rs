//! Artifacts kept in a directory, so that what was compiled once is only loaded the next time.
//!
//! An entry is a file whose name says what it was made of and for, and holds the artifact, and behind it a checksum of
//! both. It is written beside its place, to a file that nobody else has, and renamed, so whoever reads finds all of it
//! or nothing. Nobody waits for anybody: two processes that miss an entry both compile it, and what they put in its
//! place is the same, byte for byte.

use lightbeam_environ::{ArtifactOrigin, Error};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How the names of entries end, and those of files that are being written.
const ENTRY: &str = ".cwasm";
const UNFINISHED: &str = ".tmp";

/// Ends an entry, behind the checksum.
const MARK: &[u8; 8] = b"lightb02";

/// Bytes behind the artifact.
const TAIL: usize = 32 + MARK.len();

/// Somebody who writes a file takes no longer; what is older was left behind by a crash.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// Of the limits, in percent, what stays when one is exceeded.
const KEPT: u64 = 70;

/// A directory in which a [`Compiler`](crate::Compiler) keeps what it has compiled, and finds it again: see
/// [`Compiler::cache`](crate::Compiler::cache).
///
/// Entries are named by a SHA-256 digest of the module's bytes, of everything that the code depends on (the settings of
/// the engine and of the compiler, the processor's features), of Lightbeam's version and of the exact release of
/// Wasmtime, see [`ArtifactOrigin`]. So nothing that was compiled before an update is found after it, and entries
/// for different settings, releases and machines can be in one directory.
///
/// What is in the directory is run as machine code. It must belong to the user, and nobody else may write to it.
///
/// Several threads and processes may use one directory at a time. A process that is killed while it writes leaves a
/// file that nobody reads and that goes an hour later. An entry that was damaged otherwise, or that has another one's
/// name, has the wrong checksum; it goes, and the module is compiled again. That an entry cannot be read or written is
/// no error of compiling, and told by [`statistics`](Self::statistics).
///
/// ```
/// # fn main() -> wasmtime::Result<()> {
/// # let directory = std::env::temp_dir().join(format!("lightbeam-doc-{}", std::process::id()));
/// let cache = lightbeam::Cache::new(&directory)?.size_limit(64 << 20);
/// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?.cache(&cache);
/// compiler.module("(module)")?; // compiled and kept
/// compiler.module("(module)")?; // found
/// assert_eq!((cache.statistics().hits, cache.statistics().misses), (1, 1));
/// # std::fs::remove_dir_all(directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
    bytes: u64,
    files: u64,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    stored: AtomicU64,
    removed: AtomicU64,
    failures: AtomicU64,
    last_failure: Mutex<Option<String>>,
}

/// What became of what a [`Cache`] was asked for, by this one and its clones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    /// Entries that were there.
    pub hits: u64,
    /// Entries that were not there, or damaged.
    pub misses: u64,
    /// Entries that were written.
    pub stored: u64,
    /// Entries that were removed, because they were damaged or too many.
    pub removed: u64,
    /// How often an entry could not be read or written, for other reasons than that there is none.
    pub failures: u64,
    /// What the machine said the last time.
    pub last_failure: Option<String>,
}

/// What an entry is called by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// Of the parts that what is kept depends on.
    fn new(parts: &[&[u8]]) -> Key {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let mut name = String::with_capacity(64 + ENTRY.len());
        digest.finalize().iter().for_each(|byte| {
            let _ = write!(name, "{byte:02x}");
        });
        Key(name)
    }
}

impl Cache {
    /// A cache in this directory, which is made, for its owner alone, if it is not there. Without other limits it
    /// holds at most 512 MiB in 65,536 files.
    ///
    /// # Errors
    ///
    /// If the directory cannot be made, or if others than its owner, who must be the user or the superuser, may write
    /// to it; of the kind [`ErrorKind::Settings`](crate::ErrorKind::Settings).
    pub fn new(directory: impl AsRef<Path>) -> wasmtime::Result<Cache> {
        let directory = directory.as_ref();
        let refused = |why: &dyn std::fmt::Display| {
            Error::settings(format!("the directory `{}` cannot be a cache: {why}", directory.display()))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| refused(&error))?;
        // Whatever the current directory becomes.
        let directory = fs::canonicalize(directory).map_err(|error| refused(&error))?;
        let metadata = fs::metadata(&directory).map_err(|error| refused(&error))?;
        let user = rustix::process::geteuid().as_raw();
        if ![0, user].contains(&metadata.uid()) {
            return Err(refused(&"it belongs to another user, and what is in it would be run as machine code").into());
        }
        if metadata.mode() & 0o022 != 0 {
            let why = "others than its owner may write to it, and what is in it would be run as machine code";
            return Err(refused(&why).into());
        }
        Ok(Cache { directory, bytes: 512 << 20, files: 1 << 16, counts: Arc::default() })
    }

    /// Sets how many bytes all entries may have together. When a new one exceeds that, those go that were used least
    /// recently, until seven tenths are left. An artifact of more bytes than that is not kept at all.
    #[must_use]
    pub fn size_limit(mut self, bytes: u64) -> Cache {
        self.bytes = bytes;
        self
    }

    /// Sets how many entries there may be. When there is one too many, those go that were used least recently, until
    /// seven tenths are left.
    #[must_use]
    pub fn file_limit(mut self, files: u64) -> Cache {
        self.files = files.max(1);
        self
    }

    /// Where the entries are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What became of what this cache and its clones were asked for.
    #[must_use]
    pub fn statistics(&self) -> CacheStatistics {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { hits, misses, stored, removed, failures, last_failure } = &*self.counts;
        CacheStatistics {
            hits: count(hits),
            misses: count(misses),
            stored: count(stored),
            removed: count(removed),
            failures: count(failures),
            last_failure: last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Removes all entries.
    ///
    /// # Errors
    ///
    /// If one cannot be removed.
    pub fn clear(&self) -> io::Result<()> {
        for entry in self.entries()? {
            match fs::remove_file(&entry.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// What the artifact of these bytes, which are of a module or a component as `kind` says, is called by.
    pub(crate) fn key(&self, settings: &str, kind: &str, bytes: &[u8]) -> Key {
        Key::new(&[ArtifactOrigin::current().to_string().as_bytes(), settings.as_bytes(), kind.as_bytes(), bytes])
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.directory.join(format!("{}{ENTRY}", key.0))
    }

    /// The artifact of an entry.
    pub(crate) fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        let found = match read(&path, key) {
            Ok(Some(artifact)) => Some(artifact),
            Ok(None) => {
                self.remove(key);
                None
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.failed("read", &path, &error);
                None
            }
        };
        let count = if found.is_some() { &self.counts.hits } else { &self.counts.misses };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// An entry that was found is of no use.
    pub(crate) fn remove(&self, key: &Key) {
        if fs::remove_file(self.path(key)).is_ok() {
            self.counts.removed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Keeps an artifact, if it can be.
    pub(crate) fn put(&self, key: &Key, artifact: &[u8]) {
        if (artifact.len() + TAIL) as u64 > self.bytes {
            return;
        }
        let path = self.path(key);
        match write(&self.directory, &path, key, artifact) {
            Ok(()) => {
                self.counts.stored.fetch_add(1, Ordering::Relaxed);
                self.shrink(&path);
            }
            Err(error) => self.failed("write", &path, &error),
        }
    }

    fn failed(&self, what: &str, path: &Path, error: &io::Error) {
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        let message = format!("failed to {what} `{}`: {error}", path.display());
        *self.counts.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    /// Removes what exceeds the limits, but for one entry; and what was left behind.
    fn shrink(&self, but: &Path) {
        let Ok(mut entries) = self.entries() else { return };
        let (mut bytes, mut files) = (entries.iter().map(|entry| entry.bytes).sum::<u64>(), entries.len() as u64);
        if bytes <= self.bytes && files <= self.files {
            return;
        }
        entries.sort_by_key(|entry| entry.used);
        for entry in entries.iter().filter(|entry| entry.path != but) {
            if bytes <= self.bytes / 100 * KEPT && files <= self.files * KEPT / 100 {
                break;
            }
            if fs::remove_file(&entry.path).is_ok() {
                self.counts.removed.fetch_add(1, Ordering::Relaxed);
            }
            (bytes, files) = (bytes - entry.bytes, files - 1);
        }
    }

    /// All entries that there are at the moment. Others may add some and remove some meanwhile.
    fn entries(&self) -> io::Result<Vec<Entry>> {
        let now = SystemTime::now();
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.directory)? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let (is_entry, is_unfinished) = (name.ends_with(ENTRY), name.ends_with(UNFINISHED));
            if !is_entry && !is_unfinished {
                continue;
            }
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            let used = metadata.modified().unwrap_or(now);
            if is_entry {
                entries.push(Entry { bytes: metadata.len(), used, path });
            } else if now.duration_since(used).is_ok_and(|age| age > LEFT_BEHIND) {
                let _ = fs::remove_file(&path);
            }
        }
        Ok(entries)
    }
}

/// A file that holds an artifact.
struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// What stands behind an artifact: that it is whole, and this entry's.
fn checksum(key: &Key, artifact: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(&key.0).chain_update(artifact).finalize().into()
}

/// Reads an entry, and notes that it was used. None if it is not what was written.
fn read(path: &Path, key: &Key) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::with_capacity(file.metadata()?.len() as usize + 1);
    file.read_to_end(&mut bytes)?;
    let Some(len) = bytes.len().checked_sub(TAIL) else { return Ok(None) };
    let (artifact, tail) = bytes.split_at(len);
    if tail[32..] != MARK[..] || checksum(key, artifact)[..] != tail[..32] {
        return Ok(None);
    }
    bytes.truncate(len);
    // Whoever may only read it does not tell.
    let _ = file.set_modified(SystemTime::now());
    Ok(Some(bytes))
}

/// Puts an entry in its place, complete and on the disk.
fn write(directory: &Path, path: &Path, key: &Key, artifact: &[u8]) -> io::Result<()> {
    let (mut file, beside) = unfinished(directory)?;
    let mut write = || {
        file.write_all(artifact)?;
        file.write_all(&checksum(key, artifact))?;
        file.write_all(MARK)?;
        // A name on the disk whose content is not there yet would be an entry of zeros after a failure of power.
        file.sync_data()?;
        fs::rename(&beside, path)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

/// Makes a file that nobody else writes. Numbers of processes do not make its name, as each container counts its own,
/// and several may have one directory.
fn unfinished(directory: &Path) -> io::Result<(File, PathBuf)> {
    loop {
        let name = RandomState::new().build_hasher().finish();
        let path = directory.join(format!(".{name:016x}{UNFINISHED}"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return Ok((made?, path)),
        }
    }
}
