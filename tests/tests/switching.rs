//! Code that switches stacks, with one thing changed: the verifier rejects it, or it does the same.
//!
//! Of the routines every bit is tried (a part of them in an ordinary run, all with `LIGHTBEAM_SWITCHING`), and every
//! instruction is left out; of the functions that call them, all that a routine is given.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, Register};
use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::generate::continuations;
use lightbeam_tests::random::Random;
use lightbeam_tests::{mutants, verification};
use lightbeam_verify::Prover;
use lightbeam_verify::artifact::Artifact;
use lightbeam_verify::facts::{Facts, Tables};
use lightbeam_verify::layout::Description;
use std::collections::BTreeMap;

/// Every operator over stacks, with values of 8 bytes and of 16, references among them, and handlers of all sorts.
const MODULE: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (type $cunary (cont $unary))
  (type $ft (func (param i32 i64 (ref null $unary)) (result i32)))
  (type $ct (cont $ft))
  (type $f1 (func (param (ref null $unary)) (result i32)))
  (type $c1 (cont $f1))
  (type $fv (func (param v128 i32) (result i32)))
  (type $cv (cont $fv))
  (type $fk (func (param (ref null $c1) f64) (result i32)))
  (type $ck (cont $fk))
  (rec (type $fs (func (param i32 (ref null $cs)) (result i32))) (type $cs (cont $fs)))
  (rec (type $fw (func (param v128 (ref null $cw)) (result i32))) (type $cw (cont $fw)))
  (memory 1 8)
  (tag $a (param i32 (ref null $unary)) (result i32))
  (tag $b (param i64) (result i32))
  (tag $w (result i32))
  (tag $e (param i32))
  (global $sum (mut i32) (i32.const 0))
  (table $kept 2 (ref null $ct))
  (elem declare func $task $vectors $keeper $s $t $run)
  (func $task (type $ft)
    (global.set $sum (suspend $a (local.get 0) (local.get 2)))
    (drop (memory.grow (i32.const 1)))
    (i32.add (suspend $b (local.get 1)) (i32.load (i32.const 8))))
  (func $vectors (type $fv)
    (i32.add (i32x4.extract_lane 1 (local.get 0)) (local.get 1)))
  (func $keeper (type $fk)
    (resume $c1 (ref.null $unary) (local.get 0)))
  (func $s (type $fs)
    (switch $cs $w (i32.add (local.get 0) (i32.const 1)) (local.get 1))
    (drop) (drop) (unreachable))
  (func $t (type $fw)
    (switch $cw $w (local.get 0) (local.get 1))
    (drop) (drop) (unreachable))
  (func $run (export "run") (type $unary) (local $k (ref null $ct)) (local $u (ref null $cunary))
    (local.set $k (cont.new $ct (ref.func $task)))
    (block $hb (result i64 (ref $cunary))
      (block $ha (result i32 (ref null $unary) (ref $cunary))
        (return (resume $ct (on $a $ha) (on $b $hb) (on $w switch)
          (local.get 0) (i64.const 7) (ref.func $run) (local.get $k))))
      (local.set $u)
      (drop) (drop)
      (block $again (result i64 (ref $cunary))
        (return (resume $cunary (on $b $again) (i32.const 5) (local.get $u))))
      (br $hb))
    (local.set $u) (drop)
    (resume $cunary (i32.const 6) (local.get $u)))
  (func (export "bind") (param i32) (result i32)
    (i32.add
      (resume $c1 (ref.null $unary)
        (cont.bind $ct $c1 (local.get 0) (i64.const 2) (cont.new $ct (ref.func $task))))
      (resume $cunary (local.get 0)
        (cont.bind $cv $cunary (v128.const i32x4 1 2 3 4) (cont.new $cv (ref.func $vectors))))))
  (func (export "keep") (param i32) (result i32)
    (table.set $kept (local.get 0) (cont.new $ct (ref.func $task)))
    (resume $ck
      (cont.bind $ct $c1 (local.get 0) (i64.const 2) (table.get $kept (local.get 0)))
      (f64.const 1) (cont.new $ck (ref.func $keeper))))
  (func (export "throw") (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $e $h)
        (resume_throw $ct $e (local.get 0) (cont.new $ct (ref.func $task))))))
  (func (export "switch") (param i32) (result i32)
    (i32.add
      (resume $cs (on $w switch) (local.get 0) (ref.null $cs) (cont.new $cs (ref.func $s)))
      (resume $cw (on $w switch) (v128.const i32x4 1 2 3 4) (ref.null $cw) (cont.new $cw (ref.func $t))))))"#;

