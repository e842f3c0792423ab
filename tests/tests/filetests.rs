//! The file tests of the compiler, in `crates/compiler/filetests`, once more with a host: the facts that those tests
//! make up must be such as Wasmtime's are. So every module is compiled for an engine with the settings of its file,
//! which proves the code besides, and each function must consist of the instructions that the file expects. Where its
//! frame is made and taken down, which files mostly leave out, the host's code may have more.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};
use libtest_mimic::{Arguments, Failed, Trial};
use lightbeam_tests::backend::{Setup, Without, costs_of};
use lightbeam_tests::shared;
use std::path::Path;
use wasmtime::{Collector, Engine, Module};

/// What begins the code for x86-64; features of the processor follow.
const MARK: &str = ";;! x64";

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/compiler/filetests");
    // What imports are no module knows; `sync_calls.rs` finds that code in components.
    let known = |path: &Path| path.strip_prefix(&folder).is_ok_and(|name| name.starts_with("component"));
    let trials: Vec<Trial> = shared::files(&folder, "wat")
        .into_iter()
        .filter(|path| !known(path))
        .map(|path| {
            let name = path.strip_prefix(&folder).expect("found below it").display().to_string();
            Trial::test(format!("hosted/{name}"), move || file(&std::fs::read_to_string(&path)?))
        })
        .collect();
    assert!(!trials.is_empty(), "there are file tests in {}", folder.display());
    libtest_mimic::run(&arguments, trials).exit();
}

fn file(text: &str) -> Result<(), Failed> {
    let mut parts = text.split(MARK);
    let wat = parts.next().unwrap_or_default();
    let mut compared = 0;
    if wat.lines().any(|line| line.starts_with(";; settings:") && line.contains(" component")) {
        return in_component(wat, parts.count());
    }
    for part in parts {
        let (features, expected) = part.split_once('\n').ok_or("the mark is a line")?;
        let setup = setup(wat, features)?;
        let mut config = setup.config();
        let is_set = |word| wat.lines().any(|line| line.starts_with(";; settings:") && line.contains(word));
        // Of the collector's heap.
        if is_set(" heap-checks") {
            config.gc_heap_reservation(0).gc_heap_guard_size(0).gc_heap_reservation_for_growth(0);
        }
        if is_set(" costs") {
            config.operator_cost(costs_of(|name| match name {
                "End" => 100,
                _ if name.contains("_per_") => 5,
                _ => 3,
            }));
        }
        let engine = Engine::new(&config).map_err(|error| format!("{error:?}"))?;
        let compiler = setup.lightbeam(&engine).map_err(|error| format!("{error:?}"))?;
        let module = compiler.module(wat).map_err(|error| format!("{error:?}"))?;
        for function in module.functions() {
            let name =
                function.name.clone().map_or(format!("func {}", function.index.as_u32()), |name| format!("${name}"));
            let heading = format!(";; {name}\n");
            let (_, code) = expected.split_once(&heading).ok_or_else(|| format!("{name} is not in the file"))?;
            compared += 1;
            // Tables of branches stand between instructions.
            let lines = || code.lines().take_while(|line| line.starts_with(";;  ") || line.ends_with(':'));
            if lines().any(|line| line.starts_with(";;   L")) {
                continue;
            }
            let wanted = pieces(lines());
            let given = mnemonics(&module, function.offset..function.offset + function.len);
            if !agree(&wanted, &given) {
                return Err(format!("{name}: expected {wanted:?}, compiled for the host {given:?}").into());
            }
        }
    }
    if compared == 0 { Err("no function was compared".into()) } else { Ok(()) }
}

/// The code of a component's module is none that can be asked for by the name of its function; that it is proved is
/// all.
fn in_component(wat: &str, codes: usize) -> Result<(), Failed> {
    let engine = Engine::new(&Setup::default().config()).map_err(|error| format!("{error:?}"))?;
    let compiler = Setup::default().lightbeam(&engine).map_err(|error| format!("{error:?}"))?;
    let module = wat.replacen("(module", "(core module", 1);
    compiler.component(format!("(component {module})")).map_err(|error| format!("{error:?}"))?;
    if codes == 0 { Err("the file has no code".into()) } else { Ok(()) }
}

