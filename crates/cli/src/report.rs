//! What `--time` and `--counters` print.

use crate::show::{self, say};
use lightbeam::{FunctionReport, Report};
use std::time::Duration;

/// Prints to standard error what compiling cost.
pub(crate) fn print(report: &Report) {
    for line in lines(report) {
        say(line);
    }
}

/// Prints to standard error the sizes of a module and its code, and what the compiler did how often: for each function
/// that was counted, then in total.
pub(crate) fn print_counters(report: &Report) {
    for line in function_lines(&report.per_function).iter().chain(&counter_lines(report)) {
        say(line);
    }
}

/// A column of the table of functions: two lines of its heading, and its value.
type Column = ([&'static str; 2], fn(&FunctionReport) -> u64);

/// What is counted of a function beside its sizes: what says how well it was compiled.
const COLUMNS: [Column; 14] = [
    (["", "index"], |function| function.index.into()),
    (["wasm", "bytes"], |function| function.body_bytes as u64),
    (["code", "bytes"], |function| function.code_bytes as u64),
    (["", "operators"], |function| function.counters.operators),
    (["", "spills"], |function| function.counters.spills),
    (["", "reloads"], |function| function.counters.reloads),
    (["home", "saves"], |function| function.counters.home_saves),
    (["merge", "moves"], |function| function.counters.merge_moves),
    (["direct", "sets"], |function| function.counters.direct_sets),
    (["fused", "compares"], |function| function.counters.fused_compares),
    (["folded", "loads"], |function| function.counters.folded_loads),
    (["folded", "slots"], |function| function.counters.folded_slots),
    (["folded", "addresses"], |function| function.counters.folded_addresses),
    (["", "traps"], |function| function.counters.traps),
];

/// A table with a line for each function, if there is any; names, which may be of any length, come last.
fn function_lines(functions: &[FunctionReport]) -> Vec<String> {
    if functions.is_empty() {
        return Vec::new();
    }
    let line = |cells: &mut dyn Iterator<Item = String>, name: &str| {
        let cells: String = cells.map(|cell| format!("{cell:>10}")).collect();
        format!("{cells}  {name}").trim_end().to_owned()
    };
    let headings = [0, 1]
        .map(|i| line(&mut COLUMNS.iter().map(|(heading, _)| heading[i].to_owned()), if i == 1 { "name" } else { "" }));
    let rows = functions.iter().map(|function| {
        let cells = &mut COLUMNS.iter().map(|(_, value)| value(function).to_string());
        line(cells, &show::name(function.name.as_deref().unwrap_or_default()))
    });
    headings.into_iter().chain(rows).collect()
}

/// A line for each: its name, how much it is, and how much that is for each thousand operators or byte of body.
fn counter_lines(report: &Report) -> Vec<String> {
    let ratio = |count: u64, per: u64| count as f64 / per.max(1) as f64;
    let sizes = [
        ("bytes of WebAssembly", report.wasm_bytes),
        ("bytes of bodies", report.body_bytes),
        ("bytes of machine code", report.code_bytes),
        ("bytes of text", report.text_bytes),
        ("bytes of artifact", report.artifact_bytes),
    ];
    let mut lines = vec![format!("  {:<24}{:>12}", "functions", report.functions)];
    let body = report.body_bytes as u64;
    lines.extend(
        sizes
            .iter()
            .map(|(name, bytes)| format!("  {name:<24}{bytes:>12}{:>10.2} a byte of body", ratio(*bytes as u64, body))),
    );
    let operators = report.counters.operators;
    lines.extend(report.counters.list().iter().map(|(name, count)| {
        let name = name.replace('_', " ");
        format!("  {name:<24}{count:>12}{:>10.2} a thousand operators", 1e3 * ratio(*count, operators))
    }));
    lines
}

/// Prints a phase that is not the compiler's.
pub(crate) fn print_phase(name: &str, took: Duration) {
    say(phase(name, took));
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
    let shown = |name: &str| name != "load" && (name != "verify" || report.verified.is_some());
    lines.extend(report.phases.list().iter().filter(|(name, _)| shown(name)).map(|(name, took)| phase(name, *took)));
    if let Some(verified) = report.verified {
        lines.push(format!("  proved: functions {}, instructions {}", verified.functions, verified.instructions));
    }
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
    fn counts_are_of_operators_and_bodies() {
        let mut report = Report::default();
        report.body_bytes = 100;
        report.code_bytes = 250;
        report.counters.operators = 2000;
        report.counters.folded_loads = 3;
        let lines = counter_lines(&report);
        let line = |name: &str| lines.iter().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(line("bytes of machine code").ends_with(" 250      2.50 a byte of body"), "{lines:?}");
        assert!(line("folded loads").ends_with(" 3      1.50 a thousand operators"), "{lines:?}");
    }

    #[test]
    fn functions_have_a_line_each() {
        let mut fold = FunctionReport { index: 7, name: Some("a\nb".into()), ..FunctionReport::default() };
        (fold.body_bytes, fold.code_bytes, fold.counters.folded_loads) = (30, 1000, 4);
        let lines = function_lines(&[fold, FunctionReport { index: 8, ..FunctionReport::default() }]);
        let words = |i: usize| lines[i].split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(1)[..4], ["index", "bytes", "bytes", "operators"]);
        assert_eq!(words(2)[..4], ["7", "30", "1000", "0"]);
        assert_eq!(words(2).last(), Some(&"a\\nb"));
        // What stands under a heading ends where it does.
        let loads = lines[0].match_indices("folded").next().unwrap().0 + "folded".len();
        assert_eq!(lines[2][..loads].split_whitespace().last(), Some("4"), "{lines:?}");
        assert_eq!(words(3).len(), COLUMNS.len());
        assert!(function_lines(&[]).is_empty());
    }

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
