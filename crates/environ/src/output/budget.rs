//! The budget: how much machine code a module may turn into.
//!
//! Of the functions it is decided by their order: those up to any one of them, together, must be within the budget of
//! the module's bytes up to the end of that one. So nobody need know how long the module will be, what is held of a
//! stream is in proportion to what has come of it, and neither threads nor fragments matter. The text, which has the
//! entries, exits and routines too, must be within the budget of the whole module; the linker sees to that.

use crate::error::Error;
use crate::output::fragment::Fragment;
use crate::target::Machine;
use lightbeam_compiler::Budget;
use lightbeam_compiler::isa::Isa;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// The text must be shorter, so that calls reach from everywhere in it to everywhere.
pub(crate) const MAX_TEXT: usize = Machine::REACH as usize;

/// Most bytes of code for so many bytes of a module.
pub(crate) fn most(bytes: usize) -> usize {
    Budget::most(bytes).min(MAX_TEXT - 1)
}

/// What all threads of a module have made, so that they stop soon after the budget is exceeded.
#[derive(Default)]
pub(crate) struct Meter {
    code: AtomicUsize,
    end: AtomicUsize,
    exceeded: AtomicBool,
}

impl Meter {
    /// Counts the code of functions, the last of which ends at byte `end` of the module.
    ///
    /// Whoever adds code has moved the end before. So when it is exceeded, what was counted is more than the functions
    /// up to the last of them may have: then one of these is the first with too much.
    pub(crate) fn count(&self, code: usize, end: usize) {
        self.end.fetch_max(end, SeqCst);
        let code = self.code.fetch_add(code, SeqCst) + code;
        if code > most(self.end.load(SeqCst)) {
            self.exceeded.store(true, SeqCst);
        }
    }

    /// Is it known that the functions counted so far, with those before them, exceed the budget?
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded.load(SeqCst)
    }
}

/// Looks for the first function that exceeds the budget, as fragments come in order.
#[derive(Default)]
pub(crate) struct Account {
    /// Bytes of code so far.
    code: usize,
    over: Option<Error>,
}

impl Account {
    /// Counts the functions that come next.
    pub(crate) fn add(&mut self, fragment: &Fragment) {
        if self.over.is_some() {
            return;
        }
        // Mostly all of a fragment is within what even the first of its functions may have.
        if self.code + fragment.func_bytes
            <= fragment.funcs.first().map_or(0, |func| most(fragment.ahead + func.wasm as usize))
        {
            self.code += fragment.func_bytes;
            return;
        }
        for func in &fragment.funcs {
            let end = fragment.ahead + func.wasm as usize + func.wasm_bytes as usize;
            self.code += (func.end - func.start) as usize + func.exception_bytes as usize;
            if self.code > most(end) {
                let what = format!("the module's first {end} bytes give");
                self.over = Some(too_large(&what, most(end), "machine code", Some(func.wasm as usize)));
                return;
            }
        }
    }

    /// Counts that no text can hold what has come.
    pub(crate) fn exceed_text(&mut self) {
        self.over = Some(too_large("", MAX_TEXT - 1, "", None));
    }

    /// The error of the first function with too much.
    pub(crate) fn within_budget(&self) -> Result<(), Error> {
        self.over.as_ref().map_or(Ok(()), |error| Err(error.clone()))
    }
}

/// The error of a text that exceeds the budget of its module, at a function if one is to blame.
pub(crate) fn text_too_large(wasm_bytes: usize, offset: Option<usize>) -> Error {
    too_large(&format!("the module's {wasm_bytes} bytes give"), most(wasm_bytes), "machine code in all", offset)
}

fn too_large(what: &str, most: usize, code: &str, offset: Option<usize>) -> Error {
    if most == MAX_TEXT - 1 {
        return Error::too_large(format!("the module's machine code exceeds {} MiB", MAX_TEXT >> 20), offset);
    }
    Error::too_large(format!("{what} more than {most} bytes of {code}"), offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fragment::FragmentFunc;

    fn fragment(first: u32, funcs: &[(u32, u32, u32)]) -> Fragment {
        let func = |(code, wasm, wasm_bytes): &(u32, u32, u32)| FragmentFunc {
            start: 0,
            body: 0,
            end: *code,
            wasm: *wasm,
            wasm_bytes: *wasm_bytes,
            exception_bytes: 0,
        };
        Fragment {
            module: wasmtime_environ::StaticModuleIndex::from_u32(0),
            module_first: 0,
            ahead: 0,
            first,
            code: Vec::new(),
            funcs: funcs.iter().map(func).collect(),
            func_bytes: funcs.iter().map(|func| func.0 as usize).sum(),
            calls: Vec::new(),
            imports: Vec::new(),
            across: Vec::new(),
            relocs: Vec::new(),
            records: Vec::new(),
            sites: Vec::new(),
            handlers: Vec::new(),
            unwind: Vec::new(),
            locals: Vec::new(),
            safepoints: Vec::new(),
            maps: Vec::new(),
            reports: Vec::new(),
            dropped: false,
        }
    }

    fn check(fragments: &[Fragment]) -> Result<(), Error> {
        let mut account = Account::default();
        fragments.iter().for_each(|fragment| account.add(fragment));
        account.within_budget()
    }

    #[test]
    fn the_first_function_with_too_much_is_named() {
        let within = most(20) as u32;
        // Exactly the budget, in one fragment or two; then a byte more, and a later function that would make up for it.
        for fragments in [
            vec![fragment(0, &[(within, 10, 10), (161, 20, 1), (1, 30, 1000)])],
            vec![fragment(0, &[(within, 10, 10)]), fragment(1, &[(161, 20, 1), (1, 30, 1000)])],
            vec![fragment(0, &[(within, 10, 10)]), fragment(1, &[(161, 20, 1)]), fragment(2, &[(1, 30, 1000)])],
        ] {
            let error = check(&fragments).unwrap_err();
            assert_eq!(error.offset(), Some(20));
            let words = format!("the module's first 21 bytes give more than {} bytes of machine code", most(21));
            assert_eq!(error.message(), words);
        }
        assert_eq!(check(&[fragment(0, &[(within, 10, 10)])]), Ok(()));
        assert_eq!(check(&[fragment(0, &[(within, 10, 10), (160, 20, 1)])]), Ok(()));
        let huge = fragment(0, &[(1 << 30, 0, 1 << 28), (1 << 30, 1 << 28, 10)]);
        assert_eq!(check(&[huge]).unwrap_err().message(), "the module's machine code exceeds 2048 MiB");
    }

    #[test]
    fn the_meter_counts_in_any_order() {
        let meter = Meter::default();
        // A later batch is done first.
        meter.count(most(2000) - 1, 2000);
        meter.count(1, 1000);
        assert!(!meter.exceeded());
        meter.count(1, 1000);
        assert!(meter.exceeded());
    }
}
