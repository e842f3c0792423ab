//! The machine form of a function signature: which argument and which result goes where, computed once a signature.
//!
//! A reference to a continuation is one value in a float register as long as it stays in a function, and as an argument
//! inside the module. `Tail` passes it as two integers. What a function gives must be the same in both conventions,
//! since a tail call may lead from one to the other; so as a result it is two integers everywhere.

use crate::treaty::ty::{Packed, Ty};
use lightbeam_asm::{Reg, RegClass, RegSet};

/// A calling convention as lists of registers.
#[derive(Debug)]
pub struct Convention {
    /// Integer arguments, in order.
    pub int_args: &'static [Reg],
    /// Float arguments, in order.
    pub float_args: &'static [Reg],
    /// Integer results, in order.
    pub int_results: &'static [Reg],
    /// Float results, in order.
    pub float_results: &'static [Reg],
    /// Do the callee's and the caller's instance pointer come before the arguments?
    pub passes_contexts: bool,
    /// The register of the result area's address; `None` if it takes the first integer argument.
    pub result_area: Option<Reg>,
}

/// A function signature and where its values go in both conventions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sig {
    /// Types of the parameters.
    pub params: Box<[Ty]>,
    /// Types of the results.
    pub results: Box<[Ty]>,
    /// Are all values in registers in calls inside one module, at most one of them a result?
    pub(crate) simple: bool,
    /// Is there a vector among its values, or something as wide?
    pub(crate) vectors: bool,
    /// What is passed for its values where some are passed as two; `None` where each is passed as itself.
    split: Option<Box<Split>>,
    /// Do the machine's types tell all that validation needs to know of the values? They do for numbers, `funcref` and
    /// `externref`, and not for any other type of reference; then the fast sweep asks for the module's own types.
    pub plain: bool,
    /// The types of the parameters in one word, by which sweep 1 compares them.
    pub(crate) packed_params: Packed,
    /// The types of the results in one word.
    pub(crate) packed_results: Packed,
    /// Where values go in calls inside one module: the instance pointer is pinned and not passed.
    pub private: Abi,
    /// Where values go in calls that may cross an instance: Wasmtime's `Tail` convention.
    pub tail: Abi,
}

/// What is passed for the values of a signature some of which are continuations.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Split {
    /// Types of the arguments in `Tail` convention.
    params: Box<[Ty]>,
    /// Types of the results in both.
    results: Box<[Ty]>,
}

/// The types as which values are passed: two integers for each continuation.
fn split(types: &[Ty]) -> Box<[Ty]> {
    let parts = |ty: &Ty| match ty {
        Ty::ContRef => [Some(Ty::I64), Some(Ty::I64)],
        ty => [Some(*ty), None],
    };
    types.iter().flat_map(parts).flatten().collect()
}

/// Where the values of one signature go in one convention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abi {
    /// Of each parameter, or of what is passed for it, see `Sig::tail_params`.
    pub params: Box<[AbiLoc]>,
    /// Of each of `Sig::passed_results`; `AbiLoc::Stack` is an offset into the result area.
    pub results: Box<[AbiLoc]>,
    /// Registers of the callee's and of the caller's instance pointer, where the convention passes them.
    pub contexts: Option<(Reg, Reg)>,
    /// The register that carries the address of the result area, if some result does not fit in registers.
    pub result_area: Option<Reg>,
    /// Bytes of stack arguments, a multiple of 16; the callee pops them.
    pub stack_args: u32,
    /// Bytes of the result area, a multiple of 16; the caller provides it.
    pub stack_results: u32,
}

/// Where one argument or result is at the moment of a call or return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbiLoc {
    /// In this register.
    Reg(Reg),
    /// Bytes above the stack pointer before the call pushes its return address (arguments), or into the result area
    /// (results). Each value takes 8 bytes, or 16 that are aligned.
    Stack(u32),
}

