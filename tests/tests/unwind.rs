//! What artifacts say of unwinding, held against the code instruction by instruction; and the host's own backtraces,
//! which go through it.

use gimli::{BaseAddresses, CfaRule, EhFrame, LittleEndian, Register, RegisterRule, UnwindContext, UnwindSection};
use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess};
use iced_x86::{OpKind, Register as Machine};
use lightbeam::{AddressMap, Compiler};
use lightbeam_tests::backend::Setup;
use lightbeam_verify::artifact::Artifact;
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use wasmtime::{Caller, Config, Engine, Func, Instance, Store};

const WORD: i64 = 8;
/// DWARF's numbers.
const BP: Register = Register(6);
const SP: Register = Register(7);
const R11: Register = Register(11);
const RETURN: Register = Register(16);
/// Registers that private code preserves and writes, with their numbers.
const PRESERVED: [(Machine, Register); 3] =
    [(Machine::RBX, Register(3)), (Machine::R12, Register(12)), (Machine::R13, Register(13))];

/// Where the caller's frame is, as the code has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Frame {
    /// So many bytes above the stack pointer; the frame pointer is the caller's.
    Above(i64),
    /// Above the frame pointer's two words.
    Own,
    /// The return address is in r11, and nothing is on the stack.
    Popped,
    /// Overwritten, as far as is known.
    Lost,
}

impl Frame {
    /// Behind an instruction.
    fn after(self, i: &Instruction) -> Frame {
        let writes = |to: Machine, from: Machine| i.op0_register() == to && i.op1_register() == from;
        match (self, i.mnemonic()) {
            (Frame::Above(bytes), Mnemonic::Push) => Frame::Above(bytes + WORD),
            (Frame::Above(16), Mnemonic::Mov) if writes(Machine::RBP, Machine::RSP) => Frame::Own,
            (Frame::Above(8), Mnemonic::Pop) if i.op0_register() == Machine::R11 => Frame::Popped,
            (Frame::Own, Mnemonic::Leave) => Frame::Above(8),
            // A tail call takes what is in the frame out of it.
            (Frame::Own, Mnemonic::Movsd | Mnemonic::Vmovsd)
                if i.op0_register() == Machine::XMM15
                    && i.memory_base() == Machine::RBP
                    && i.memory_displacement64() == 0 =>
            {
                Frame::Lost
            }
            (Frame::Lost, Mnemonic::Movq | Mnemonic::Vmovq) if i.op0_register() == Machine::RBP => Frame::Above(8),
            _ => self,
        }
    }
}