/// An artifact that is proved.
struct Subject {
    facts: Facts,
    tables: Tables,
    text: Vec<u8>,
    /// Where each routine begins and ends, and a function that calls it.
    routines: Vec<(u32, u32, u32)>,
}

/// The instructions from one offset to another, one behind the other.
fn instructions(text: &[u8], from: u32, to: u32) -> Vec<Instruction> {
    let code = &text[from as usize..to as usize];
    Decoder::with_ip(64, code, from.into(), DecoderOptions::NONE).into_iter().collect()
}

impl Subject {
    fn new(setup: &Setup) -> Subject {
        let (_, compiler) = mutants::engine(setup).unwrap();
        let wasm = wat::parse_str(MODULE).unwrap();
        let artifact = compiler.verify(true).precompile(&wasm).unwrap();
        let parsed = Artifact::parse(&artifact).unwrap();
        let description = Description::parse(&parsed).unwrap();
        let (facts, tables) = (description.facts(setup.spectre).unwrap(), description.tables(&parsed).unwrap());
        let text = parsed.text.to_vec();
        let mut callers = BTreeMap::new();
        for (function, range) in tables.functions.iter().enumerate() {
            let code = instructions(&text, range.start, range.end);
            for pair in code.windows(2).filter(|pair| is_unpaired(&pair[0], &pair[1])) {
                callers.entry(pair[1].near_branch_target() as u32).or_insert(function as u32);
            }
        }
        let routines = callers.iter().map(|(&start, &function)| (start, end_of(&text, start), function)).collect();
        Subject { facts, tables, text, routines }
    }

    /// Is a function proved, and what it calls, if the text is this?
    fn accepts(&self, text: &[u8], function: u32) -> bool {
        let prover = Prover::new(&self.facts, text, &self.tables).unwrap();
        prover.functions(function..function + 1).is_ok()
    }
}

/// Is this a call by a return address that was pushed?
fn is_unpaired(push: &Instruction, jump: &Instruction) -> bool {
    push.mnemonic() == Mnemonic::Push && push.op0_register() == Register::R11 && jump.is_jmp_short_or_near()
}

/// Does it make no difference to the sandbox whether an instruction is there, or what it is? Traps that nothing leads
/// to, or of another kind; registers that are as they were; a number that is not used; a frame that is smaller and
/// large enough; a search that does not find what is there, or does not end.
fn is_harmless(instruction: &Instruction, changed: &str) -> bool {
    use Register::{EAX, ESI, R12, R13, R14, R15, RAX, RBP, RDI, RSP};
    // An instruction in another encoding.
    changed == instruction.to_string()
        || match (instruction.mnemonic(), instruction.op0_register()) {
            (Mnemonic::Ud2 | Mnemonic::Call | Mnemonic::Jae, _) => true,
            (Mnemonic::Mov, ESI) => instruction.op_count() == 2 && instruction.memory_base() == Register::None,
            (Mnemonic::Mov, RDI) => instruction.op1_register() == R15,
            (Mnemonic::Mov, R14 | R15) => instruction.memory_base() == RBP,
            (Mnemonic::Mov, R12 | R13) => instruction.memory_base() == Register::None,
            (Mnemonic::Add, RAX | EAX) => true,
            (Mnemonic::Sub, RSP) => true,
            // Only the lower half of a count is used; it is also where it came from.
            (Mnemonic::Mov, Register::RBX) => changed == "mov ebx,edx",
            (Mnemonic::Mov, Register::None) => changed == instruction.to_string().replace("ebx", "edx"),
            // Nothing is in the lower half.
            (Mnemonic::Or, RDI) => changed.starts_with("add rdi,"),
            // To another trap, or to where the same is known.
            (Mnemonic::Je, _) => changed.starts_with("je "),
            (Mnemonic::Jne, _) => changed.starts_with("jne "),
            // Equal or not, whichever way it is asked.
            (Mnemonic::Cmp, _) => changed.starts_with("cmp ["),
            _ => false,
        }
}