fn setup(wat: &str, features: &str) -> Result<Setup, Failed> {
    let mut setup = Setup { without: Without::ALL, ..Setup::default() };
    for word in features.split_whitespace() {
        let bit = lightbeam::CpuFeatures::NAMES.iter().position(|name| *name == word).ok_or("a feature of x86-64")?;
        setup.without.0 &= !(1 << bit);
    }
    let words = wat.lines().find_map(|line| line.strip_prefix(";; settings:")).unwrap_or_default();
    for word in words.split_whitespace() {
        match word {
            "fuel" => setup.fuel = true,
            "epochs" => setup.epochs = true,
            "no-signals" => setup.signals = false,
            "no-spectre" => setup.spectre = false,
            "checks" => (setup.reservation, setup.guard) = (Some(0), Some(0)),
            // `config` sees to them.
            "heap-checks" | "costs" => {}
            "eager-tables" => setup.lazy_tables = false,
            "deterministic" => setup.deterministic = true,
            "canonical-nans" => setup.canonical_nans = true,
            "debug" => setup.debug = true,
            "counting" => setup.collector = Collector::DeferredReferenceCounting,
            "no-collector" => setup.collector = Collector::Null,
            "frame" | "routines" | "left-to-judge" => {}
            _ => return Err(format!("no host knows the setting `{word}`").into()),
        }
    }
    Ok(setup)
}

/// The mnemonics of a function as a file has them, apart where its frame is taken down.
fn pieces<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
    let mut pieces = vec![Vec::new()];
    for line in lines.filter_map(|line| line.strip_prefix(";;   ")) {
        match line.split(' ').find(|word| !matches!(*word, "lock" | "rep")).unwrap_or_default() {
            "padding" => {}
            "return" => pieces.push(Vec::new()),
            mnemonic => pieces.last_mut().expect("there is a piece").push(plain(mnemonic)),
        }
    }
    pieces
}

/// A compare of vectors without what it asks, which some write as part of the mnemonic.
fn plain(mnemonic: &str) -> String {
    const ENDINGS: [&str; 4] = ["ps", "pd", "ss", "sd"];
    let compare = ["vcmp", "cmp"].into_iter().find(|compare| mnemonic.starts_with(compare));
    match (compare, ENDINGS.into_iter().find(|ending| mnemonic.ends_with(ending))) {
        (Some(compare), Some(ending)) => format!("{compare}{ending}"),
        _ => mnemonic.to_string(),
    }
}

/// The mnemonics of a range of a module's text that is a function.
fn mnemonics(module: &Module, range: std::ops::Range<usize>) -> Vec<String> {
    let code: Vec<Instruction> =
        Decoder::with_ip(64, &module.text()[range.clone()], range.start as u64, DecoderOptions::NONE)
            .into_iter()
            .collect();
    // Constants stand behind the code.
    let refers = |i: &Instruction| i.is_ip_rel_memory_operand() && i.mnemonic() != Mnemonic::Lea;
    let constants = code.iter().filter(|i| refers(i)).map(Instruction::ip_rel_memory_address).min().unwrap_or(u64::MAX);
    let code = code.iter().filter(|i| i.ip() < constants && !matches!(i.mnemonic(), Mnemonic::Nop | Mnemonic::Int3));
    code.map(|i| format!("{:?}", i.mnemonic()).to_lowercase()).collect()
}

/// Is the host's function that of the file, with what makes the frame in front and what takes it down between?
fn agree(wanted: &[Vec<String>], given: &[String]) -> bool {
    let [first, rest] = wanted else { return wanted.len() == 1 && given.ends_with(&wanted[0]) };
    let Some(given) = given.strip_suffix(rest.as_slice()) else { return false };
    // Without a frame there is nothing else.
    if given.strip_suffix(&["ret".to_string()]).is_some_and(|given| given == first.as_slice()) {
        return true;
    }
    // As many registers are given back as there are preserved ones, at most.
    given
        .strip_suffix(&["leave".to_string(), "ret".to_string()])
        .is_some_and(|given| (0..=3).any(|back| given.len() >= back && given[..given.len() - back].ends_with(first)))
}
