//! Whose an artifact is. The layout of instances, of which code knows every offset, may change with each release of
//! Wasmtime, and what is wrong with a release of Lightbeam stays wrong in code that it has made; but Wasmtime compares
//! only its own major version. So artifacts name both, in a section that Wasmtime leaves alone because it is called
//! like one of debug information.

use crate::error::Error;
use std::fmt;
use wasmtime_environ::obj;
use wasmtime_environ::object::elf::FileHeader64;
use wasmtime_environ::object::read::elf::{FileHeader, SectionHeader};
use wasmtime_environ::object::{self, Endianness};

/// The section's name.
pub const SECTION: &str = ".debug_lightbeam";

/// What a compiler is called that says so, its version, and the release of Wasmtime whose layouts its code follows.
///
/// ```
/// # fn main() -> Result<(), lightbeam_environ::Error> {
/// use lightbeam_environ::ArtifactOrigin;
///
/// let own = ArtifactOrigin::current();
/// assert_eq!(own.compiler, "lightbeam");
/// assert!(own.wasmtime.starts_with("48."));
/// // Artifacts of Wasmtime's own compilers do not say.
/// assert_eq!(ArtifactOrigin::of(b"\x7fELF"), None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArtifactOrigin {
    /// The compiler's name.
    pub compiler: String,
    /// The compiler's version; if it was built in a checkout of the repository, with a digest of its sources behind a
    /// plus sign, as no two states of them need make the same code.
    pub version: String,
    /// The exact release of Wasmtime.
    pub wasmtime: String,
}

impl fmt::Display for ArtifactOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} for Wasmtime {}", self.compiler, self.version, self.wasmtime)
    }
}

impl ArtifactOrigin {
    /// What artifacts of this build say.
    #[must_use]
    pub fn current() -> ArtifactOrigin {
        ArtifactOrigin {
            compiler: "lightbeam".into(),
            version: env!("LIGHTBEAM_VERSION").into(),
            wasmtime: wasmtime_environ::VERSION.into(),
        }
    }

    /// What an artifact says. None if it is not Lightbeam's, or nothing that can be read.
    #[must_use]
    pub fn of(artifact: &[u8]) -> Option<ArtifactOrigin> {
        let section = section(artifact, SECTION).ok()??;
        let mut strings = section.split(|byte| *byte == 0).map(std::str::from_utf8);
        let mut next = || strings.next()?.ok().filter(|string| !string.is_empty()).map(str::to_owned);
        let (compiler, wasmtime) = (next()?, next()?);
        let (compiler, version) = compiler.split_once(' ')?;
        let (_, wasmtime) = wasmtime.split_once(' ')?;
        Some(ArtifactOrigin { compiler: compiler.into(), version: version.into(), wasmtime: wasmtime.into() })
    }

    /// Fails with words for what is wrong if these bytes are no artifact, or one that is cut off, or one that says that
    /// it is of another release. One of another compiler is left to Wasmtime, which compares its own major version.
    ///
    /// # Errors
    ///
    /// Of the kind [`ErrorKind::Load`](crate::ErrorKind::Load).
    pub fn check(artifact: &[u8]) -> Result<(), Error> {
        check_form(artifact)?;
        let current = ArtifactOrigin::current();
        match ArtifactOrigin::of(artifact) {
            Some(origin) if origin != current => Err(Error::load(format!(
                "the artifact is of another release: it was made by {origin}, and this is {current}; compile it anew"
            ))),
            Some(_) => Ok(()),
            None => check_major(artifact, &current),
        }
    }

    /// The section's content: strings that end with zeros, as tools print them.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        format!("{} {}\0wasmtime {}\0", self.compiler, self.version, self.wasmtime).into_bytes()
    }
}

/// Fails if something is no artifact, or not all of one.
fn check_form(artifact: &[u8]) -> Result<(), Error> {
    if !artifact.starts_with(b"\x7fELF") {
        let is =
            if artifact.starts_with(b"\0asm") { "WebAssembly, which is yet to be compiled" } else { "something else" };
        return Err(Error::load(format!("expected an artifact, which is an ELF file, but was given {is}")));
    }
    let cut_off = |needed: u64| {
        Error::load(format!("the artifact is cut off: there are {} of at least {needed} bytes", artifact.len()))
    };
    let Ok(header) = FileHeader64::<Endianness>::parse(artifact) else {
        // What follows the first bytes tells whose it is, if it is there.
        let whose = artifact.get(7).is_none_or(|abi| *abi == obj::ELFOSABI_WASMTIME);
        let needed = size_of::<FileHeader64<Endianness>>() as u64;
        let is_short = (artifact.len() as u64) < needed;
        return Err(if whose && is_short { cut_off(needed) } else { not_for_wasmtime() });
    };
    if header.e_ident().os_abi != obj::ELFOSABI_WASMTIME {
        return Err(not_for_wasmtime());
    }
    let Ok(endian) = header.endian() else { return Err(not_for_wasmtime()) };
    let headers = u64::from(header.e_shentsize(endian)) * u64::from(header.e_shnum(endian));
    let needed = header.e_shoff(endian).saturating_add(headers);
    if needed > artifact.len() as u64 {
        return Err(cut_off(needed));
    }
    let sections = header.section_headers(endian, artifact);
    for section in sections.map_err(|error| damaged(&error))? {
        if let Some((at, len)) = section.file_range(endian)
            && at.saturating_add(len) > artifact.len() as u64
        {
            return Err(cut_off(at.saturating_add(len)));
        }
    }
    Ok(())
}

