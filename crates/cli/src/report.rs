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

/// Prints to standard error the sizes of a module or a component and its code, and what the compiler did how often: for
/// each function, if that is asked for, for each core module of a component, then in total.
pub(crate) fn print_counters(report: &Report, each_function: bool) {
    let functions = if each_function { function_lines(report) } else { Vec::new() };
    for line in functions.iter().chain(&module_lines(report)).chain(&counter_lines(report)) {
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

/// Of functions of a component, there is this ahead of the others.
const OF_COMPONENT: Column = (["core", "module"], |function| function.module.into());

/// A line of a table: what is counted, and a name, which may be of any length and so comes last.
fn row(cells: impl Iterator<Item = String>, name: &str) -> String {
    let cells: String = cells.map(|cell| format!("{cell:>10}")).collect();
    format!("{cells}  {name}").trim_end().to_owned()
}

/// A table with a line for each function, if there is any.
fn function_lines(report: &Report) -> Vec<String> {
    if report.per_function.is_empty() {
        return Vec::new();
    }
    let columns = || report.component.iter().map(|_| &OF_COMPONENT).chain(&COLUMNS);
    let headings =
        [0, 1].map(|i| row(columns().map(|(heading, _)| heading[i].to_owned()), if i == 1 { "name" } else { "" }));
    let rows = report.per_function.iter().map(|function| {
        let cells = columns().map(|(_, value)| value(function).to_string());
        row(cells, &show::name(function.name.as_deref().unwrap_or_default()))
    });
    headings.into_iter().chain(rows).collect()
}

/// A table with a line for each core module of a component.
fn module_lines(report: &Report) -> Vec<String> {
    let Some(component) = report.component else { return Vec::new() };
    let mut sums = vec![[0; 5]; (component.modules + component.adapters) as usize];
    for function in &report.per_function {
        let Some(sums) = sums.get_mut(function.module as usize) else { continue };
        let FunctionReport { body_bytes, code_bytes, counters, .. } = function;
        let own = [1, *body_bytes as u64, *code_bytes as u64, counters.operators, counters.spills];
        sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    }
    let headings =
        [["core", "", "wasm", "code", "", ""], ["module", "functions", "bytes", "bytes", "operators", "spills"]];
    let headings = headings.map(|heading| row(heading.into_iter().map(str::to_owned), ""));
    let rows = (0_u32..).zip(&sums).map(|(module, sums)| {
        let cells = [u64::from(module)].into_iter().chain(*sums).map(|number| number.to_string());
        row(cells, if module < component.modules { "" } else { "adapters" })
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
    format!("  {name:<9}{:>11.3} ms", took.as_secs_f64() * 1e3)
}

fn lines(report: &Report) -> Vec<String> {
    let total = report.phases.total();
    let seconds = total.as_secs_f64().max(1e-9);
    let modules = match report.component {
        Some(component) => format!("core modules {}, adapters {}, ", component.modules, component.adapters),
        None => String::new(),
    };
    if report.cached {
        let mut lines = vec![format!("lightbeam: found in the cache, bytes of artifact {}", report.artifact_bytes)];
        if let Some(verified) = report.verified {
            lines.push(phase("verify", report.phases.verify));
            lines.push(format!("  proved: functions {}, instructions {}", verified.functions, verified.instructions));
        }
        return lines;
    }
    let mut lines = vec![format!(
        "lightbeam: {modules}functions {}, bytes of WebAssembly {}, bytes of machine code {}",
        report.functions, report.wasm_bytes, report.code_bytes
    )];
    for (name, took) in report.phases.list() {
        match name {
            // Loading is Wasmtime's part and is printed by whoever has it done.
            "load" => continue,
            "verify" if report.verified.is_none() => continue,
            _ => lines.push(phase(name, took)),
        }
        match name {
            "decode" if report.component.is_some() => {
                lines.push(format!("{}   of decode", phase("translate", report.phases.translate)));
            }
            "emit" if report.component.is_some() => {
                lines.push(format!("{}   of survey and emit", phase("adapters", report.phases.adapters)));
            }
            _ => {}
        }
    }
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
    use lightbeam::ComponentReport;

    fn of_component() -> ComponentReport {
        let mut component = ComponentReport::default();
        (component.modules, component.adapters) = (2, 1);
        component
    }

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
        let mut fold = FunctionReport::default();
        (fold.index, fold.name) = (7, Some("a\nb".into()));
        (fold.body_bytes, fold.code_bytes, fold.counters.folded_loads) = (30, 1000, 4);
        let mut report = Report::default();
        assert!(function_lines(&report).is_empty());
        let mut other = FunctionReport::default();
        other.index = 8;
        report.per_function = vec![fold, other];
        let lines = function_lines(&report);
        let words = |i: usize| lines[i].split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(1)[..4], ["index", "bytes", "bytes", "operators"]);
        assert_eq!(words(2)[..4], ["7", "30", "1000", "0"]);
        assert_eq!(words(2).last(), Some(&"a\\nb"));
        // What stands under a heading ends where it does.
        let loads = lines[0].match_indices("folded").next().unwrap().0 + "folded".len();
        assert_eq!(lines[2][..loads].split_whitespace().last(), Some("4"), "{lines:?}");
        assert_eq!(words(3).len(), COLUMNS.len());
        assert!(module_lines(&report).is_empty());
    }

    #[test]
    fn modules_of_a_component_have_a_line_each() {
        let function = |module, index| {
            let mut function = FunctionReport::default();
            (function.module, function.index, function.body_bytes, function.code_bytes) = (module, index, 10, 20);
            function
        };
        let mut report = Report::default();
        report.component = Some(of_component());
        report.per_function = vec![function(0, 4), function(0, 5), function(2, 1)];
        let words = |line: &String| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let modules: Vec<_> = module_lines(&report).iter().map(words).collect();
        assert_eq!(modules[2], ["0", "2", "20", "40", "0", "0"]);
        assert_eq!(modules[3], ["1", "0", "0", "0", "0", "0"]);
        assert_eq!(modules[4], ["2", "1", "10", "20", "0", "0", "adapters"]);
        let functions: Vec<_> = function_lines(&report).iter().map(words).collect();
        assert_eq!(functions[1][..2], ["module", "index"]);
        assert_eq!(functions[4][..4], ["2", "1", "10", "20"]);
    }

    #[test]
    fn what_components_add_is_said_of_them_alone() {
        let mut report = Report::default();
        assert!(!lines(&report).iter().any(|line| line.contains("adapters") || line.contains("translate")));
        report.component = Some(of_component());
        report.phases.translate = Duration::from_millis(3);
        report.phases.adapters = Duration::from_millis(2);
        let lines = lines(&report);
        assert!(lines[0].starts_with("lightbeam: core modules 2, adapters 1, functions 0,"), "{lines:?}");
        assert!(lines.iter().any(|line| line.ends_with("3.000 ms   of decode")), "{lines:?}");
        assert!(lines.iter().any(|line| line.ends_with("2.000 ms   of survey and emit")), "{lines:?}");
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
