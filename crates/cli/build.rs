//! Debuggers look for code that is made while a program runs at two symbols, which stripping would take away: they are
//! exported, as a library's would be.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for symbol in ["__jit_debug_register_code", "__jit_debug_descriptor"] {
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol={symbol}");
    }
}
