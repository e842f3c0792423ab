//! `bench seam`: what it costs that the compiler goes from operator to shape to row, and does not have each instruction
//! written out where its operator is read. A function of integer arithmetic is compiled by the real compiler, and by an
//! emitter written by hand for just such functions; both must write the same bytes.

use crate::stats::{Effort, interleave};
use crate::table::{number, print, print_circumstances};
use anyhow::{Context, ensure};
use cpu_time::ThreadTime;
use lightbeam_asm::x64::{Alu, Asm, R8, R9, RDI, RSI, Size};
use lightbeam_asm::{Assembler, Reg};
use lightbeam_compiler::facts::{Callee, Facts, FuncFact};
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::isa::x64::X64;
use lightbeam_compiler::ty::Ty;
use lightbeam_compiler::{Workspace, Writer, compile};
use std::hint::black_box;
use wasm_encoder::{CodeSection, Function, FunctionSection, InstructionSink, Module, TypeSection, ValType};
use wasmparser::{FuncToValidate, Parser, ValidPayload, Validator, ValidatorResources};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Thousands of operators in the function.
    #[arg(long, default_value_t = 20)]
    size: u32,
    #[command(flatten)]
    effort: Effort,
}

/// How many locals take part, all of them parameters, so that they are in registers.
const LOCALS: usize = 4;

/// Where the compiler has them, in an order that depends on how often each is used.
const HOMES: [Reg; LOCALS] = [RSI, RDI, R8, R9];

/// `HOMES` in all orders.
fn orders() -> impl Iterator<Item = [Reg; LOCALS]> {
    (0..1 << (2 * LOCALS)).filter_map(|code: usize| {
        let order = [0, 2, 4, 6].map(|shift| code >> shift & 3);
        let all = order.iter().fold(0, |all, home| all | 1 << home);
        (all == 0b1111).then(|| order.map(|home| HOMES[home]))
    })
}

/// What is done to a local, with another or with a constant.
const OPS: [(u8, Alu); 5] = [(0x6a, Alu::Add), (0x6b, Alu::Sub), (0x71, Alu::And), (0x72, Alu::Or), (0x73, Alu::Xor)];

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let groups = options.size * 250;
    let wasm = module(groups);
    let mut validator = Validator::new();
    let mut function = None;
    for payload in Parser::new(0).parse_all(&wasm) {
        if let ValidPayload::Func(to_validate, body) = validator.payload(&payload?)? {
            function = Some((to_validate, body));
        }
    }
    let (to_validate, body) = function.context("the module has a function")?;
    let sig = X64::sig(&[Ty::I32; LOCALS], &[]);
    let callee = Callee::Defined { index: 0, escapes: false };
    let facts = Facts { sigs: vec![sig], funcs: vec![FuncFact { sig: 0, callee }], ..Facts::default() };

    let by_compiler = {
        let mut output = Writer::<X64>::new(facts.settings.cpu);
        compile::<X64>(&facts, 0, again(&to_validate), body.clone(), &mut Workspace::default(), &mut output)?;
        output.take_code()
    };
    let (homes, by_hand) = orders()
        .map(|homes| {
            let mut asm = Asm::new();
            emit_by_hand(body.as_bytes(), &homes, &mut asm);
            (homes, asm.take_code())
        })
        .find(|(_, by_hand)| by_compiler.windows(by_hand.len()).any(|window| window == by_hand))
        .context("the compiler writes other bytes")?;
    ensure!(by_compiler.len() < by_hand.len() + 64, "the compiler writes more");

    let mut workspace = Workspace::default();
    let mut output = Writer::<X64>::new(facts.settings.cpu);
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    let mut asm = Asm::new();
    let samples = interleave(3, options.effort, |contender| {
        let function = again(&to_validate);
        let start = ThreadTime::now();
        match contender {
            0 => {
                output.truncate(0);
                compile::<X64>(&facts, 0, function, body.clone(), &mut workspace, &mut output)?;
            }
            1 => {
                let mut validator = function.into_validator(std::mem::take(&mut allocations));
                validator.validate(&body)?;
                allocations = validator.into_allocations();
            }
            _ => {
                asm.truncate(0);
                emit_by_hand(black_box(body.as_bytes()), &homes, &mut asm);
                black_box(asm.code());
            }
        }
        Ok(start.elapsed())
    })?;

    print_circumstances();
    println!(
        "{} operators, {} instructions, {} bytes of code; the same bytes by both.\n",
        4 * groups,
        groups,
        by_hand.len()
    );
    let mut ns = Vec::new();
    for samples in samples {
        ns.push(samples.map_err(anyhow::Error::msg)?.median() * 1e6 / f64::from(4 * groups));
    }
    let lines = [
        ("the compiler, whole", ns[0]),
        ("of that, validation alone", ns[1]),
        ("the rest: survey, second reading, shapes, rows", ns[0] - ns[1]),
        ("by hand, on a valid body", ns[2]),
    ];
    let lines = lines.map(|(what, ns)| vec![what.to_owned(), number(Some(ns)), number(Some(4.0 * ns))]);
    print(&["", "ns an operator", "ns an instruction"], &lines);
    Ok(())
}

