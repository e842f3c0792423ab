//! `bench gc`: programs with objects and exceptions, Lightbeam's code beside Cranelift's, with each of Wasmtime's
//! collectors.

use crate::engines::{Backend, Kind, write_perf_map};
use crate::stats::{Effort, Samples, geomean, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use cpu_time::ThreadTime;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use wasmtime::{Collector, Instance, Module, Store};

/// The programs, and with how many rounds each takes some tenths of a second. Nothing is collected by the null
/// collector, so with these numbers none of them makes more than its heap can hold.
const PROGRAMS: [(&str, &str, u32); 8] = [
    ("binary-trees", include_str!("../gc/binary-trees.wat"), 30),
    ("hash-map", include_str!("../gc/hash-map.wat"), 25),
    ("sort", include_str!("../gc/sort.wat"), 20),
    ("interpreter", include_str!("../gc/interpreter.wat"), 200),
    ("objects", include_str!("../gc/objects.wat"), 1000),
    ("strings", include_str!("../gc/strings.wat"), 150),
    ("throw", include_str!("../gc/throw.wat"), 20),
    ("try", include_str!("../gc/try.wat"), 50000),
];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of programs; all without any.
    programs: Vec<String>,
    /// The collectors; all without any.
    #[arg(long, value_name = "COLLECTOR")]
    collector: Vec<Choice>,
    #[command(flatten)]
    effort: Effort,
    /// Runs each with this compiler only, once, and leaves a map of its code for `perf`.
    #[arg(long, value_name = "COMPILER")]
    perf: Option<Kind>,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Choice {
    Copying,
    Counting,
    Null,
}

impl Choice {
    const ALL: [Choice; 3] = [Choice::Copying, Choice::Counting, Choice::Null];

    fn collector(self) -> Collector {
        match self {
            Choice::Copying => Collector::Copying,
            Choice::Counting => Collector::DeferredReferenceCounting,
            Choice::Null => Collector::Null,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Choice::Copying => "copying",
            Choice::Counting => "counting",
            Choice::Null => "null",
        }
    }
}

/// A program with a collector: the samples of Lightbeam and of Cranelift.
struct Row {
    program: &'static str,
    collector: Choice,
    samples: [Samples; 2],
}

impl Row {
    fn ratio(&self, statistic: fn(&Samples) -> f64) -> f64 {
        statistic(&self.samples[0]) / statistic(&self.samples[1])
    }
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    for name in &options.programs {
        ensure!(PROGRAMS.iter().any(|program| program.0 == name), "there is no program {name}");
    }
    let chosen = PROGRAMS
        .iter()
        .filter(|program| options.programs.is_empty() || options.programs.iter().any(|name| name == program.0));
    let collectors =
        Choice::ALL.into_iter().filter(|choice| options.collector.is_empty() || options.collector.contains(choice));
    print_circumstances();
    let mut rows = Vec::new();
    for &(program, text, rounds) in chosen {
        let wasm = wat::parse_str(text).with_context(|| program.to_owned())?;
        let mut expected = None;
        for collector in collectors.clone() {
            eprintln!("{program}, {} …", collector.name());
            let kinds = options.perf.map_or(vec![Kind::Lightbeam, Kind::Cranelift], |kind| vec![kind]);
            let mut modules = Vec::new();
            for kind in kinds {
                let backend = Backend::with_collector(kind, collector.collector())?;
                modules.push(backend.proved(&wasm).with_context(|| format!("{program}, {}", kind.name()))?);
            }
            if options.perf.is_some() {
                write_perf_map(&modules[0])?;
                let (time, _) = run(&modules[0], rounds)?;
                println!("{program}: {time:?}");
                continue;
            }
            let samples = interleave(2, options.effort, |index| {
                let (time, sum) = run(&modules[index], rounds)?;
                let expected = *expected.get_or_insert(sum);
                ensure!(
                    sum == expected,
                    "{program}, {}: contender {index} gives {sum}, not {expected}",
                    collector.name()
                );
                Ok(time)
            })?;
            let samples: Vec<Samples> = samples.into_iter().collect::<Result<_, _>>().map_err(anyhow::Error::msg)?;
            let samples = samples.try_into().map_err(|_| anyhow::anyhow!("two contenders"))?;
            rows.push(Row { program, collector, samples });
        }
    }
    if options.perf.is_some() {
        return Ok(());
    }
    println!("Time to run, median, ms of processor time; ratios of medians, and of minima in brackets:\n");
    let shown = |row: &Row| {
        let ratio = |statistic| number(Some(row.ratio(statistic)));
        let mut cells = vec![row.program.to_owned(), row.collector.name().to_owned()];
        cells.extend(row.samples.iter().map(|samples| number(Some(samples.median()))));
        cells.push(format!("{} ({})", ratio(Samples::median), ratio(Samples::min)));
        cells
    };
    let mut lines: Vec<Vec<String>> = rows.iter().map(shown).collect();
    for collector in collectors {
        let mean = |statistic: fn(&Samples) -> f64| {
            number(geomean(rows.iter().filter(|row| row.collector == collector).map(|row| row.ratio(statistic))))
        };
        let both = format!("{} ({})", mean(Samples::median), mean(Samples::min));
        lines.push(vec!["geometric mean".into(), collector.name().into(), String::new(), String::new(), both]);
    }
    print(&["program", "collector", "Lightbeam", "Cranelift", "Lightbeam / Cranelift"], &lines);
    let json = rows.iter().map(|row| {
        let [lightbeam, cranelift] = [0, 1].map(|i| row.samples[i].json());
        json!({
            "program": row.program, "collector": row.collector.name(), "lightbeam": lightbeam, "cranelift": cranelift,
        })
    });
    write_json(options.json.as_deref(), &json.collect::<Value>())
}

/// One run in a store of its own: what its work took, and its checksum.
fn run(module: &Module, rounds: u32) -> anyhow::Result<(Duration, u32)> {
    let mut store = Store::new(module.engine(), ());
    let instance = Instance::new(&mut store, module, &[])?;
    let run = instance.get_typed_func::<u32, u32>(&mut store, "run")?;
    let start = ThreadTime::now();
    let sum = run.call(&mut store, rounds)?;
    Ok((start.elapsed(), sum))
}