/// Follows the code of one entry from its beginning, and compares at each instruction. Gives how many there were. What
/// `traps` is the place of comes back to nobody.
fn follow(
    text: &[u8],
    traps: Option<u64>,
    range: std::ops::Range<u64>,
    mut told: impl FnMut(u64) -> (CfaRule<usize>, Vec<(Register, RegisterRule<usize>)>),
) -> usize {
    // Constants stand behind the code that names them.
    let all = Decoder::with_ip(64, &text[range.start as usize..range.end as usize], range.start, DecoderOptions::NONE);
    let named = all.into_iter().filter(|i| i.is_ip_rel_memory_operand() && i.mnemonic() != Mnemonic::Lea);
    let constants = named.map(|i| i.ip_rel_memory_address()).filter(|at| range.contains(at)).min();
    let range = range.start..constants.unwrap_or(range.end);
    let mut seen: BTreeMap<u64, Frame> = BTreeMap::new();
    // Registers that were stored on the way, and where.
    let mut waiting = vec![(range.start, Frame::Above(8), HashSet::<(Machine, i64)>::new())];
    let mut info = InstructionInfoFactory::new();
    while let Some((mut at, mut frame, mut stored)) = waiting.pop() {
        while range.contains(&at) {
            if let Some(known) = seen.get(&at) {
                assert_eq!(*known, frame, "two ways lead to {at:#x}");
                break;
            }
            seen.insert(at, frame);
            let code = &text[at as usize..];
            let i = Decoder::with_ip(64, code, at, DecoderOptions::NONE).decode();
            assert!(!matches!(i.code(), Code::INVALID | Code::Int3), "at {at:#x}");
            let (cfa, rules) = told(at);
            let rule = |reg: Register| {
                let rule = rules.iter().find(|(of, _)| *of == reg).map(|(_, rule)| rule.clone());
                rule.filter(|rule| !matches!(rule, RegisterRule::SameValue))
            };
            let at_offset = |register, offset| CfaRule::RegisterAndOffset { register, offset };
            let on_stack = Some(RegisterRule::Offset(-WORD));
            let below = Some(RegisterRule::Offset(-2 * WORD));
            match frame {
                Frame::Above(bytes) => {
                    assert_eq!(cfa, at_offset(SP, bytes), "{at:#x} {i}");
                    assert_eq!(rule(RETURN), on_stack, "{at:#x} {i}");
                    assert_eq!(rule(BP), below.filter(|_| bytes > WORD), "{at:#x} {i}");
                }
                Frame::Own => {
                    assert_eq!(cfa, at_offset(BP, 2 * WORD), "{at:#x} {i}");
                    assert_eq!((rule(RETURN), rule(BP)), (on_stack, below), "{at:#x} {i}");
                }
                Frame::Popped => {
                    assert_eq!(cfa, at_offset(SP, 0), "{at:#x} {i}");
                    assert_eq!(rule(RETURN), Some(RegisterRule::Register(R11)), "{at:#x} {i}");
                }
                Frame::Lost => assert_eq!(rule(RETURN), Some(RegisterRule::Undefined), "{at:#x} {i}"),
            }
            let storing = i.mnemonic() == Mnemonic::Mov && i.op0_kind() == OpKind::Memory;
            for (machine, number) in PRESERVED {
                let saved = match rule(number) {
                    Some(RegisterRule::Offset(offset)) => Some(offset + 2 * WORD),
                    None => None,
                    other => panic!("{at:#x} {i}: {other:?}"),
                };
                if let Some(slot) = saved {
                    assert!(stored.contains(&(machine, slot)), "{at:#x} {i}: {machine:?} is not there");
                }
                let used =
                    info.info(&i).used_registers().iter().find(|used| used.register().full_register() == machine);
                let written = used.is_some_and(|used| !matches!(used.access(), OpAccess::Read | OpAccess::CondRead));
                let own = frame == Frame::Own && i.flow_control() != FlowControl::Call;
                assert!(!written || saved.is_some() || !own, "{at:#x} {i}: nobody saved {machine:?}");
            }
            if storing && frame == Frame::Own && i.memory_base() == Machine::RBP && i.memory_index() == Machine::None {
                stored.insert((i.op1_register(), i.memory_displacement64().cast_signed()));
            }
            frame = frame.after(&i);
            let next = i.next_ip();
            match i.flow_control() {
                FlowControl::ConditionalBranch => waiting.push((i.near_branch_target(), frame, stored.clone())),
                FlowControl::UnconditionalBranch => {
                    waiting.push((i.near_branch_target(), frame, stored));
                    break;
                }
                FlowControl::Call if Some(i.near_branch_target()) == traps => break,
                // Where a table or a list leads, there is a frame.
                FlowControl::Return | FlowControl::IndirectBranch | FlowControl::Exception => break,
                _ => {}
            }
            at = next;
        }
    }
    seen.len()
}

/// Compares all that an artifact says. Gives how many instructions of how many pieces of code.
fn compare(artifact: &[u8]) -> (usize, usize) {
    let Some(text) = Artifact::section(artifact, ".text") else { return (0, 0) };
    let Some(unwind) = Artifact::section(artifact, ".eh_frame") else { return (0, 0) };
    assert_eq!(unwind.start, text.end);
    let bases = BaseAddresses::default().set_eh_frame(unwind.start as u64).set_text(text.start as u64);
    let section = EhFrame::new(&artifact[unwind], LittleEndian);
    let symbols = Artifact::parse(artifact).unwrap().symbols;
    let traps = symbols.entries.iter().find_map(|[name, at, _]| {
        symbols.strings[*name as usize..].starts_with(b"wasmtime_builtin_trap\0").then_some(u64::from(*at))
    });
    let mut entries = section.entries(&bases);
    let mut common = Vec::new();
    let (mut instructions, mut pieces) = (0, 0);
    while let Some(entry) = entries.next().unwrap() {
        let gimli::CieOrFde::Fde(partial) = entry else {
            common.push(());
            continue;
        };
        let fde = partial.parse(EhFrame::cie_from_offset).unwrap();
        let start = text.start as u64;
        let range = fde.initial_address() - start..fde.initial_address() - start + fde.len();
        let mut context = UnwindContext::new();
        let told = |at: u64| {
            let row = fde.unwind_info_for_address(&section, &bases, &mut context, at + start).unwrap();
            (row.cfa().clone(), row.registers().cloned().collect())
        };
        instructions += follow(&artifact[text.clone()], traps, range, told);
        pieces += 1;
    }
    assert_eq!(common.len(), 1, "one entry is common to all");
    (instructions, pieces)
}

