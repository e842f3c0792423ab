//! Machine code as expected: each file below `filetests` is a module and, in comments after it, the code of its
//! functions. `LIGHTBEAM_BLESS=1` writes the code that is given now; what changed is then for the reader to judge.
//!
//! A line `;; settings: WORD...` asks for processor features by name (the floor is all there is otherwise), `fuel`,
//! `epochs`, `no-signals`, `no-spectre`, or `checks` for memories without guards.

use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, Mnemonic, OpKind};
use libtest_mimic::{Arguments, Failed, Trial};
use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::shared;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use wasmtime::{Engine, Module};

/// What separates a module from its code.
const MARK: &str = "\n;; x64:\n";

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("filetests");
    let trials = shared::files(&folder, "wat").into_iter().map(|path| {
        let name = path.strip_prefix(&folder).expect("found below it").display().to_string();
        Trial::test(format!("filetests/{name}"), move || file(&path))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn file(path: &PathBuf) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let (wat, expected) = text.split_once(MARK).unwrap_or((text.trim_end(), ""));
    let setup = settings(wat)?;
    let engine = Engine::new(&setup.config()).map_err(|error| format!("{error:?}"))?;
    let compiler = setup.lightbeam(&engine).map_err(|error| format!("{error:?}"))?;
    let artifact = compiler.module(wat).map_err(|error| format!("{error:?}"))?;
    let actual = functions(&artifact);
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("LIGHTBEAM_BLESS").is_some() {
        std::fs::write(path, format!("{wat}{MARK}{actual}"))?;
        return Ok(());
    }
    Err(format!("{}LIGHTBEAM_BLESS=1 accepts the code given now", changes(expected, &actual)).into())
}

fn settings(wat: &str) -> Result<Setup, Failed> {
    let mut setup = Setup { without: Without::ALL, ..Setup::default() };
    let words = wat.lines().find_map(|line| line.strip_prefix(";; settings:")).unwrap_or_default();
    for word in words.split_whitespace() {
        match (word, Without::NAMES.iter().position(|name| *name == word)) {
            (_, Some(bit)) => setup.without.0 &= !(1 << bit),
            ("fuel", _) => setup.fuel = true,
            ("epochs", _) => setup.epochs = true,
            ("no-signals", _) => setup.signals = false,
            ("no-spectre", _) => setup.spectre = false,
            ("checks", _) => (setup.reservation, setup.guard) = (Some(0), Some(0)),
            _ => return Err(format!("no such setting: {word}").into()),
        }
    }
    Ok(setup)
}

/// The lines that differ, with a few around them.
fn changes(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[same..].iter().rev().zip(new[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut text = String::new();
    for line in &old[same.saturating_sub(3)..same] {
        writeln!(text, "  {line}").expect("a string takes all");
    }
    for (sign, lines, all) in [('-', &old[same..old.len() - tail], &old), ('+', &new[same..new.len() - tail], &new)] {
        for line in lines.iter().take(40) {
            writeln!(text, "{sign} {line}").expect("a string takes all");
        }
        writeln!(text, "  ({} of {} lines)", lines.len(), all.len()).expect("a string takes all");
    }
    text
}

/// The private bodies of all functions, as comments.
fn functions(module: &Module) -> String {
    let text = module.text();
    let mut names = BTreeMap::new();
    let mut bodies = Vec::new();
    for function in module.functions() {
        let name = function.name.clone().unwrap_or_else(|| format!("{}", function.index.as_u32()));
        let (start, end) = (function.offset, function.offset + function.len);
        // A function that can be called from outside begins with a jump to its other entry.
        let body = if text[start] == 0xe9 { (start + 5).next_multiple_of(16) } else { start };
        names.insert(body as u64, name.clone());
        bodies.push((name, body..end));
    }
    let mut out = String::new();
    for (name, body) in bodies {
        writeln!(out, ";; ${name}").expect("a string takes all");
        let instructions: Vec<Instruction> =
            Decoder::with_ip(64, &text[body.clone()], body.start as u64, DecoderOptions::NONE).into_iter().collect();
        let instructions = &instructions[prologue(&instructions)..];
        let constants = instructions.iter().filter_map(constant).min().unwrap_or(u64::MAX);
        let code = instructions.iter().take_while(|i| i.ip() < constants).count();
        print(&instructions[..code], text, &names, &mut out);
    }
    out
}

/// Where the constant behind the code is that an instruction refers to, if it does. Tables are referred to by `lea`.
fn constant(i: &Instruction) -> Option<u64> {
    let refers =
        i.is_ip_rel_memory_operand() && i.mnemonic() != Mnemonic::Lea && i.ip_rel_memory_address().is_multiple_of(16);
    refers.then(|| i.ip_rel_memory_address())
}

/// How many instructions make the frame and check the stack: the same for all functions, but for the frame's size.
fn prologue(code: &[Instruction]) -> usize {
    let is = |at: usize, mnemonic| code.get(at).is_some_and(|i: &Instruction| i.mnemonic() == mnemonic);
    if !(is(0, Mnemonic::Push) && is(1, Mnemonic::Mov)) {
        return 0;
    }
    // The frame's size is filled in last; where there is no frame, a longer no-operation fills its place.
    let after_frame = if is(2, Mnemonic::Sub) || is(2, Mnemonic::Nop) { 3 } else { 2 };
    if is(after_frame, Mnemonic::Mov) && is(after_frame + 1, Mnemonic::Cmp) && is(after_frame + 2, Mnemonic::Jb) {
        return after_frame + 3;
    }
    after_frame
}

/// One instruction a line. Jumps go to numbered labels, so that a change of length shows at one place only.
fn print(code: &[Instruction], text: &[u8], names: &BTreeMap<u64, String>, out: &mut String) {
    let is_branch = |i: &&Instruction| i.op_count() == 1 && i.op0_kind() == OpKind::NearBranch64;
    let inside = |target: &u64| code.iter().any(|i| i.ip() == *target);
    let mut targets: Vec<u64> = code.iter().filter(is_branch).map(Instruction::near_branch64).filter(inside).collect();
    targets.sort_unstable();
    targets.dedup();
    let label = |target: u64| targets.binary_search(&target).ok().map(|number| format!("L{number}"));
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_space_after_operand_separator(true);
    formatter.options_mut().set_hex_prefix("0x");
    formatter.options_mut().set_hex_suffix("");
    formatter.options_mut().set_small_hex_numbers_in_decimal(true);
    formatter.options_mut().set_branch_leading_zeros(false);
    for instruction in code {
        if let Some(label) = label(instruction.ip()) {
            writeln!(out, ";; {label}:").expect("a string takes all");
        }
        let mut line = String::new();
        if is_branch(&instruction) {
            let target = instruction.near_branch64();
            let place = label(target)
                .or_else(|| names.get(&target).map(|name| format!("${name}")))
                .unwrap_or_else(|| "elsewhere".into());
            line = format!("{} {place}", format!("{:?}", instruction.mnemonic()).to_lowercase());
        } else {
            formatter.format(instruction, &mut line);
            if let (Some(at), Some(open)) = (constant(instruction), line.find('[')) {
                // What it is says more than where.
                let bits: [u8; 16] = text[at as usize..][..16].try_into().expect("of this length");
                let rest = line.split_once(']').map_or("", |(_, rest)| rest).to_string();
                line.replace_range(open.., &format!("[{:#034x}]{rest}", u128::from_le_bytes(bits)));
            }
        }
        // Padding behind the code says nothing.
        if instruction.mnemonic() != Mnemonic::Int3 {
            writeln!(out, ";;   {line}").expect("a string takes all");
        }
    }
}