/// A function that was validated, to validate another time.
fn again(function: &FuncToValidate<ValidatorResources>) -> FuncToValidate<ValidatorResources> {
    let FuncToValidate { resources, index, ty, features } = function;
    FuncToValidate { resources: resources.clone(), index: *index, ty: *ty, features: *features }
}

/// A module with one function, of groups of four operators that each become one instruction.
fn module(groups: u32) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; LOCALS], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let mut random = 1_u32;
    for _ in 0..groups {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        group(&mut code, random >> 8);
    }
    code.end();
    let mut codes = CodeSection::new();
    codes.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&codes);
    module.finish()
}

/// `a = a op b` or `a = a op constant`.
fn group(code: &mut InstructionSink<'_>, choice: u32) {
    let locals = LOCALS as u32;
    let a = choice % locals;
    code.local_get(a);
    let op = match choice >> 2 & 3 {
        // A constant that is no power of two and not all ones, and no subtraction of one, so that there is but one
        // sensible instruction.
        0 => {
            code.i32_const(5 + 2 * (choice >> 4 & 15) as i32);
            [0, 2, 3, 4][(choice >> 8) as usize % 4]
        }
        _ => {
            code.local_get((a + 1 + (choice >> 4) % (locals - 1)) % locals);
            (choice >> 8) as usize % OPS.len()
        }
    };
    match OPS[op].0 {
        0x6a => code.i32_add(),
        0x6b => code.i32_sub(),
        0x71 => code.i32_and(),
        0x72 => code.i32_or(),
        _ => code.i32_xor(),
    };
    code.local_set(a);
}

/// The operand that waits for its operator.
#[derive(Clone, Copy)]
enum Operand {
    Local(u8),
    Constant(i8),
}

/// Emits a function of such groups: one `match` on the operator, with everything known where it is needed.
fn emit_by_hand(body: &[u8], homes: &[Reg; LOCALS], asm: &mut Asm) {
    let (mut left, mut right, mut op) = (0, Operand::Constant(0), Alu::Add);
    let mut waiting = 0;
    let mut bytes = body.iter();
    // A function without locals of its own begins with the number of their groups.
    bytes.next();
    while let Some(&opcode) = bytes.next() {
        let mut byte = || bytes.next().copied().unwrap_or(0);
        match opcode {
            0x20 => {
                let local = byte();
                match waiting {
                    0 => left = local,
                    _ => right = Operand::Local(local),
                }
                waiting += 1;
            }
            // Constants of one byte, six bits and a sign.
            0x41 => {
                right = Operand::Constant((byte() << 1) as i8 >> 1);
                waiting += 1;
            }
            0x6a => op = Alu::Add,
            0x6b => op = Alu::Sub,
            0x71 => op = Alu::And,
            0x72 => op = Alu::Or,
            0x73 => op = Alu::Xor,
            0x21 => {
                let set = byte();
                debug_assert_eq!(left, set, "a group sets the local it began with");
                asm.reserve(16);
                let home = homes[usize::from(left)];
                match right {
                    Operand::Local(local) => asm.alu_rr(op, Size::S32, home, homes[usize::from(local)]),
                    Operand::Constant(value) => asm.alu_ri(op, Size::S32, home, i32::from(value)),
                }
                waiting = 0;
            }
            _ => return,
        }
    }
}
