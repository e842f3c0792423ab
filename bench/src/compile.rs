//! `bench compile`: what compiling costs, and how much code comes of it.

use crate::corpus::{self, Wasm};
use crate::engines::{Backend, Kind, text_bytes};
use crate::node::{self, Node};
use crate::programs;
use crate::stats::{Effort, Samples, geomean, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use crate::unseen;
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use wasmparser::{Validator, WasmFeatures};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Modules, which are compiled and never run; without any, the programs of the corpus.
    files: Vec<PathBuf>,
    /// A module to compile beside the others; may be given again.
    #[arg(long = "module", value_name = "FILE")]
    modules: Vec<PathBuf>,
    /// The large modules that `bench/fetch` gets as well.
    #[arg(long)]
    large: bool,
    /// The programs that nobody has tuned for, which `bench/fetch` gets, and nothing else.
    #[arg(long)]
    unseen: bool,
    #[command(flatten)]
    effort: Effort,
    /// Leaves a compiler out.
    #[arg(long, value_name = "COMPILER")]
    skip: Vec<Contender>,
    /// Also says what Lightbeam did how often.
    #[arg(long)]
    counters: bool,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Who takes turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Contender {
    Lightbeam,
    /// wasmparser's validation, which is the least that any of them can do.
    Validation,
    Liftoff,
    Winch,
    Cranelift,
    Turbofan,
}

impl Contender {
    const ALL: [Contender; 6] = [
        Contender::Lightbeam,
        Contender::Validation,
        Contender::Liftoff,
        Contender::Winch,
        Contender::Cranelift,
        Contender::Turbofan,
    ];

    fn name(self) -> &'static str {
        match self {
            Contender::Lightbeam => Kind::Lightbeam.name(),
            Contender::Validation => "validation",
            Contender::Liftoff => "Liftoff",
            Contender::Winch => Kind::Winch.name(),
            Contender::Cranelift => Kind::Cranelift.name(),
            Contender::Turbofan => "TurboFan",
        }
    }

    /// Flags of Node.js, if that is where it is.
    fn flags(self) -> Option<&'static [&'static str]> {
        match self {
            Contender::Liftoff => Some(node::LIFTOFF),
            Contender::Turbofan => Some(node::TURBOFAN),
            _ => None,
        }
    }
}

