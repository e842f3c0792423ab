//! Puts a file in its place as a whole or not at all. Whoever reads the old one, or runs code that is mapped from it,
//! keeps it; when the machine stops at any moment, there is the old one or the new one, never a part.

use rustix::process::{Resource, getrlimit};
use std::fs::{self, File, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use wasmtime::error::Context as _;
use wasmtime::{Result, bail, format_err};

/// Symbolic links that may follow each other, as for the kernel.
const LINKS: usize = 40;

/// Writes all of a file: to standard output if the path is `-`, straight into what is no ordinary file, and otherwise
/// beside it, to take its place and its permissions when it is complete and on the disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if path == Path::new("-") {
        // Not by `Stdout`, which keeps it for itself that nothing can be written.
        let output = io::stdout().as_fd().try_clone_to_owned();
        let written = output.and_then(|output| write_straight(File::from(output), bytes));
        return written.context("failed to write to standard output");
    }
    write_file(path, bytes).with_context(|| format!("failed to write `{}`", path.display()))
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let Some(path) = ordinary(path)? else {
        let file = OpenOptions::new().write(true).truncate(true).open(path)?;
        return Ok(write_straight(file, bytes)?);
    };
    let old = match fs::metadata(&path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if old.is_some() {
        // That a file may not be written is for it to say, not for its directory.
        OpenOptions::new().write(true).open(&path)?;
    }
    // The kernel would answer with a signal.
    if let Some(most) = getrlimit(Resource::Fsize).current.filter(|most| bytes.len() as u64 > *most) {
        bail!("it has {} bytes, and no file may have more than {most} (RLIMIT_FSIZE)", bytes.len());
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = Beside::new(directory, if old.is_some() { 0o600 } else { 0o666 })
        .with_context(|| format!("failed to make a file beside it, in `{}`", directory.display()))?;
    beside.file.write_all(bytes)?;
    if let Some(old) = old {
        // The superuser may give it to whom the old one belongs, others need not.
        let _ = fchown(&beside.file, Some(old.uid()), Some(old.gid()));
        beside.file.set_permissions(Permissions::from_mode(old.mode() & 0o777))?;
    }
    beside.file.sync_all()?;
    beside.take_place_of(&path)?;
    // A directory that cannot be read can still be written, and some file systems do not do this.
    if let Ok(directory) = File::open(directory) {
        synced(directory.sync_all()).context("it is written, but its directory may not be on the disk")?;
    }
    Ok(())
}

/// Where an ordinary file is or will be, behind all symbolic links; none if there is something else, or if the way
/// leads over the descriptors of a process.
fn ordinary(path: &Path) -> Result<Option<PathBuf>> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Ok(None);
    }
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        if !fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Ok(Some(path));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if rustix::fs::statfs(parent)?.f_type == rustix::fs::PROC_SUPER_MAGIC {
            return Ok(None);
        }
        path = parent.join(fs::read_link(&path)?);
    }
    Err(format_err!("too many symbolic links"))
}

/// Writes to something that is written as it goes, and hears what is only said at the end.
fn write_straight(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    synced(file.sync_all())
}

/// Pipes, terminals and the like are never on a disk.
fn synced(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => Ok(()),
        done => done,
    }
}

/// A file that is to take another's place; gone if it does not come to that.
struct Beside {
    file: File,
    path: PathBuf,
    placed: bool,
}

impl Beside {
    fn new(directory: &Path, mode: u32) -> io::Result<Beside> {
        loop {
            let random = RandomState::new().build_hasher().finish();
            let path = directory.join(format!(".lightbeam-{random:016x}.tmp"));
            match OpenOptions::new().write(true).create_new(true).mode(mode).open(&path) {
                Ok(file) => return Ok(Beside { file, path, placed: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take_place_of(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}
