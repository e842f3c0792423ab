//! Entry point of the benchmark program.
fn main() {}