fn not_for_wasmtime() -> Error {
    Error::load("this is an ELF file, but not a module compiled for Wasmtime")
}

fn damaged(error: &object::Error) -> Error {
    Error::load(format!("the artifact is damaged: {error}"))
}

/// Fails if an artifact that does not say whose it is says that it is of another major version of Wasmtime, as a
/// number. A host may have chosen other words.
fn check_major(artifact: &[u8], current: &ArtifactOrigin) -> Result<(), Error> {
    let engine = section(artifact, obj::ELF_WASM_ENGINE).map_err(|error| damaged(&error))?;
    let version = engine.and_then(|engine| engine.get(2..2 + usize::from(*engine.get(1)?)));
    let Some(version) = version.and_then(|version| std::str::from_utf8(version).ok()) else { return Ok(()) };
    let own = current.wasmtime.split('.').next().unwrap_or_default();
    if version != own && version.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::load(format!(
            "the artifact is for another release: it is for Wasmtime {version}, and this is {current}; compile it anew"
        )));
    }
    Ok(())
}

/// The content of a section.
fn section<'a>(artifact: &'a [u8], name: &str) -> object::Result<Option<&'a [u8]>> {
    let header = FileHeader64::<Endianness>::parse(artifact)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, artifact)?;
    match sections.section_by_name(endian, name.as_bytes()) {
        Some((_, section)) => section.data(endian, artifact).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact;
    use crate::settings::Settings;

    fn refusal(artifact: &[u8]) -> String {
        ArtifactOrigin::check(artifact).unwrap_err().to_string()
    }

    fn changed(artifact: &[u8], from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let at = artifact.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
        let mut artifact = artifact.to_vec();
        artifact[at..at + to.len()].copy_from_slice(to.as_bytes());
        artifact
    }

    #[test]
    fn artifacts_say_whose_they_are() {
        let artifact = artifact::empty(&Settings::usual()).unwrap();
        assert_eq!(ArtifactOrigin::of(&artifact), Some(ArtifactOrigin::current()));
        ArtifactOrigin::check(&artifact).unwrap();
    }

    #[test]
    fn other_releases_are_refused_with_both_names() {
        let artifact = artifact::empty(&Settings::usual()).unwrap();
        let own = ArtifactOrigin::current();
        let wasmtime = format!("wasmtime {}", own.wasmtime);
        let other = format!("{}9", &wasmtime[..wasmtime.len() - 1]);
        let words = refusal(&changed(&artifact, &wasmtime, &other));
        assert!(words.contains(&own.to_string()) && words.contains(&other["wasmtime ".len()..]), "{words}");
        let version = format!("lightbeam {}", own.version);
        // Another version, and other sources of this one.
        for at in [0, own.version.len() - 1] {
            let mut other = own.version.clone();
            other.replace_range(at..=at, if other[at..].starts_with('9') { "8" } else { "9" });
            let words = refusal(&changed(&artifact, &version, &format!("lightbeam {other}")));
            assert!(words.contains(&other) && words.contains(&own.to_string()), "{words}");
        }
        // One that does not say it, of another major version.
        let unnamed = changed(&artifact, SECTION, ".debug_something");
        ArtifactOrigin::check(&unnamed).unwrap();
        let words = refusal(&changed(&unnamed, "\0\u{2}48", "\0\u{2}47"));
        assert!(words.contains("for Wasmtime 47, and this is lightbeam"), "{words}");
    }

    #[test]
    fn what_is_cut_off_is_called_that() {
        let artifact = artifact::empty(&Settings::usual()).unwrap();
        for len in [8, 40, 64, artifact.len() / 2, artifact.len() - 1] {
            let words = refusal(&artifact[..len]);
            assert!(words.contains(&format!("cut off: there are {len} of at least")), "{len}: {words}");
        }
        assert!(refusal(b"\0asm\x01\0\0\0").contains("yet to be compiled"));
        assert!(refusal(b"hello").contains("something else"));
        assert!(refusal(&std::fs::read("/proc/self/exe").unwrap()).contains("not a module compiled for Wasmtime"));
    }
}
