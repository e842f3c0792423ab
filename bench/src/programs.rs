//! The programs that `bench/fetch` gets from npm, and work for those of them that run as WASI commands.

use crate::corpus::{self, Wasm};
use anyhow::{Context, ensure};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What is fetched, with the module's name in tables. Those after the first two want a host of their own: they are
/// compiled, never run.
const FETCHED: [(&str, &str); 5] = [
    ("python.wasm", "cpython"),
    ("esbuild.wasm", "esbuild"),
    ("ruby.wasm", "ruby"),
    ("esbuild-js.wasm", "esbuild-js"),
    ("sql-js.wasm", "sql.js"),
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

fn fetched(file: &str, name: &str) -> anyhow::Result<Wasm> {
    let path = folder().join(file);
    ensure!(path.exists(), "{} is absent; `bench/fetch` gets it from npm", path.display());
    Ok(Wasm { name: name.to_owned(), ..Wasm::read(&path)? })
}

/// A program and the work it is given, the same for every compiler.
pub(crate) struct Work {
    pub(crate) wasm: Wasm,
    /// Its arguments, its own name first.
    pub(crate) args: Vec<String>,
    pub(crate) stdin: Vec<u8>,
    /// The folder that it sees as `.`, if it sees one.
    pub(crate) folder: Option<PathBuf>,
    /// What it must print on its standard output, where that is known. Where it is not, it is what it printed first.
    pub(crate) stdout: Option<Vec<u8>>,
    /// Does it say by itself when its work begins and ends? If not, its work is all from `_start` to exit.
    pub(crate) brackets: bool,
}

/// The corpus, and with `large` the fetched programs; or, of both, those with these names.
pub(crate) fn works(names: &[String], large: bool) -> anyhow::Result<Vec<Work>> {
    let is_large = |name: &String| LARGE.contains(&name.as_str());
    let mut works = Vec::new();
    let small: Vec<String> = names.iter().filter(|name| !is_large(name)).cloned().collect();
    if names.is_empty() || !small.is_empty() {
        for wasm in corpus::programs(&small)? {
            works.push(Work {
                args: vec!["benchmark.wasm".to_owned()],
                stdin: Vec::new(),
                folder: Some(wasm.path.parent().context("a file is in a folder")?.to_owned()),
                stdout: wasm.expected_stdout()?,
                brackets: true,
                wasm,
            });
        }
    }
    for name in LARGE.into_iter().filter(|name| large || names.iter().any(|asked| asked == name)) {
        works.push(large_work(name)?);
    }
    Ok(works)
}

/// The fetched programs that are run.
const LARGE: [&str; 2] = ["cpython", "esbuild"];

fn large_work(name: &str) -> anyhow::Result<Work> {
    let args = |args: &[&str]| args.iter().map(ToString::to_string).collect();
    let (file, args, stdin, stdout): (_, Vec<String>, _, Option<&str>) = match name {
        "cpython" => ("python.wasm", args(&["python", "-S", "-c", PYTHON]), Vec::new(), Some(PYTHON_PRINTS)),
        _ => {
            let flags = ["esbuild", "--loader=ts", "--minify", "--target=es2017", "--log-level=error"];
            ("esbuild.wasm", args(&flags), typescript(3000).into_bytes(), None)
        }
    };
    let stdout = stdout.map(|stdout| stdout.as_bytes().to_vec());
    Ok(Work { wasm: fetched(file, name)?, args, stdin, folder: None, stdout, brackets: false })
}

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