/// Where a routine ends, that is behind its last instruction.
fn end_of(text: &[u8], start: u32) -> u32 {
    let (mut open, mut seen, mut end) = (vec![start], BTreeMap::new(), start);
    while let Some(mut at) = open.pop() {
        while seen.insert(at, ()).is_none() {
            let code = &text[at as usize..];
            let instruction = Decoder::with_ip(64, code, at.into(), DecoderOptions::NONE).decode();
            at = instruction.next_ip() as u32;
            end = end.max(at);
            if instruction.is_jcc_short_or_near() || instruction.is_jmp_short_or_near() {
                open.push(instruction.near_branch_target() as u32);
            }
            if instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand() {
                open.push(instruction.ip_rel_memory_address() as u32);
            }
            // What a routine calls does not come back.
            if !matches!(instruction.flow_control(), FlowControl::Next | FlowControl::ConditionalBranch) {
                break;
            }
        }
    }
    end
}

fn setups() -> [Setup; 3] {
    let base = Setup::default();
    [
        base,
        Setup { signals: false, lazy_tables: false, reservation: Some(0), guard: Some(0), ..base },
        Setup { without: Without::ALL, deterministic: true, ..base },
    ]
}

#[test]
fn bits_of_routines() {
    let all = std::env::var_os("LIGHTBEAM_SWITCHING").is_some();
    let mut random = Random::new(1);
    let (mut made, mut accepted) = (0, Vec::new());
    for (number, setup) in setups().iter().enumerate() {
        let subject = Subject::new(setup);
        assert_eq!(subject.routines.len(), 8, "bind, resume and switch of either width, suspend, resume_throw");
        let mut text = subject.text.clone();
        for &(start, end, function) in &subject.routines {
            assert!(subject.accepts(&text, function));
            for instruction in instructions(&subject.text, start, end) {
                let (from, to) = (instruction.ip() as usize, instruction.next_ip() as usize);
                let mut try_one = |text: &mut Vec<u8>, what: String| {
                    made += 1;
                    if subject.accepts(text, function) && !is_harmless(&instruction, &what) {
                        accepted.push(format!("{number}, {from:#x}: {instruction}: {what}"));
                    }
                    text[from..to].copy_from_slice(&subject.text[from..to]);
                };
                text[from..to].fill(0x90);
                try_one(&mut text, "left out".into());
                for bit in 0..8 * (to - from) {
                    if all || random.one_in(96) {
                        text[from + bit / 8] ^= 1 << (bit % 8);
                        let code = &text[from..];
                        let other = Decoder::with_ip(64, code, from as u64, DecoderOptions::NONE).decode();
                        try_one(&mut text, other.to_string());
                    }
                }
            }
        }
    }
    println!("{made} made, {} accepted", accepted.len());
    for accepted in &accepted {
        println!("{accepted}");
    }
    assert!(made > 1500);
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}

