//! `lightbeam serve`: Wasmtime's own server of HTTP, with the component compiled by Lightbeam.
//!
//! Wasmtime's command takes a path and makes its engine by itself. So its flags are parsed twice: first to make an
//! engine with the same settings, for which the component is compiled; then by Wasmtime's command, which is given them
//! again, with the artifact in place of the component. What it would find out of the machine for itself is said to it,
//! so that it cannot come to another result.

use crate::machine::{Piped, Sealed, ensure_server, limits_files, start_thread, without_panic};
use crate::{flags, input, report};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches, Parser as _};
use rustix::process::{Signal, getpid, kill_process};
use std::ffi::{OsStr, OsString};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use wasmtime::error::Context as _;
use wasmtime::{Config, Engine, Memory, MemoryType, Result, Store, bail};
use wasmtime_cli::commands;
use wasmtime_cli_flags::CommonOptions;

/// Bits of addresses that pools take, of the size that Wasmtime gives them.
const POOLED_BITS: u32 = 42;

/// Options that tell a compiler what to do, by group and name. Wasmtime's server has none and refuses them.
const OF_COMPILING: [(&str, &str); 8] = [
    ("codegen", "cache"),
    ("codegen", "cache-config"),
    ("codegen", "parallel-compilation"),
    ("codegen", "inlining"),
    ("codegen", "cranelift-debug-verifier"),
    ("debug", "guest-debug"),
    ("wasm", "nan-canonicalization"),
    ("wasm", "wmemcheck"),
];

/// Serves HTTP with a component that handles requests.
///
/// The flags are those of Wasmtime's command, which is the server; `--time`, `--verify` and `--compile-threads` are
/// added.
pub struct ServeCommand {
    given: Vec<Given>,
    file: PathBuf,
    allow_precompiled: bool,
    addr: SocketAddr,
    time: bool,
    verify: bool,
    compiling: flags::Compiling,
}

/// A flag of Wasmtime's server as it was given.
struct Given {
    long: String,
    value: Option<OsString>,
    /// Is it a flag of Wasmtime's `run`, too?
    of_run: bool,
}

