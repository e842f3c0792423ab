//! The programs that `bench/fetch` gets from npm and PyPI, and work for those of them that run as WASI commands; and
//! the programs of `bench/simd`.

use crate::corpus::{self, Wasm};
use crate::unseen::{self, Script};
use anyhow::{Context, ensure};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What is fetched, with the module's name in tables. Those after the first four want a host of their own: they are
/// compiled, never run.
const FETCHED: [(&str, &str); 9] = [
    ("python.wasm", "cpython"),
    ("esbuild.wasm", "esbuild"),
    ("yosys/yosys.wasm", "yosys"),
    ("clang.wasm", "clang"),
    ("ruby.wasm", "ruby"),
    ("esbuild-js.wasm", "esbuild-js"),
    ("sql-js.wasm", "sql.js"),
    ("dart.wasm", "dart"),
    ("ffmpeg.wasm", "ffmpeg"),
];

/// The folder that `bench/fetch` fills.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("LIGHTBEAM_PROGRAMS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/programs"), PathBuf::from)
}

/// All modules that are fetched.
pub(crate) fn modules() -> anyhow::Result<Vec<Wasm>> {
    FETCHED.iter().map(|(file, name)| fetched(file, name)).collect()
}

/// The components that `bench/componentize` makes, with their names in tables.
pub(crate) fn components() -> anyhow::Result<Vec<Wasm>> {
    let read = |name: &str| {
        let path = folder().join(name).with_extension("wasm");
        ensure!(path.exists(), "{} is absent; `bench/componentize` makes it", path.display());
        Wasm::read(&path)
    };
    ["js-command", "js-server", "py-command", "py-server"].into_iter().map(read).collect()
}

fn fetched(file: &str, name: &str) -> anyhow::Result<Wasm> {
    let path = folder().join(file);
    ensure!(path.exists(), "{} is absent; `bench/fetch` gets it", path.display());
    Ok(Wasm { name: name.to_owned(), ..Wasm::read(&path)? })
}

