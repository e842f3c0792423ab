//! Code that switches stacks, with one thing changed: the verifier rejects it, or it does the same.
//!
//! Of the routines every bit is tried (a part of them in an ordinary run, all with `LIGHTBEAM_SWITCHING`), and every
//! instruction is left out; of the functions that call them, all that a routine is given.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, Register};
use lightbeam_tests::backend::{Setup, Without};
use lightbeam_tests::mutants;
use lightbeam_tests::random::Random;
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

/// Does it make no difference to the sandbox whether an instruction is there, or what it is? Traps that nothing leads to, or
/// of another kind; registers that are as they were; a number that is not used; a frame that is smaller and large enough; a
/// search that does not find what is there, or does not end.
fn is_harmless(instruction: &Instruction, changed: &str) -> bool {
    use Register::{EAX, ESI, R12, R13, R14, R15, RAX, RBP, RDI, RSP};
    // The same in another encoding.
    changed == instruction.to_string()
        || match (instruction.mnemonic(), instruction.op0_register()) {
            (Mnemonic::Ud2 | Mnemonic::Call | Mnemonic::Jae, _) => true,
            (Mnemonic::Mov, ESI) => instruction.op_count() == 2 && instruction.memory_base() == Register::None,
            (Mnemonic::Mov, RDI) => instruction.op1_register() == R15,
            (Mnemonic::Mov, R14 | R15) => instruction.memory_base() == RBP,
            (Mnemonic::Mov, R12 | R13) => instruction.memory_base() == Register::None,
            (Mnemonic::Add, RAX | EAX) => true,
            (Mnemonic::Sub, RSP) => true,
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
