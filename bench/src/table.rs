//! Tables as Markdown, aligned so that they can be read as they are.

use serde_json::Value;
use std::path::Path;

/// Prints a table: the first column is text, the others are numbers.
pub(crate) fn print(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count(), 3]).max().unwrap_or(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!(" {cell:<width$} "),
            _ => format!(" {cell:>width$} "),
        });
        println!("|{}|", cells.collect::<Vec<_>>().join("|"));
    };
    line(&head.iter().map(ToString::to_string).collect::<Vec<_>>());
    let rule = widths.iter().enumerate().map(|(column, &width)| match column {
        0 => "-".repeat(width + 2),
        _ => format!("{}:", "-".repeat(width + 1)),
    });
    println!("|{}|", rule.collect::<Vec<_>>().join("|"));
    rows.iter().for_each(|row| line(row));
    println!();
}

/// A number with about three digits, or a dash.
pub(crate) fn number(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 0.1 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

/// Says under which circumstances the tables came about, as these decide what they are worth.
pub(crate) fn print_circumstances() {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let command: Vec<String> = std::env::args().skip(1).collect();
    println!("`bench {}`", command.join(" "));
    println!();
    println!(
        "{} × {}; load {}",
        threads,
        model.trim_start_matches([' ', '\t', ':']),
        read("/proc/loadavg").split(' ').take(2).collect::<Vec<_>>().join(", ")
    );
    println!();
}

/// Writes all samples to a file, if one is asked for.
pub(crate) fn write_json(path: Option<&Path>, value: &Value) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    std::fs::write(path, serde_json::to_vec_pretty(value)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn three_digits() {
        let shown = [1234.4, 56.78, 0.5678, 0.0345, f64::NAN].map(|value| number(Some(value)));
        assert_eq!(shown, ["1234", "56.8", "0.57", "0.035", "–"]);
    }
}