/// What was measured of one module.
struct Row {
    name: String,
    code_bytes: usize,
    times: Vec<(Contender, Samples)>,
    text: Vec<(Contender, u64)>,
    /// Lightbeam's own account of its phases.
    phases: Vec<(&'static str, Samples)>,
    /// What it did how often.
    counters: Vec<(&'static str, u64)>,
}

impl Row {
    fn median(&self, contender: Contender) -> Option<f64> {
        let (_, samples) = self.times.iter().find(|(c, _)| *c == contender)?;
        Some(samples.median())
    }

    fn min(&self, contender: Contender) -> Option<f64> {
        let (_, samples) = self.times.iter().find(|(c, _)| *c == contender)?;
        Some(samples.min())
    }

    fn text(&self, contender: Contender) -> Option<f64> {
        let (_, bytes) = self.text.iter().find(|(c, _)| *c == contender)?;
        Some(*bytes as f64)
    }

    fn json(&self) -> Value {
        json!({
            "module": self.name,
            "code_section_bytes": self.code_bytes,
            "ms": self.times.iter().map(|(c, s)| (c.name().to_owned(), s.json())).collect::<serde_json::Map<_, _>>(),
            "phases_ms": self.phases.iter().map(|(p, s)| ((*p).to_owned(), s.json())).collect::<serde_json::Map<_, _>>(),
            "counters": self.counters.iter().map(|(n, c)| ((*n).to_owned(), json!(c))).collect::<serde_json::Map<_, _>>(),
            "text_bytes": self.text.iter().map(|(c, b)| (c.name().to_owned(), json!(b))).collect::<serde_json::Map<_, _>>(),
        })
    }
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let mut modules = match &options.files[..] {
        [] if options.unseen => unseen::modules()?,
        [] => corpus::programs(&[])?,
        files => files.iter().map(|path| Wasm::read(path)).collect::<Result<_, _>>()?,
    };
    for path in &options.modules {
        modules.push(Wasm::read(path)?);
    }
    if options.large {
        modules.extend(programs::modules()?);
    }
    let node = Node::version();
    let contenders: Vec<Contender> = Contender::ALL
        .into_iter()
        .filter(|c| !options.skip.contains(c) && (c.flags().is_none() || node.is_some()))
        .collect();
    let backends = Kind::ALL.map(|kind| Backend::new(kind, false));
    let backends: Vec<Backend> = backends.into_iter().collect::<Result<_, _>>()?;

    print_circumstances();
    if let Some(version) = node.filter(|_| contenders.iter().any(|contender| contender.flags().is_some())) {
        println!("V8's compilers are those of {version}.\n");
    }
    let mut rows = Vec::new();
    for module in &modules {
        eprintln!("{} …", module.name);
        match measure(module, &contenders, &backends, options.effort)? {
            Ok(row) => rows.push(row),
            Err(refusal) => println!("{} is left out: {refusal}\n", module.name),
        }
    }
    times(&rows);
    phases(&rows);
    sizes(&rows);
    if options.counters {
        counters(&rows);
    }
    write_json(options.json.as_deref(), &rows.iter().map(Row::json).collect::<Value>())
}

/// Measures one module, unless Lightbeam refuses it; others that do are left out.
fn measure(
    module: &Wasm,
    contenders: &[Contender],
    backends: &[Backend],
    effort: Effort,
) -> anyhow::Result<Result<Row, String>> {
    let features = backends[0].engine().get_wasm_features();
    let mut nodes = Vec::new();
    for contender in contenders {
        let node = contender.flags().map(|flags| Node::new(flags, node::COMPILE, &module.bytes, &Value::Null));
        nodes.push(node.transpose()?);
    }
    let mut row = Row {
        name: module.name.clone(),
        code_bytes: module.code_bytes()?,
        times: Vec::new(),
        text: Vec::new(),
        phases: Vec::new(),
        counters: Vec::new(),
    };
    let mut seen = vec![false; contenders.len()];
    let samples = interleave(contenders.len(), effort, |index| {
        let contender = contenders[index];
        let kind = match contender {
            Contender::Validation => return validate(&module.bytes, features),
            Contender::Liftoff | Contender::Turbofan => {
                return nodes[index].as_mut().expect("it has a process").turn();
            }
            Contender::Lightbeam => Kind::Lightbeam,
            Contender::Winch => Kind::Winch,
            Contender::Cranelift => Kind::Cranelift,
        };
        let backend = backends.iter().find(|backend| backend.kind == kind).expect("there is one of each");
        let compiled = backend.compile(&module.bytes)?;
        let first = !std::mem::replace(&mut seen[index], true);
        if first {
            row.text.push((contender, text_bytes(&compiled.artifact)?));
            if contender == Contender::Lightbeam {
                backend.proved(&module.bytes)?;
            }
        }
        if let Some(report) = backend.report(&module.bytes)? {
            if first {
                row.counters = report.counters.list();
            }
            // The artifact is not loaded, so there is no time of that.
            for (at, (name, time)) in report.phases.list().into_iter().filter(|(name, _)| *name != "load").enumerate() {
                if row.phases.len() == at {
                    row.phases.push((name, Samples::default()));
                }
                row.phases[at].1.push(time);
            }
        }
        Ok(compiled.time)
    })?;
    for (contender, samples) in contenders.iter().zip(samples) {
        match samples {
            Ok(samples) => row.times.push((*contender, samples)),
            Err(error) if *contender == Contender::Lightbeam => return Ok(Err(format!("Lightbeam: {error}"))),
            Err(error) => println!("{} without {}: {error}\n", module.name, contender.name()),
        }
    }
    Ok(Ok(row))
}

fn validate(bytes: &[u8], features: WasmFeatures) -> anyhow::Result<Duration> {
    let start = ThreadTime::now();
    Validator::new_with_features(features).validate_all(bytes)?;
    Ok(start.elapsed())
}

/// A column: what it is called, and what it says of a row.
type Column = (String, Box<dyn Fn(&Row) -> Option<f64>>);

/// Prints rows; below those columns that are ratios, whose name has a slash, stands their geometric mean.
fn print_rows(rows: &[Row], columns: &[Column]) {
    let columns: Vec<_> = columns.iter().filter(|(_, value)| rows.iter().any(|row| value(row).is_some())).collect();
    let mut head = vec!["module"];
    head.extend(columns.iter().map(|(name, _)| name.as_str()));
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let cells = columns.iter().map(|(_, value)| number(value(row)));
            std::iter::once(row.name.clone()).chain(cells).collect()
        })
        .collect();
    let means = columns.iter().map(|(name, value)| match name.contains('/') {
        true => number(geomean(rows.iter().filter_map(value))),
        false => String::new(),
    });
    if columns.iter().any(|(name, _)| name.contains('/')) {
        lines.push(std::iter::once("geometric mean".to_owned()).chain(means).collect());
    }
    print(&head, &lines);
}