/// A program and the work it is given, the same for every compiler.
pub(crate) struct Work {
    pub(crate) wasm: Wasm,
    /// Its arguments, its own name first.
    pub(crate) args: Vec<String>,
    pub(crate) stdin: Vec<u8>,
    /// Folders that it sees, and as what.
    pub(crate) folders: Vec<(PathBuf, &'static str)>,
    /// The folder that it may write to, if there is one, and as what it sees that.
    pub(crate) scratch: Option<(TempDir, &'static str)>,
    /// The file in that folder which is compared, if it is not its standard output that is.
    pub(crate) output: Option<&'static str>,
    /// What it must print, where that is known. Where it is not, it is what it printed first.
    pub(crate) expected: Option<Vec<u8>>,
    /// Does it say by itself when its work begins and ends? If not, its work is all from `_start` to exit.
    pub(crate) brackets: bool,
    /// How it is driven if it is a library; its standard input is what the script puts into its memory.
    pub(crate) script: Option<Script>,
}

impl Work {
    /// A program that says itself when its work begins and ends.
    fn bracketed(wasm: Wasm) -> anyhow::Result<Work> {
        Ok(Work {
            args: vec!["benchmark.wasm".to_owned()],
            stdin: Vec::new(),
            folders: vec![(wasm.path.parent().context("a file is in a folder")?.to_owned(), ".")],
            scratch: None,
            output: None,
            expected: wasm.expected_stdout()?,
            brackets: true,
            script: None,
            wasm,
        })
    }

    /// What is compared of a run that printed this on its standard output.
    pub(crate) fn printed(&self, stdout: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let (Some((scratch, _)), Some(output)) = (&self.scratch, self.output) else { return Ok(stdout) };
        let path = scratch.path().join(output);
        let printed = std::fs::read(&path).with_context(|| format!("it has not written {output}"))?;
        std::fs::remove_file(&path)?;
        Ok(printed)
    }
}

/// The corpus, with `simd` those of `bench/simd` and with `large` the fetched programs; or, of all, those with these
/// names.
pub(crate) fn works(names: &[String], simd: bool, large: bool) -> anyhow::Result<Vec<Work>> {
    let is_other = |name: &String| LARGE.contains(&name.as_str()) || SIMD.contains(&name.as_str()) || unseen::has(name);
    let asked = |name: &&str| names.iter().any(|asked| asked == name);
    let mut works = Vec::new();
    let small: Vec<String> = names.iter().filter(|name| !is_other(name)).cloned().collect();
    if names.is_empty() || !small.is_empty() {
        for wasm in corpus::programs(&small)? {
            works.push(Work::bracketed(wasm)?);
        }
    }
    for name in SIMD.into_iter().filter(|name| simd || asked(name)) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("simd").join(name).with_extension("wasm");
        works.push(Work::bracketed(Wasm::read(&path)?)?);
    }
    for name in LARGE.into_iter().filter(|name| large || asked(name)) {
        works.push(large_work(name)?);
    }
    if names.iter().any(|name| unseen::has(name)) {
        works.extend(unseen::works(names)?);
    }
    Ok(works)
}

/// The programs of `bench/simd`.
const SIMD: [&str; 6] = ["matrix", "blur", "text", "bits", "mandelbrot", "chacha"];

/// The fetched programs that are run.
const LARGE: [&str; 4] = ["cpython", "esbuild", "yosys", "clang"];

fn large_work(name: &str) -> anyhow::Result<Work> {
    let work = |file: &str, args: &[&str]| {
        anyhow::Ok(Work {
            wasm: fetched(file, name)?,
            args: args.iter().map(ToString::to_string).collect(),
            stdin: Vec::new(),
            folders: Vec::new(),
            scratch: None,
            output: None,
            expected: None,
            brackets: false,
            script: None,
        })
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(match name {
        "cpython" => Work {
            expected: Some(PYTHON_PRINTS.as_bytes().to_vec()),
            ..work("python.wasm", &["python", "-S", "-c", PYTHON])?
        },
        "esbuild" => Work {
            stdin: typescript(3000).into_bytes(),
            ..work("esbuild.wasm", &["esbuild", "--loader=ts", "--minify", "--target=es2017", "--log-level=error"])?
        },
        // Yosys has its technology mapper redirect the standard output, so what it says is in a file.
        "yosys" => Work {
            folders: vec![(folder().join("yosys/share"), "/share"), (here.join("yosys"), "/yosys")],
            scratch: Some((tempfile::tempdir()?, "/tmp")),
            output: Some("log"),
            ..work("yosys/yosys.wasm", &["yosys", "-Q", "-T", "-l", "/tmp/log", "-p", YOSYS])?
        },
        _ => Work {
            folders: vec![(folder().join("clang"), "/usr"), (here.join("simd"), "/simd")],
            ..work("clang.wasm", &["clang", "-O2", "-msimd128", "-S", "-o", "-", "/simd/text.c"])?
        },
    })
}

/// Synthesis of an arithmetic unit, and statistics of what it became.
const YOSYS: &str = "read_verilog /yosys/alu.v; synth; stat; write_verilog -noattr";

/// Calls, integers, strings, lists and dictionaries, in about the mix of an ordinary script.
const PYTHON: &str = "\
def queens(n, row=0, cols=0, up=0, down=0):
    if row == n: return 1
    found, free = 0, ~(cols | up | down) & ((1 << n) - 1)
    while free:
        bit = free & -free
        free ^= bit
        found += queens(n, row + 1, cols | bit, (up | bit) << 1, (down | bit) >> 1)
    return found
words = {}
for i in range(150000):
    word = 'w%d' % (i * 7919 % 3001)
    words[word] = words.get(word, 0) + len(word)
sieve = [True] * 200000
for i in range(2, 450):
    if sieve[i]:
        for j in range(i * i, 200000, i): sieve[j] = False
print(queens(8), sum(words.values()), sorted(words)[1500], sum(sieve) - 2)
";
const PYTHON_PRINTS: &str = "92 694518 w2348 17984\n";

/// A TypeScript module of so many functions.
fn typescript(functions: usize) -> String {
    let mut source = String::new();
    for i in 0..functions {
        let (next, kind) = ((i + 1) % functions, i % 7);
        write!(
            source,
            "export interface Shape{i} {{ readonly kind: {kind}; size?: number; tags: string[] }}\n\
             export async function* visit{i}(shape: Shape{i} | null, depth: number = {kind}): AsyncGenerator<string> {{\n\
             \x20 const {{ size = {i}, tags, ...rest }} = shape ?? {{ tags: [] as string[], kind: {kind} }};\n\
             \x20 for (const [at, tag] of tags.entries()) {{\n\
             \x20   if (at % 2 === 0 && depth > 0) {{ yield* visit{next}(null, depth - 1); continue; }}\n\
             \x20   yield `${{tag}}:${{size ** 2 + at * {kind}}}:${{(rest as any)?.kind ?? 'none'}}`;\n\
             \x20 }}\n\
             }}\n"
        )
        .expect("a string takes everything");
    }
    source
}
