//! Tables as Markdown, aligned so that they can be read as they are.

use serde_json::Value;
use std::path::Path;
use std::time::UNIX_EPOCH;

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
    println!("`bench {}`", quoted(&command));
    println!();
    println!(
        "{} × {}; {}; load {}",
        threads,
        model.trim_start_matches([' ', '\t', ':']),
        day(UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())),
        read("/proc/loadavg").split(' ').take(2).collect::<Vec<_>>().join(", ")
    );
    println!();
}

/// A command as it is typed: what has spaces or brackets stands between quotation marks.
pub(crate) fn quoted(arguments: &[String]) -> String {
    let quoted = |argument: &String| match argument.contains([' ', '(']) {
        true => format!("'{argument}'"),
        false => argument.clone(),
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// The day, in world time, that so many seconds after the beginning of 1970 are in.
fn day(seconds: u64) -> String {
    // From the first of March of the year 0 on: of years that begin in March the day that some have more is the last.
    let days = seconds / 86_400 + 719_468;
    // 400 years are always as long, and all but the last day of 4, of 100 and of 400 are in years of 365 days.
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months from March on have 153 days, and so have the next five.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    format!("{:04}-{month:02}-{day:02}", 400 * cycle + year)
}

/// Writes all samples to a file, if one is asked for.
pub(crate) fn write_json(path: Option<&Path>, value: &Value) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    std::fs::write(path, serde_json::to_vec_pretty(value)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{day, number};

    #[test]
    fn days() {
        let days = [0, 951_782_400, 951_868_799, 951_868_800, 1_735_689_599, 1_735_689_600].map(day);
        assert_eq!(days, ["1970-01-01", "2000-02-29", "2000-02-29", "2000-03-01", "2024-12-31", "2025-01-01"]);
    }

    #[test]
    fn three_digits() {
        let shown = [1234.4, 56.78, 0.5678, 0.0345, f64::NAN].map(|value| number(Some(value)));
        assert_eq!(shown, ["1234", "56.8", "0.57", "0.035", "–"]);
    }
}