/// Generated nests of continuations are proved under all settings.
#[test]
fn generated_modules() {
    let scale = std::env::var("LIGHTBEAM_SCALE").ok().and_then(|scale| scale.parse::<u64>().ok()).unwrap_or(1);
    let subject = |seed: u64| verification::Subject {
        name: format!("continuations/{seed}"),
        wasm: continuations::module(seed, 10 + seed as usize % 5 * 20).wasm(),
    };
    let subjects: Vec<_> = (0..10 * scale).map(subject).collect();
    for (name, setup) in verification::setups() {
        let summary = verification::run(&setup, &subjects, 1).unwrap();
        assert_eq!(summary.compiled, subjects.len(), "{name}");
        assert!(summary.failures.is_empty(), "{name}, {summary}");
    }
}

/// What a function does to call a routine: from its first instruction that only does that on, up to the jump.
fn calls(code: &[Instruction]) -> Vec<(usize, usize)> {
    let jumps = (1..code.len()).filter(|at| is_unpaired(&code[at - 1], &code[*at]));
    jumps
        .map(|jump| {
            let prepares = |instruction: &Instruction| {
                instruction.flow_control() == FlowControl::Next && instruction.op0_register() != Register::RBP
            };
            let before = code[..jump].iter().rev().take_while(|instruction| prepares(instruction)).count();
            (jump - before, jump)
        })
        .collect()
}

/// Is it a store to the operands of a routine?
fn passes(instruction: &Instruction) -> bool {
    instruction.op0_kind() == iced_x86::OpKind::Memory && instruction.memory_base() == Register::RSP
}

/// A register with a constant, that is how many values are passed or how many handlers there are.
fn counts(instruction: &Instruction) -> bool {
    let zero = instruction.mnemonic() == Mnemonic::Xor && instruction.op0_register() == instruction.op1_register();
    let constant = instruction.mnemonic() == Mnemonic::Mov && instruction.op1_kind() == iced_x86::OpKind::Immediate32;
    (zero || constant) && matches!(instruction.op0_register(), Register::EDX | Register::ECX | Register::R8D)
}

fn full(instruction: &Instruction) -> Register {
    instruction.op0_register().full_register()
}