/// Modules with calls of all kinds that there are, beside those of the compiler's file tests.
const MODULES: [&str; 3] = [
    // Arguments on the stack, more and fewer than came in.
    r#"(module
        (type $many (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
        (import "" "out" (func $out (type $many)))
        (table funcref (elem $many $few))
        (func $few (export "few") (param i64) (result i64)
            (return_call $many (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
                (local.get 0) (local.get 0) (local.get 0)))
        (func $many (export "many") (type $many)
            (if (i64.eqz (local.get 8)) (then (return_call $few (local.get 3))))
            (if (i64.eqz (local.get 7)) (then
                (return_call $out (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
                    (local.get 6) (local.get 7) (local.get 8))))
            (return_call_indirect (type $many) (local.get 1) (local.get 0) (local.get 2) (local.get 3) (local.get 4)
                (local.get 5) (local.get 6) (local.get 7) (local.get 8) (i32.const 0))))"#,
    r#"(module
        (type $f (func (param i32) (result i32)))
        (type $c (cont $f))
        (tag $t (param i32) (result i32))
        (elem declare func $body)
        (func $body (type $f) (suspend $t (local.get 0)))
        (func (export "run") (param i32) (result i32)
            (block $on (result i32 (ref $c))
                (return (resume $c (on $t $on) (local.get 0) (cont.new $c (ref.func $body)))))
            (drop)))"#,
    r#"(module
        (import "" "f" (func $f (param i32) (result i32)))
        (tag $e (param i32))
        (memory 1)
        (data $d "abc")
        (table 3 funcref)
        (global $g (mut i32) (i32.const 1))
        (func $start (global.set $g (i32.const 2)))
        (start $start)
        (func (export "try") (param i32) (result i32)
            (block $caught (result i32)
                (try_table (result i32) (catch $e $caught)
                    (if (local.get 0) (then (throw $e (i32.const 7))))
                    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3))
                    (table.fill (i32.const 0) (ref.null func) (i32.const 3))
                    (data.drop $d)
                    (call $f (memory.grow (i32.const 1)))))))"#,
];

fn compilers() -> Vec<Compiler> {
    let setups = [
        Setup::default(),
        Setup { signals: false, fuel: true, epochs: true, ..Setup::default() },
        Setup { debug: true, ..Setup::default() },
        Setup { poison: true, reservation: Some(0), guard: Some(0), ..Setup::default() },
    ];
    let engines = setups.map(|setup| setup.lightbeam(&Engine::new(&setup.config()).unwrap()).unwrap());
    engines.into_iter().map(|compiler| compiler.native_unwind_info(true)).collect()
}

#[test]
fn what_is_said_is_so_at_every_instruction() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/compiler/filetests");
    let mut texts: Vec<String> = MODULES.into_iter().map(str::to_owned).collect();
    for folder in std::fs::read_dir(root).unwrap().map(|folder| folder.unwrap().path()) {
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            texts.push(std::fs::read_to_string(file).unwrap());
        }
    }
    let (mut instructions, mut pieces, mut modules) = (0, 0, 0);
    for compiler in compilers() {
        for (n, text) in texts.iter().enumerate() {
            let Ok(artifact) = compiler.precompile(text) else {
                assert!(n >= MODULES.len(), "{}", compiler.precompile(text).unwrap_err());
                continue;
            };
            // Shown if what comes fails.
            println!("{compiler:?}: {text}");
            let (more, of) = compare(&artifact);
            (instructions, pieces, modules) = (instructions + more, pieces + of, modules + 1);
        }
    }
    assert!(instructions > 50_000 && pieces > 3_000 && modules > 300, "{instructions} of {pieces} of {modules}");
}

