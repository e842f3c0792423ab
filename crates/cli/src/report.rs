//! What `--time` prints.

use lightbeam::Report;
use std::time::Duration;

/// Prints to standard error what compiling cost.
pub(crate) fn print(report: &Report) {
    for line in lines(report) {
        eprintln!("{line}");
    }
}

/// Prints a phase that is not the compiler's.
pub(crate) fn print_phase(name: &str, took: Duration) {
    eprintln!("{}", phase(name, took));
}

fn phase(name: &str, took: Duration) -> String {
    format!("  {name:<8}{:>12.3} ms", took.as_secs_f64() * 1e3)
}

fn lines(report: &Report) -> Vec<String> {
    let total = report.phases.total();
    let seconds = total.as_secs_f64().max(1e-9);
    let mut lines = vec![format!(
        "lightbeam: functions {}, bytes of WebAssembly {}, bytes of machine code {}",
        report.functions, report.wasm_bytes, report.code_bytes
    )];
    // Loading is Wasmtime's part and is printed by whoever has it done.
    lines
        .extend(report.phases.list().iter().filter(|(name, _)| *name != "load").map(|(name, took)| phase(name, *took)));
    lines.push(format!(
        "{}   {:.1} MB/s, {:.0} ns per function",
        phase("total", total),
        report.wasm_bytes as f64 / 1e6 / seconds,
        seconds * 1e9 / f64::from(report.functions.max(1)),
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_total() {
        let mut report = Report::default();
        report.functions = 1000;
        report.wasm_bytes = 5_000_000;
        report.phases.compile = Duration::from_millis(90);
        report.phases.link = Duration::from_millis(10);
        let lines = lines(&report);
        assert!(lines.iter().any(|line| line.ends_with("90.000 ms")), "{lines:?}");
        assert!(lines.last().unwrap().ends_with("100.000 ms   50.0 MB/s, 100000 ns per function"), "{lines:?}");
    }
}