/// Everything that is given to a routine is given by somebody, and no more of it than is there.
#[test]
fn what_routines_are_given() {
    for setup in setups() {
        let subject = Subject::new(&setup);
        let mut text = subject.text.clone();
        let mut wrong = Vec::new();
        let (mut stores, mut constants, mut addresses) = (0, 0, 0);
        for (function, range) in subject.tables.functions.iter().enumerate() {
            let code = instructions(&subject.text, range.start, range.end);
            // What a second one is given may be there from the first.
            for (from, to) in calls(&code).into_iter().take(1) {
                for (nth, instruction) in code[from..to - 1].iter().enumerate() {
                    // What is written once more does not count.
                    let again = |other: &Instruction| other.op0_register().full_register() == full(instruction);
                    if counts(instruction) && code[from + nth + 1..to - 1].iter().any(again) {
                        continue;
                    }
                    let (at, end) = (instruction.ip() as usize, instruction.next_ip() as usize);
                    let mut try_one = |change: &mut dyn FnMut(&mut [u8]), what: &str| {
                        change(&mut text[at..end]);
                        if subject.accepts(&text, function as u32) {
                            wrong.push(format!("function {function}, {at:#x}: {instruction}: {what}"));
                        }
                        text[at..end].copy_from_slice(&subject.text[at..end]);
                    };
                    if passes(instruction) {
                        stores += 1;
                        try_one(&mut |code| code.fill(0x90), "left out");
                    } else if counts(instruction) {
                        constants += 1;
                        try_one(&mut |code| code.fill(0x90), "left out");
                        if instruction.mnemonic() == Mnemonic::Mov {
                            // More of anything than there is.
                            try_one(&mut |code| code[code.len() - 3] ^= 1, "256 more");
                            try_one(&mut |code| code[code.len() - 1] = 0x80, "2^31 more");
                        }
                    } else if instruction.mnemonic() == Mnemonic::Lea && instruction.memory_base() == Register::R15 {
                        addresses += 1;
                        try_one(&mut |code| code[code.len() - 4] ^= 1, "not at a tag");
                        try_one(&mut |code| code.fill(0x90), "left out");
                    }
                }
            }
        }
        assert!(stores > 20 && constants > 15 && addresses >= 5, "{stores} {constants} {addresses}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// A reference is made of a pointer that the host has just given and the revision that is there, by two instructions.
#[test]
fn references_are_not_put_together_otherwise() {
    for setup in setups() {
        let subject = Subject::new(&setup);
        let mut made = 0;
        for (function, range) in subject.tables.functions.iter().enumerate() {
            let code = instructions(&subject.text, range.start, range.end);
            for pair in code.windows(2) {
                let high = matches!(pair[1].mnemonic(), Mnemonic::Movhps | Mnemonic::Vmovhps);
                if !high {
                    continue;
                }
                made += 1;
                for instruction in pair {
                    let mut text = subject.text.clone();
                    text[instruction.ip() as usize..instruction.next_ip() as usize].fill(0x90);
                    assert!(!subject.accepts(&text, function as u32), "{instruction}: left out");
                    // The revision of something else, or something else of it.
                    let mut text = subject.text.clone();
                    text[pair[1].next_ip() as usize - 1] ^= 8;
                    assert!(!subject.accepts(&text, function as u32), "{}: another word", pair[1]);
                }
            }
        }
        assert!(made >= 8, "{made}");
    }
}

/// The pads of handlers, exchanged: what each is given is what its tag says, and another tag's is not.
#[test]
fn handlers_are_not_exchanged() {
    for setup in setups() {
        let subject = Subject::new(&setup);
        let mut tables = 0;
        for (function, range) in subject.tables.functions.iter().enumerate() {
            for instruction in instructions(&subject.text, range.start, range.end) {
                if instruction.mnemonic() != Mnemonic::Movsxd || instruction.memory_index() == Register::None {
                    continue;
                }
                // `movsxd`, `add`, `jmp`, and the table with two entries.
                let table = instruction.next_ip() as usize + 5;
                let mut text = subject.text.clone();
                text.copy_within(table..table + 4, table + 4);
                text[table..table + 4].copy_from_slice(&subject.text[table + 4..table + 8]);
                let jump = &subject.text[table - 2..table];
                assert_eq!(jump[0], 0xff, "a jump by a table");
                assert!(!subject.accepts(&text, function as u32), "{instruction}: exchanged");
                // The clamp, and that it is the number that is asked for.
                let code = instructions(&subject.text, range.start, instruction.ip() as u32);
                for before in code.iter().rev().take(5) {
                    let mut text = subject.text.clone();
                    text[before.ip() as usize..before.next_ip() as usize].fill(0x90);
                    assert!(!subject.accepts(&text, function as u32), "{before}: left out");
                }
                tables += 1;
            }
        }
        assert_eq!(tables, 1);
    }
}

/// Memory may have moved while other stacks ran.
#[test]
fn the_base_of_memory_is_read_again() {
    let subject = Subject::new(&setups()[1]);
    let mut reloads = 0;
    for (function, range) in subject.tables.functions.iter().enumerate() {
        let code = instructions(&subject.text, range.start, range.end);
        for at in 2..code.len() {
            let own = code[at].op0_register() == Register::R14 && code[at].mnemonic() == Mnemonic::Mov;
            if !own || !is_unpaired(&code[at - 2], &code[at - 1]) {
                continue;
            }
            // Where nothing but the end of the function comes, nobody asks for it.
            let mut text = subject.text.clone();
            text[code[at].ip() as usize..code[at].next_ip() as usize].fill(0x90);
            reloads += u32::from(!subject.accepts(&text, function as u32));
        }
    }
    assert!(reloads >= 5, "{reloads}");
}