#[test]
fn a_component_says_it_of_its_adapters_and_trampolines() {
    let component = r#"(component
        (component $a
            (core module $m
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
                (func (export "f") (param i32 i32) (result i32) (local.get 1)))
            (core instance $i (instantiate $m))
            (func (export "f") (param "s" string) (result u32)
                (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
        (instance $a (instantiate $a))
        (component $b
            (import "f" (func $f (param "s" string) (result u32)))
            (core module $memory (memory (export "memory") 1))
            (core instance $memory (instantiate $memory))
            (core func $f (canon lower (func $f) (memory (core memory $memory "memory"))))
            (core module $m
                (import "" "f" (func $f (param i32 i32) (result i32)))
                (func (export "g") (result i32) (call $f (i32.const 0) (i32.const 5))))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "g") (result u32) (canon lift (core func $i "g"))))
        (instance $b (instantiate $b (with "f" (func $a "f"))))
        (export "g" (func $b "g")))"#;
    for compiler in compilers() {
        let (instructions, pieces) = compare(&compiler.precompile_component(component).unwrap());
        assert!(instructions > 100 && pieces > 5, "{instructions} of {pieces}");
    }
}

/// Far from the test's own code, so that its name is in backtraces of what it calls.
#[inline(never)]
fn a_host_that_calls_wasm(store: &mut Store<String>, instance: Instance) {
    let run = instance.get_typed_func::<i32, i32>(&mut *store, "run").unwrap();
    assert_eq!(run.call(&mut *store, 3).unwrap(), 42);
    std::hint::black_box(());
}

/// What a host's function sees above it that is called by wasm: by looking, or by what a panic shows of it.
fn backtrace_of_a_host(compiler: &Compiler, panics: bool) -> String {
    let module = compiler
        .module(
            r#"(module
                (import "" "host" (func $host (result i32)))
                (table funcref (elem $deeper))
                (func $deeper (param i32) (result i32)
                    (if (result i32) (i32.eqz (local.get 0))
                        (then (call $host))
                        (else (call_indirect (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
                (func (export "run") (param i32) (result i32) (call $deeper (local.get 0))))"#,
        )
        .unwrap();
    let mut store = Store::new(compiler.engine(), String::new());
    let host = Func::wrap(&mut store, move |mut caller: Caller<'_, String>| {
        if panics {
            panic!("a host's function");
        }
        *caller.data_mut() = Backtrace::force_capture().to_string();
        42
    });
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    if !panics {
        a_host_that_calls_wasm(&mut store, instance);
        return store.into_data();
    }
    // As the hook that is there without, which prints it.
    std::panic::set_hook(Box::new(|_| SHOWN.set(Backtrace::force_capture().to_string())));
    let panicked = catch_unwind(AssertUnwindSafe(|| a_host_that_calls_wasm(&mut store, instance)));
    drop(std::panic::take_hook());
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"a host's function"));
    SHOWN.take()
}

thread_local! {
    /// What the panic of this thread showed.
    static SHOWN: Cell<String> = const { Cell::new(String::new()) };
}

#[test]
fn a_hosts_backtrace_goes_through_wasm() {
    for debug in [false, true] {
        let mut config = Config::new();
        config.debug_info(debug);
        let compiler = Compiler::new(&config).unwrap();
        for panics in [false, true] {
            let through = backtrace_of_a_host(&compiler, panics);
            assert!(through.contains("a_host_that_calls_wasm"), "{through}");
            // What the tables are for: without them the unwinder ends at the first frame of wasm.
            let up_to = backtrace_of_a_host(&compiler.clone().native_unwind_info(false), panics);
            assert!(!up_to.contains("a_host_that_calls_wasm"), "{up_to}");
        }
    }
}

#[test]
fn whether_it_is_said_is_for_the_engine_to_say() {
    const WAT: &str = "(module (func (export \"f\")))";
    for on in [false, true] {
        let mut config = Config::new();
        // An engine without a compiler of its own does not tell, so there it is said.
        config.native_unwind_info(on);
        let told = Compiler::new(&config).unwrap().precompile(WAT).unwrap();
        assert_eq!(Artifact::section(&told, ".eh_frame").is_some(), on);
        config.enable_compiler(false);
        let compiler = Compiler::new(&config).unwrap();
        assert!(Artifact::section(&compiler.precompile(WAT).unwrap(), ".eh_frame").is_some());
        let said = compiler.address_map(AddressMap::Traps).native_unwind_info(on).precompile(WAT).unwrap();
        assert_eq!(Artifact::section(&said, ".eh_frame").is_some(), on);
    }
}
