//! `bench picture`: the plane of compile time and run time, with each compiler a point in it.

use crate::stats::geomean;
use anyhow::{Context, ensure};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What `bench compile --json` has written.
    compile: PathBuf,
    /// What `bench run --json` has written.
    run: PathBuf,
    /// The picture to draw, in SVG.
    #[arg(short, long)]
    output: PathBuf,
}

/// A compiler: geometric means over the modules that both files know.
struct Point {
    name: String,
    /// Time to compile; validating alone is 1.
    compile: f64,
    /// Time to run; Cranelift's code is 1.
    run: f64,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let compile = medians(&options.compile, "module")?;
    let run = medians(&options.run, "program")?;
    let common: Vec<&str> = compile
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| run.iter().any(|(other, _)| other == name))
        .collect();
    let (_, some) = run.first().context("no program was run")?;
    let points: Vec<Point> = some
        .iter()
        .filter_map(|(name, _)| {
            let mean = |rows: &[Medians], base: &str| {
                let rows = rows.iter().filter(|(program, _)| common.contains(&program.as_str()));
                geomean(rows.filter_map(|(_, times)| Some(of(times, name)? / of(times, base)?)))
            };
            Some(Point { name: name.clone(), compile: mean(&compile, "validation")?, run: mean(&run, "Cranelift")? })
        })
        .collect();
    ensure!(!points.is_empty(), "the two files have no compiler and module in common");
    for Point { name, compile, run } in &points {
        println!("{name}: {compile:.2} × validation, {run:.2} × Cranelift's code");
    }
    std::fs::write(&options.output, draw(&points, common.len()))?;
    Ok(())
}

/// A module, and the median of each compiler.
type Medians = (String, Vec<(String, f64)>);

fn of(times: &[(String, f64)], name: &str) -> Option<f64> {
    times.iter().find(|(other, _)| other == name).map(|(_, time)| *time)
}

fn medians(path: &Path, key: &str) -> anyhow::Result<Vec<Medians>> {
    let rows: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let rows = rows.as_array().with_context(|| format!("{} has no rows", path.display()))?.iter().map(|row| {
        let times = row["ms"].as_object()?.iter().map(|(name, ms)| Some((name.clone(), ms["median"].as_f64()?)));
        Some((row[key].as_str()?.to_owned(), times.collect::<Option<_>>()?))
    });
    rows.collect::<Option<_>>().with_context(|| format!("{} is not what it must be", path.display()))
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 60.0;

/// Greys that can be read on white and on black, and better ones where the page says which it is.
const STYLE: &str = "<style>
  text { fill: #777 } path { stroke: #888; stroke-opacity: 0.35; fill: none }
  .theirs { fill: #777 } .ours { fill: #e8590c } text.ours { font-weight: bold }
  @media (prefers-color-scheme: light) { text, .theirs { fill: #495057 } .ours { fill: #d9480f } }
  @media (prefers-color-scheme: dark) { text, .theirs { fill: #ced4da } .ours { fill: #ff922b } }
</style>";

/// Both axes are logarithmic: equal distances are equal ratios.
fn draw(points: &[Point], programs: usize) -> String {
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(1.0, f64::max);
    let least = points.iter().map(|point| point.run).fold(1.0, f64::min);
    let (x_end, y_start, y_end) = (most(|p| p.compile) * 1.3, least / 1.1, most(|p| p.run) * 1.1);
    let x = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * value.ln() / x_end.ln();
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (y_end / value).ln() / (y_end / y_start).ln();

    let mut svg = String::new();
    let mut line = |text: String| writeln!(svg, "{text}").expect("a string takes everything");
    line(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">"#
    ));
    // No background: it is read on light and dark pages.
    line(STYLE.to_owned());
    for value in [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0] {
        if value <= x_end {
            let (x, bottom) = (x(value), HEIGHT - BOTTOM);
            line(format!(r##"<path d="M{x:.1} {TOP}V{bottom}"/>"##));
            line(format!(r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{value}</text>"#, bottom + 20.0));
        }
    }
    for value in [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0] {
        if (y_start..=y_end).contains(&value) {
            let (y, right) = (y(value), WIDTH - RIGHT);
            line(format!(r##"<path d="M{LEFT} {y:.1}H{right}"/>"##));
            line(format!(r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{value}</text>"#, LEFT - 8.0, y + 4.0));
        }
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let below = HEIGHT - 16.0;
    line(format!(
        r#"<text x="{middle:.1}" y="{below}" text-anchor="middle">← time to compile, validation alone = 1 ({programs} programs)</text>"#
    ));
    let middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    line(format!(
        r#"<text transform="translate(20 {middle:.1}) rotate(-90)" text-anchor="middle">← time to run, Cranelift = 1</text>"#
    ));
    for Point { name, compile, run } in points {
        let (x, y) = (x(*compile), y(*run));
        let class = if name == "Lightbeam" { "ours" } else { "theirs" };
        line(format!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="6"/>"#));
        line(format!(
            r#"<text class="{class}" x="{:.1}" y="{:.1}">{name}<tspan x="{:.1}" dy="15" font-size="11">{compile:.1}, {run:.2}</tspan></text>"#,
            x + 11.0,
            y - 2.0,
            x + 11.0
        ));
    }
    line("</svg>".to_owned());
    svg
}

#[cfg(test)]
mod tests {
    use super::{Point, draw};

    #[test]
    fn every_point_is_inside_the_picture() {
        let point = |name: &str, compile, run| Point { name: name.to_owned(), compile, run };
        let svg = draw(&[point("Lightbeam", 3.0, 1.1), point("TurboFan", 700.0, 0.8), point("Liftoff", 4.6, 1.8)], 19);
        let centres: Vec<(f64, f64)> = svg
            .lines()
            .filter_map(|line| {
                let number = |key| line.split_once(key)?.1.split_once('"')?.0.parse().ok();
                Some((number("cx=\"")?, number("cy=\"")?))
            })
            .collect();
        assert_eq!(centres.len(), 3);
        assert!(centres.iter().all(|&(x, y)| x > super::LEFT && x < super::WIDTH - super::RIGHT && y > super::TOP));
        assert!(centres[0].0 < centres[2].0 && centres[2].0 < centres[1].0, "slower compilers are further right");
        assert!(centres[1].1 > centres[0].1 && centres[0].1 > centres[2].1, "slower code is further up");
    }
}
