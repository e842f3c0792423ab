//! `lightbeam config`: the file that says where compiled code is kept and how much of it, under Wasmtime's names.

use crate::output;
use lightbeam::Cache;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wasmtime::error::Context as _;
use wasmtime::{Result, bail, format_err};

/// Makes the file that configures where compiled code is kept.
#[derive(clap::Parser)]
pub struct ConfigCommand {
    #[command(subcommand)]
    subcommand: ConfigSubcommand,
}

#[derive(clap::Subcommand)]
enum ConfigSubcommand {
    /// Makes a new file with what holds without one.
    New(ConfigNewCommand),
}

#[derive(clap::Parser)]
struct ConfigNewCommand {
    /// Where to make it [default: where `-C cache` looks for it].
    #[arg(value_name = "FILE_PATH")]
    path: Option<PathBuf>,
}

impl ConfigCommand {
    /// Executes the command.
    pub fn execute(self) -> Result<ExitCode> {
        let ConfigSubcommand::New(ConfigNewCommand { path }) = self.subcommand;
        let path = match path {
            Some(path) => path,
            None => default_path()?,
        };
        if std::fs::symlink_metadata(&path).is_ok() {
            bail!("`{}` exists already", path.display());
        }
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            let explain = || format!("failed to make the directory `{}`", directory.display());
            std::fs::create_dir_all(directory).with_context(explain)?;
        }
        output::write(&path, TEMPLATE.as_bytes())?;
        output::write(Path::new("-"), format!("made `{}`\n", path.display()).as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What `config new` writes. Every key is one of Wasmtime's file, and says what holds without it.
const TEMPLATE: &str = "\
# Where `lightbeam -C cache` keeps compiled code, and how much of it.
[cache]

# directory = \"/home/user/.cache/lightbeam\"
# files-total-size-soft-limit = \"512Mi\"
# file-count-soft-limit = 65536
";

/// Where the file is looked for if none is named.
pub(crate) fn default_path() -> Result<PathBuf> {
    Ok(of_user("XDG_CONFIG_HOME", ".config")?.join("lightbeam/config.toml"))
}

/// A directory of the user's that is named by a variable, or else is in the home directory.
fn of_user(variable: &str, in_home: &str) -> Result<PathBuf> {
    let absolute = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| Some(absolute("HOME")?.join(in_home)))
        .ok_or_else(|| format_err!("neither `{variable}` nor `HOME` is set to the path of a directory"))
}

/// The cache that options ask for: the one that a file configures, if one is named or is where it is looked for.
pub(crate) fn cache(named: Option<&str>) -> Result<Cache> {
    let (path, text) = match named {
        Some(path) => {
            let path = PathBuf::from(path);
            let text = std::fs::read_to_string(&path);
            let text = text.with_context(|| format!("failed to read the configuration `{}`", path.display()))?;
            (path, text)
        }
        None => {
            let path = default_path()?;
            let text = match std::fs::read_to_string(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                text => text.with_context(|| format!("failed to read the configuration `{}`", path.display()))?,
            };
            (path, text)
        }
    };
    let limits = Limits::parse(&text).with_context(|| format!("in the configuration `{}`", path.display()))?;
    let directory = match limits.directory {
        Some(directory) => directory,
        None => of_user("XDG_CACHE_HOME", ".cache")?.join("lightbeam"),
    };
    let mut cache = Cache::new(directory)?;
    if let Some(bytes) = limits.bytes {
        cache = cache.size_limit(bytes);
    }
    if let Some(files) = limits.files {
        cache = cache.file_limit(files);
    }
    Ok(cache)
}

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Limits {
    directory: Option<PathBuf>,
    bytes: Option<u64>,
    files: Option<u64>,
}

impl Limits {
    fn parse(text: &str) -> Result<Limits> {
        let mut table: toml::Table = text.parse()?;
        let cache = match table.remove("cache") {
            Some(toml::Value::Table(cache)) => cache,
            Some(_) => bail!("`cache` is to be a table"),
            None => toml::Table::new(),
        };
        if let Some(name) = table.keys().next() {
            bail!("unknown table or key `{name}`; there is `cache`");
        }
        let mut limits = Limits::default();
        for (key, value) in &cache {
            match key.as_str() {
                "directory" => {
                    let path = value.as_str().map(PathBuf::from).filter(|path| path.is_absolute());
                    limits.directory = Some(path.ok_or_else(|| format_err!("`directory` is to be an absolute path"))?);
                }
                "files-total-size-soft-limit" => limits.bytes = Some(number(key, value)?),
                "file-count-soft-limit" => limits.files = Some(number(key, value)?),
                _ => bail!(
                    "`{key}` means nothing here: Lightbeam's cache has `directory`, `files-total-size-soft-limit` and \
                     `file-count-soft-limit`"
                ),
            }
        }
        Ok(limits)
    }
}

/// A number, or a string with a unit as Wasmtime's files have them: `K` and `Ki`, and so on up to `T`.
fn number(key: &str, value: &toml::Value) -> Result<u64> {
    let parsed = match value {
        toml::Value::Integer(number) => u64::try_from(*number).ok(),
        toml::Value::String(text) => {
            let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            let unit = match text[digits.len()..].trim() {
                "" => Some(1),
                "K" => Some(1000),
                "Ki" => Some(1 << 10),
                "M" => Some(1_000_000),
                "Mi" => Some(1 << 20),
                "G" => Some(1_000_000_000),
                "Gi" => Some(1 << 30),
                "T" => Some(1_000_000_000_000),
                "Ti" => Some(1 << 40),
                _ => None,
            };
            unit.and_then(|unit| digits.parse::<u64>().ok()?.checked_mul(unit))
        }
        _ => None,
    };
    parsed.ok_or_else(|| format_err!("`{key}` is to be a number such as 1000 or \"512Mi\", and is {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_where_and_how_much() {
        assert_eq!(Limits::parse(TEMPLATE).unwrap(), Limits::default());
        let text = TEMPLATE.replace("# directory", "directory").replace("# file", "file");
        let limits = Limits {
            directory: Some("/home/user/.cache/lightbeam".into()),
            bytes: Some(512 << 20),
            files: Some(65536),
        };
        assert_eq!(Limits::parse(&text).unwrap(), limits);
        for (text, word) in [
            ("[cache]\ndirectory = \"here\"", "absolute"),
            ("[cache]\nfile-count-soft-limit = \"12 Q\"", "512Mi"),
            ("[cache]\nfile-count-soft-limit = -1", "and is -1"),
            ("[cache]\nbaseline-compression-level = 3", "`baseline-compression-level` means nothing here"),
            ("[cash]", "`cash`"),
            ("cache = 3", "table"),
        ] {
            let error = Limits::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
