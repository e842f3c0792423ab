//! The host's entries of a component's own functions, which have the context of a component for their instance.

use crate::border::trampolines::{Border, Entering, VAL_RAW, parts};
use lightbeam_asm::Addr;
use lightbeam_compiler::isa::Isa;
use lightbeam_compiler::sig::{AbiLoc, Sig};
use lightbeam_compiler::ty::Width;

impl<I: Isa> Border<'_, I> {
    /// Enters a function of `Tail` convention at offset `entry` of the code: `extern "C" fn(callee, caller, values:
    /// *mut ValRaw, len) -> bool`. The context has the store at `store`.
    pub(super) fn array_to_tail(&mut self, sig: &Sig, entry: u32, store: i32, concurrency: bool) {
        let (callee, caller) = sig.tail.contexts.expect("`Tail` passes the instances");
        debug_assert!(sig.tail.result_area.is_none(), "a component's functions have few results");
        let args = I::LIBCALL.int_args;
        let Entering { values, out, handler, store_slot } = self.enter_wasm(args[0], store, 0);
        self.allocate(sig.tail.stack_args);
        for (i, (ty, place)) in sig.params.iter().zip(&sig.tail.params).enumerate() {
            if let AbiLoc::Stack(to) = *place {
                let from = Addr::base(values, VAL_RAW * i as i32);
                self.copy(*ty, Addr::base(I::STACK, to.cast_signed()), from, I::SCRATCH);
            }
        }
        // Both are where they came unless the conventions differ.
        debug_assert!(callee != args[1]);
        self.w.mov(Width::W64, callee, args[0]);
        self.w.mov(Width::W64, caller, args[1]);
        for (i, (ty, place)) in sig.params.iter().zip(&sig.tail.params).enumerate() {
            if let AbiLoc::Reg(to) = *place {
                self.load(*ty, to, Addr::base(values, VAL_RAW * i as i32));
            }
        }
        self.call_back(entry);
        for ((ty, at), place) in parts(&sig.results).zip(&sig.tail.results) {
            let AbiLoc::Reg(from) = *place else { unreachable!("a component's functions have few results") };
            self.store(ty, Addr::base(values, at), from);
        }
        self.leave_wasm(out, handler, store_slot, concurrency);
    }
}
