//! What something that can be left out costs in code and in time. `bench spectre`: guards against Spectre; with guard
//! pages accesses of tables alone have guards, without, accesses of memories have them, too. `bench nans`: NaNs that
//! are canonical.

use crate::engines::{Backend, text_bytes};
use crate::programs::{self, Work};
use crate::run::{link, run};
use crate::stats::{Effort, Samples, geomean, interleave};
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::{Context, ensure};
use iced_x86::{Decoder, DecoderOptions};
use object::{Object as _, ObjectSection as _};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of programs; without any, all of the corpus.
    programs: Vec<String>,
    #[command(flatten)]
    effort: Effort,
    /// Writes all samples to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// One program with something and without.
struct Row {
    program: String,
    /// Bytes of code, and instructions in it.
    code: [u64; 2],
    instructions: [u64; 2],
    times: [Samples; 2],
}

impl Row {
    fn code(&self) -> f64 {
        self.code[0] as f64 / self.code[1] as f64
    }

    fn instructions(&self) -> f64 {
        self.instructions[0] as f64 / self.instructions[1] as f64
    }

    fn ratio(&self, statistic: fn(&Samples) -> f64) -> f64 {
        statistic(&self.times[0]) / statistic(&self.times[1])
    }
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    print_circumstances();
    let works = programs::works(&options.programs, false, false)?;
    let mut json = Vec::new();
    for pages in [true, false] {
        let backends = [Backend::with_guards(true, pages)?, Backend::with_guards(false, pages)?];
        let mut rows = Vec::new();
        for work in &works {
            eprintln!("{}, {} …", work.wasm.name, layout(pages));
            rows.push(measure(work, &backends, options.effort)?);
        }
        table(&rows, &format!("{}: with guards over without", layout(pages)));
        json.extend(rows.iter().map(|row| (layout(pages), row)).map(as_json));
    }
    write_json(options.json.as_deref(), &json.into_iter().collect::<Value>())
}

/// `bench nans`.
pub(crate) fn nans(options: &Options) -> anyhow::Result<()> {
    print_circumstances();
    let backends = [Backend::with_nans(true)?, Backend::with_nans(false)?];
    let mut rows = Vec::new();
    for work in &programs::works(&options.programs, false, false)? {
        eprintln!("{} …", work.wasm.name);
        rows.push(measure(work, &backends, options.effort)?);
    }
    table(&rows, "with canonical NaNs over without");
    let json = rows.iter().map(|row| ("canonical NaNs", row)).map(as_json);
    write_json(options.json.as_deref(), &json.collect::<Value>())
}

fn as_json((what, row): (&str, &Row)) -> Value {
    let [with, without] = row.times.each_ref().map(Samples::json);
    let [code, instructions] = [row.code, row.instructions];
    json!({ "program": row.program, "what": what, "code": code, "instructions": instructions, "with": with, "without": without })
}

fn layout(pages: bool) -> &'static str {
    if pages { "with guard pages" } else { "without guard pages" }
}

fn measure(work: &Work, backends: &[Backend; 2], effort: Effort) -> anyhow::Result<Row> {
    let name = &work.wasm.name;
    let (mut code, mut instructions) = ([0; 2], [0; 2]);
    let mut ready = Vec::new();
    for (backend, (code, instructions)) in backends.iter().zip(code.iter_mut().zip(&mut instructions)) {
        let artifact = backend.compile(&work.wasm.bytes)?.artifact;
        *code = text_bytes(&artifact)?;
        *instructions = count_instructions(&artifact, *code)?;
        ready.push(link(backend, &backend.proved(&work.wasm.bytes)?)?);
    }
    let mut expected = work.expected.clone();
    let samples = interleave(2, effort, |index| {
        let (time, stdout) = run(&ready[index], work).with_context(|| name.clone())?;
        let printed = work.printed(stdout)?;
        let expected = expected.get_or_insert_with(|| printed.clone());
        ensure!(*expected == printed, "{name} does not print what it must");
        Ok(time)
    })?;
    let mut times = samples.into_iter().map(|samples| samples.map_err(anyhow::Error::msg));
    let times = [times.next().context("with")??, times.next().context("without")??];
    Ok(Row { program: name.clone(), code, instructions, times })
}

/// Instructions in the first bytes of an artifact's text, with what stands between functions.
fn count_instructions(artifact: &[u8], bytes: u64) -> anyhow::Result<u64> {
    let file = object::File::parse(artifact)?;
    let text = file.section_by_name(".text").context("the artifact has no text")?.data()?;
    Ok(Decoder::new(64, &text[..bytes as usize], DecoderOptions::NONE).iter().count() as u64)
}

fn table(rows: &[Row], what: &str) {
    println!("{what}; of times the ratio of medians, and of minima in brackets:\n");
    let both = |median: f64, minimum: f64| format!("{median:.3} ({minimum:.3})");
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let [with, without] = row.times.each_ref().map(|samples| number(Some(samples.median())));
            let time = both(row.ratio(Samples::median), row.ratio(Samples::min));
            vec![
                row.program.clone(),
                row.code[1].to_string(),
                format!("{:.4}", row.code()),
                format!("{:.4}", row.instructions()),
                with,
                without,
                time,
            ]
        })
        .collect();
    let mean =
        |statistic: fn(&Samples) -> f64| geomean(rows.iter().map(|row| row.ratio(statistic))).unwrap_or(f64::NAN);
    let code = geomean(rows.iter().map(Row::code)).unwrap_or(f64::NAN);
    let instructions = geomean(rows.iter().map(Row::instructions)).unwrap_or(f64::NAN);
    let blank = String::new();
    let time = both(mean(Samples::median), mean(Samples::min));
    lines.push(vec![
        "geometric mean".into(),
        blank.clone(),
        format!("{code:.4}"),
        format!("{instructions:.4}"),
        blank.clone(),
        blank,
        time,
    ]);
    print(&["program", "code without, bytes", "code", "instructions", "with, ms", "without, ms", "time"], &lines);
}