fn times(rows: &[Row]) {
    println!("Time to compile, median, ms of processor time:\n");
    let mut columns: Vec<Column> = vec![("code KB".into(), Box::new(|row| Some(row.code_bytes as f64 / 1e3)))];
    for contender in Contender::ALL {
        columns.push((contender.name().into(), Box::new(move |row| row.median(contender))));
    }
    columns
        .push(("MB/s".into(), Box::new(|row| Some(row.code_bytes as f64 / 1e3 / row.median(Contender::Lightbeam)?))));
    for other in &Contender::ALL[1..] {
        columns.push((
            format!("/ {}", other.name()),
            Box::new(move |row| Some(row.median(Contender::Lightbeam)? / row.median(*other)?)),
        ));
    }
    print_rows(rows, &columns);
}

fn phases(rows: &[Row]) {
    println!("Lightbeam's phases, median, ms by the clock; ratios of minima:\n");
    let mut columns: Vec<Column> = Vec::new();
    for at in 0..rows.first().map_or(0, |row| row.phases.len()) {
        let name = rows[0].phases[at].0;
        columns.push((name.into(), Box::new(move |row| row.phases.get(at).map(|(_, samples)| samples.median()))));
    }
    for (name, at) in [("survey / validation", 1), ("emit / validation", 2)] {
        let ratio = move |row: &Row| Some(row.phases.get(at)?.1.min() / row.min(Contender::Validation)?);
        columns.push((name.into(), Box::new(ratio)));
    }
    print_rows(rows, &columns);
}

fn sizes(rows: &[Row]) {
    println!("Machine code, KB:\n");
    let mut columns: Vec<Column> = Vec::new();
    let compilers = [Contender::Lightbeam, Contender::Winch, Contender::Cranelift];
    for contender in compilers {
        columns.push((contender.name().into(), Box::new(move |row| Some(row.text(contender)? / 1e3))));
    }
    for (over, under) in [(0, 1), (0, 2), (1, 2)] {
        let (over, under) = (compilers[over], compilers[under]);
        let name = format!("{} / {}", over.name(), under.name());
        columns.push((name, Box::new(move |row| Some(row.text(over)? / row.text(under)?))));
    }
    print_rows(rows, &columns);
}

fn counters(rows: &[Row]) {
    println!("What Lightbeam did, a thousand operators:\n");
    let mut columns: Vec<Column> = Vec::new();
    for (at, (name, _)) in rows.first().map_or(&[][..], |row| &row.counters).iter().enumerate() {
        let per_thousand = move |row: &Row| {
            let all = row.counters[0].1 as f64;
            let count = row.counters[at].1 as f64;
            Some(if at == 0 { all } else { count * 1e3 / all })
        };
        columns.push((name.replace('_', " "), Box::new(per_thousand)));
    }
    print_rows(rows, &columns);
}