impl Sig {
    /// The machine form of `params -> results` for an instruction set with these conventions, inside a module and
    /// across instances. `Isa::sig` has them.
    #[must_use]
    pub fn new(private: &Convention, tail: &Convention, params: &[Ty], results: &[Ty]) -> Sig {
        let conts = params.iter().chain(results).any(|ty| *ty == Ty::ContRef);
        let split = conts.then(|| Box::new(Split { params: split(params), results: split(results) }));
        let (tail_params, passed) = split.as_ref().map_or((params, results), |split| (&split.params, &split.results));
        let (private, tail) = (Abi::assign(private, params, passed), Abi::assign(tail, tail_params, passed));
        Sig {
            simple: !conts && private.stack_args == 0 && private.stack_results == 0 && results.len() <= 1,
            params: params.into(),
            results: results.into(),
            vectors: params.iter().chain(results).any(|ty| ty.is_wide()),
            plain: true,
            packed_params: Packed::new(params),
            packed_results: Packed::new(results),
            private,
            tail,
            split,
        }
    }

    /// Are continuations among its values, each of which is passed as two integers in some call?
    #[must_use]
    pub fn splits(&self) -> bool {
        self.split.is_some()
    }

    /// Types of the arguments in `Tail` convention, as `tail.params` says where they are.
    #[must_use]
    pub fn tail_params(&self) -> &[Ty] {
        self.split.as_ref().map_or(&self.params, |split| &split.params)
    }

    /// Types of the results in both conventions, as `private.results` and `tail.results` say where they are.
    #[must_use]
    pub fn passed_results(&self) -> &[Ty] {
        self.split.as_ref().map_or(&self.results, |split| &split.results)
    }

    /// May a call through a function reference enter the callee's private entry? Only if both conventions put every
    /// value in the same register, so that one call sequence serves both.
    #[must_use]
    pub fn shares_registers(&self) -> bool {
        self.private.params == self.tail.params && self.private.result_area.is_none() && self.private.stack_args == 0
    }
}

impl Abi {
    /// The registers that results come in.
    pub(crate) fn result_registers(&self) -> RegSet {
        let mut set = RegSet::EMPTY;
        for loc in &self.results {
            if let AbiLoc::Reg(reg) = *loc {
                set.add(reg);
            }
        }
        set
    }

    fn assign(convention: &Convention, params: &[Ty], results: &[Ty]) -> Abi {
        let (results, stack_results) = locate(results, convention.int_results.iter(), convention.float_results.iter());
        let mut ints = convention.int_args.iter();
        // The hidden pointer is the first integer argument and shifts the instance pointers after it.
        let result_area = if stack_results == 0 {
            None
        } else {
            Some(match convention.result_area {
                Some(reg) => reg,
                None => *ints.next().expect("a convention has integer arguments"),
            })
        };
        let mut context = || *ints.next().expect("a convention has integer arguments");
        let contexts = convention.passes_contexts.then(|| (context(), context()));
        let (params, stack_args) = locate(params, ints, convention.float_args.iter());
        Abi { params, results, contexts, result_area, stack_args, stack_results }
    }
}

fn locate<'a>(
    types: &[Ty],
    mut ints: impl Iterator<Item = &'a Reg>,
    mut floats: impl Iterator<Item = &'a Reg>,
) -> (Box<[AbiLoc]>, u32) {
    let mut stack = 0u32;
    let locs = types
        .iter()
        .map(|ty| {
            let reg = match ty.class() {
                RegClass::Int => ints.next(),
                RegClass::Float => floats.next(),
            };
            match reg {
                Some(reg) => AbiLoc::Reg(*reg),
                None => {
                    let bytes = ty.bytes().max(8);
                    let at = stack.next_multiple_of(bytes);
                    stack = at + bytes;
                    AbiLoc::Stack(at)
                }
            }
        })
        .collect();
    (locs, stack.next_multiple_of(16))
}