impl FromArgMatches for ServeCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<ServeCommand, clap::Error> {
        ServeCommand::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<ServeCommand, clap::Error> {
        let required = |id: &str| clap::Error::raw(clap::error::ErrorKind::MissingRequiredArgument, id);
        Ok(ServeCommand {
            given: given(matches),
            file: matches.get_one::<PathBuf>("component").cloned().ok_or_else(|| required("FILE"))?,
            allow_precompiled: matches.get_flag("allow_precompiled"),
            addr: matches.get_one("addr").copied().ok_or_else(|| required("--addr"))?,
            time: matches.get_flag("time"),
            verify: matches.get_flag("verify"),
            compiling: flags::Compiling::from_arg_matches_mut(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = ServeCommand::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ServeCommand {
    fn augment_args(command: Command) -> Command {
        let command = commands::ServeCommand::augment_args(command)
            .mut_arg("allow_precompiled", flags::allow_precompiled)
            .mut_arg("profile", flags::profile)
            .mut_arg("component", |arg| {
                arg.value_name("FILE").help("The component, binary or text; `-` compiles standard input").long_help(
                    "The component, binary or text; `-` compiles standard input while it arrives.\n\n\
                     It has to export `wasi:http/incoming-handler` of WASI 0.2, or `wasi:http/handler` of WASI 0.3.",
                )
            })
            .arg(flags::time("Print to standard error how long each phase of compiling took"))
            .arg(flags::verify());
        // Each group of flags says what it is, the last of them of the whole.
        let about = "Serves HTTP with a component that handles requests";
        flags::Compiling::augment_args(command).about(about).long_about(None)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ServeCommand::augment_args(command)
    }
}

/// The flags of Wasmtime's server that were given.
fn given(matches: &ArgMatches) -> Vec<Given> {
    let run = commands::RunCommand::augment_args(Command::new("run"));
    let serve = commands::ServeCommand::augment_args(Command::new("serve"));
    let mut given = Vec::new();
    for arg in serve.get_arguments() {
        let id = arg.get_id().as_str();
        let Some(long) = arg.get_long().filter(|_| matches.value_source(id) == Some(ValueSource::CommandLine)) else {
            continue;
        };
        let of_run = run.get_arguments().any(|arg| arg.get_id() == id);
        let flag = |value| Given { long: long.to_owned(), value, of_run };
        if arg.get_action().takes_values() {
            let values = matches.get_raw(id).into_iter().flatten();
            given.extend(values.map(|value| flag(Some(value.to_owned()))));
        } else {
            given.push(flag(None));
        }
    }
    given
}

impl Given {
    fn is(&self, long: &str) -> bool {
        self.long == long
    }

    /// The flag as it is written on a command line.
    fn written(&self) -> OsString {
        match &self.value {
            Some(value) => written(&self.long, value),
            None => format!("--{}", self.long).into(),
        }
    }

    /// The flag as it is written for Wasmtime's server, which has no notion of some options. None if nothing is left.
    fn without_compiling(&self) -> Option<OsString> {
        let is_of_compiling = |item: &str| {
            let name = item.split('=').next().unwrap_or_default();
            OF_COMPILING.iter().any(|(group, option)| self.is(group) && name == *option)
        };
        match self.value.as_ref().and_then(|value| value.to_str()) {
            Some(value) if value.split(',').any(is_of_compiling) => {
                let left: Vec<_> = value.split(',').filter(|item| !is_of_compiling(item)).collect();
                if left.is_empty() { None } else { Some(written(&self.long, left.join(",").as_ref())) }
            }
            _ => Some(self.written()),
        }
    }
}

fn written(long: &str, value: &OsStr) -> OsString {
    let mut flag = OsString::from(format!("--{long}="));
    flag.push(value);
    flag
}

impl ServeCommand {
    /// Executes the command. Returns when the server has been asked to end and the requests are answered.
    pub fn execute(mut self) -> Result<ExitCode> {
        let config = self.configuration()?;
        let mut command = self.of_run(config.as_ref())?;
        let common = &mut command.run.common;
        // Reads the option groups. Logging itself is for the server to begin.
        common.init_logging()?;
        flags::refuse_meaningless(common)?;
        let chosen = self.compiling.choose(common);
        if common.wasi.http == Some(false) {
            bail!("`-S http=n` makes no sense here: without HTTP there is nothing to serve");
        }
        if common.wasm.component_model == Some(false) {
            bail!("`-W component-model=n` makes no sense here: only components can serve");
        }
        if common.wasm.concurrency_support == Some(false) {
            // Each request would fail.
            bail!("`-W concurrency-support=n` makes no sense here: the server has guests do several things at a time");
        }
        flags::refuse_of_modules(common)?;
        self.settle(common);
        // Otherwise each request would fail.
        input::ensure_directories(&command.run.dirs)?;

        let engine = command.new_engine()?;
        let compiler = chosen.compiler(&engine)?.time_sweeps(self.time).verify(self.verify);
        let artifact = input::compile(&compiler, &self.file)?;
        artifact.ensure_trusted(&self.file, self.allow_precompiled)?;
        if !artifact.is_component() {
            bail!(
                "`{}` is a core module; only a component that exports `wasi:http/incoming-handler` or \
                 `wasi:http/handler` can serve",
                self.file.display()
            );
        }
        if let Some(report) = artifact.report.as_ref().filter(|_| self.time) {
            report::print(report);
        }
        let explain = "failed to hand over the compiled component";
        // Code that is mapped from a file `perf` does not look up in its map.
        let mapped_for_perf = command.run.profile.as_ref().is_some_and(|profile| profile.to_string() == "perfmap");
        let (sealed, piped) = if mapped_for_perf {
            (None, Some(Piped::new(artifact.bytes).context(explain)?))
        } else {
            (Some(Sealed::new(&artifact.bytes).context(explain)?), None)
        };
        drop((compiler, engine));

        let path = sealed.as_ref().map(Sealed::path).or_else(|| piped.as_ref().map(Piped::path));
        let arguments = self.of_server(config.as_ref(), path.unwrap_or_default());
        let server = commands::ServeCommand::try_parse_from(arguments)?;
        ensure_server()?;
        end_as_interrupted()?;
        let served = without_panic(|| server.execute()).and_then(|served| served);
        served.map_err(|error| self.explained(error))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Reads the file of options, if one is given. It is read once, as it could change or be a pipe.
    fn configuration(&self) -> Result<Option<Configuration>> {
        let Some(given) = self.given.iter().find(|given| given.is("config")) else { return Ok(None) };
        let path = PathBuf::from(given.value.clone().unwrap_or_default());
        let explain = || format!("failed to read the options in `{}`", path.display());
        let text = std::fs::read_to_string(&path).with_context(explain)?;
        Configuration::new(&text).map(Some).with_context(explain)
    }

    /// Wasmtime's `run` with those of the flags that it has, too. Its engine is that of the server.
    fn of_run(&self, config: Option<&Configuration>) -> Result<commands::RunCommand> {
        let given = self.given.iter().filter(|given| given.of_run && !given.is("config"));
        let mut arguments: Vec<OsString> =
            [OsString::from("serve")].into_iter().chain(given.map(Given::written)).collect();
        if let Some(config) = config {
            arguments.push(written("config", config.whole.path().as_os_str()));
        }
        arguments.extend(["--debug=logging=n".into(), "-".into()]);
        Ok(commands::RunCommand::try_parse_from(arguments)?)
    }

    /// Decides what Wasmtime would find out of the machine, and says it to both.
    fn settle(&mut self, common: &mut CommonOptions) {
        let opts = &mut common.opts;
        let mut say = |option: &mut Option<bool>, name: &str, on: bool| {
            *option = Some(on);
            let value = format!("{name}={}", if on { "y" } else { "n" });
            self.given.push(Given { long: "optimize".into(), value: Some(value.into()), of_run: true });
        };
        if opts.pooling_allocator.is_none() {
            say(&mut opts.pooling_allocator, "pooling-allocator", has_room_for_pools());
        }
        // What is compiled already may have been made for another setting.
        if opts.memory_init_cow.is_none() && limits_files() && !self.allow_precompiled {
            say(&mut opts.memory_init_cow, "memory-init-cow", false);
        }
    }

    /// What Wasmtime's server is given: all that was, and the artifact in place of the component.
    fn of_server(&self, config: Option<&Configuration>, artifact: PathBuf) -> Vec<OsString> {
        let ours = ["config", "allow-precompiled", "target"];
        let given = self.given.iter().filter(|given| !ours.iter().any(|name| given.is(name)));
        let given = given.filter_map(Given::without_compiling);
        let mut arguments: Vec<OsString> = [OsString::from("serve")].into_iter().chain(given).collect();
        if let Some(config) = config {
            arguments.push(written("config", config.of_server.path().as_os_str()));
        }
        arguments.extend(["--allow-precompiled".into(), artifact.into()]);
        arguments
    }

    /// What went wrong, with the address if it is that.
    fn explained(&self, error: wasmtime::Error) -> wasmtime::Error {
        use io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied};
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(AddrInUse | AddrNotAvailable | PermissionDenied) => {
                let addresses = self.given.iter().filter(|given| given.is("addr") || given.is("shutdown-addr"));
                let mut addresses: Vec<_> = addresses.map(|given| given.written().display().to_string()).collect();
                if addresses.is_empty() {
                    addresses.push(self.addr.to_string());
                }
                error.context(format!("failed to listen on `{}`", addresses.join("` or `")))
            }
            _ => error.context(format!("failed to serve `{}`", self.file.display())),
        }
    }
}

/// A file of options.
struct Configuration {
    whole: Sealed,
    /// Without what Wasmtime's server has no notion of.
    of_server: Sealed,
}

impl Configuration {
    fn new(text: &str) -> Result<Configuration> {
        // It is Wasmtime's to say what is an option.
        toml::from_str::<CommonOptions>(text)?;
        let mut options: toml::Table = text.parse()?;
        for (group, name) in OF_COMPILING {
            if let Some(group) = options.get_mut(group).and_then(toml::Value::as_table_mut) {
                group.remove(name);
            }
        }
        let of_server = Sealed::new(toml::to_string(&options)?.as_bytes())?;
        Ok(Configuration { whole: Sealed::new(text.as_bytes())?, of_server })
    }
}

/// Is there room for Wasmtime's pools? It has them for a server wherever they fit.
fn has_room_for_pools() -> bool {
    let reserve = || {
        let mut config = Config::new();
        config.wasm_memory64(true).memory_reservation(1 << POOLED_BITS);
        let mut store = Store::new(&Engine::new(&config)?, ());
        Memory::new(&mut store, MemoryType::new64(0, Some(1 << (POOLED_BITS - 16))))
    };
    reserve().is_ok()
}

/// Has a termination end the server as an interrupt does, of which Wasmtime knows.
///
/// It begins to listen for the second a moment after it says that it does: so that one is repeated until it is heard.
fn end_as_interrupted() -> Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build().context("failed to prepare for signals")?;
    let terminations = runtime.block_on(async { signal(SignalKind::terminate()) });
    let mut terminations = terminations.context("failed to prepare for signals")?;
    start_thread("signals", move || {
        // One to itself can always be sent.
        let interrupt = || {
            let _ = kill_process(getpid(), Signal::INT);
        };
        runtime.block_on(terminations.recv());
        interrupt();
        runtime.block_on(terminations.recv());
        loop {
            interrupt();
            thread::sleep(Duration::from_millis(20));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags that say something of the engine or of compiling, some of them in many ways.
    const FLAGS: &[&str] = &[
        "-Opooling-allocator=n",
        "-Opooling-allocator=y,pooling-total-memories=7",
        "-Opooling-allocator=n,memory-reservation=65536,memory-guard-size=0",
        "-Omemory-may-move=n",
        "-Omemory-init-cow=n",
        "-Osignals-based-traps=n",
        "-Otable-lazy-init=n",
        "-Opooling-allocator=n,gc-heap-reservation=65536",
        "-Wfuel=18446744073709551615",
        "-Wepoch-interruption",
        "-Wtimeout=5s",
        "-Wconcurrency-support=n",
        "-Wcomponent-model-async=n",
        "-Wsimd=n,relaxed-simd=n",
        "-Wmemory64=n",
        "-Wgc=y,function-references=y",
        "-Wmax-wasm-stack=65536",
        "-Wrelaxed-simd-deterministic",
        "-Wmax-memory-size=1000000",
        "-Ccollector=null",
        "-Cparallel-compilation=n,native-unwind-info=n",
        "-Cparallel-compilation=y",
        "-Dguest-debug=n",
        "-Cinlining=n,cranelift-debug-verifier=n",
        "-Wwmemcheck=n",
        "-Ccache=n",
        "--target=x86_64-unknown-linux-gnu",
        "-Wnan-canonicalization,epoch-interruption=n",
        "-Daddress-map=n",
        "-Dcoredump=/nowhere/core",
        "-Dmax-backtrace=0",
        "-Sconfig,config-var=a=b c",
        "--env=A=b, c",
        "--profile=guest,/nowhere,5ms",
        "--profile=perfmap",
    ];

    fn parsed(flags: &[&str]) -> ServeCommand {
        let command = ServeCommand::augment_args(Command::new("serve"));
        let arguments = ["serve"].iter().chain(flags).chain(&["x.wat"]);
        ServeCommand::from_arg_matches(&command.get_matches_from(arguments)).unwrap()
    }

    /// Wasmtime's `run` with the flags of a server, and its engine.
    fn engine(command: &mut commands::RunCommand) -> (String, Engine) {
        command.run.allow_precompiled = true;
        command.run.common.init_logging().unwrap();
        command.run.common.config = None;
        let flags = command.run.to_string();
        (flags, command.new_engine().unwrap())
    }

    fn check(flags: &[&str]) {
        let mut serve = parsed(flags);
        let config = serve.configuration().unwrap();
        let mut command = serve.of_run(config.as_ref()).unwrap();
        let common = &mut command.run.common;
        common.init_logging().unwrap();
        flags::refuse_meaningless(common).unwrap();
        let chosen = serve.compiling.choose(common);
        serve.settle(common);
        let (compiled_by, compiles) = engine(&mut command);

        let arguments = serve.of_server(config.as_ref(), "x.cwasm".into());
        let server = commands::ServeCommand::augment_args(Command::new("serve"));
        let given = given(&server.try_get_matches_from(arguments).unwrap());
        let arguments = given.iter().filter(|given| given.of_run).map(Given::written);
        let arguments = [OsString::from("serve")].into_iter().chain(arguments);
        let arguments = arguments.chain(["--debug=logging=n".into(), "-".into()]);
        let mut loads = commands::RunCommand::try_parse_from(arguments).unwrap();
        let (served_by, serves) = engine(&mut loads);

        assert_eq!(compiled_by, served_by, "{flags:?}");
        let compiler = chosen.compiler(&compiles).unwrap();
        let component = "(component (core module (memory 1) (func (param i32) (result i32) local.get 0 i32.load)))";
        let artifact = compiler.precompile_component(component).unwrap();
        let loaded = loads.run.load_module(&serves, "artifact".as_ref(), Some(&artifact));
        loaded.unwrap_or_else(|error| panic!("{flags:?}: {error:#}"));
    }

    #[test]
    fn what_it_is_compiled_for_is_what_serves() {
        check(&[]);
        for flag in FLAGS {
            check(&[flag]);
        }
        // Not all of them go together.
        let together = FLAGS.iter().filter(|flag| !flag.contains("memory-") && **flag != "--profile=perfmap");
        check(&together.copied().collect::<Vec<_>>());
    }

    #[test]
    fn a_file_of_options_says_the_same_to_both() {
        let path = std::env::temp_dir().join(format!("lightbeam-serve-{}.toml", std::process::id()));
        let text = "[wasm]\nnan-canonicalization = true\nfuel = 5\nmulti-memory = false\n[codegen]\nparallel-compilation = true\ncollector = \"null\"\n\
                    [debug]\nguest-debug = false\n[optimize]\nmemory-guard-size = 65536\n";
        std::fs::write(&path, text).unwrap();
        let config = format!("--config={}", path.display());
        check(&[&config]);
        check(&[&config, "-Wfuel=6", "-Omemory-init-cow=n"]);
        for wrong in ["[wasm]\nfule = 5\n", "[wasm", "[wasi]\nhttp = 3\n"] {
            std::fs::write(&path, wrong).unwrap();
            let error = parsed(&[&config]).configuration().map(drop).unwrap_err();
            assert!(error.to_string().contains("failed to read the options in"), "{error:#}");
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn flags_are_handed_on_as_they_were_given() {
        let serve =
            parsed(&["--addr=[::1]:80", "-Haccept: a, b", "-H", "x: 1", "--no-logging-prefix", "--env", "A=-b"]);
        let arguments = serve.of_server(None, "x.cwasm".into());
        for argument in
            ["--addr=[::1]:80", "--header=accept: a, b", "--header=x: 1", "--no-logging-prefix", "--env=A=-b"]
        {
            assert!(arguments.iter().any(|given| given == argument), "no {argument} in {arguments:?}");
        }
        // Those that nobody gave are the server's to know.
        assert!(!arguments.iter().any(|given| given.to_string_lossy().contains("idle")), "{arguments:?}");
    }
}
