//! Coverage-guided fuzzing: builds `fuzz/`, gives each target seeds, time and a corpus of its own, and keeps the books.

use anyhow::{Context, Result, bail, ensure};
use lightbeam_tests::fuzz::{TARGETS, Target, seeds, target};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Fuzzes one target, or runs it on given inputs.
#[derive(clap::Args)]
pub(crate) struct FuzzTarget {
    /// The target; without one they are listed.
    name: Option<String>,
    /// Stop after so many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Inputs to run once each instead of fuzzing.
    inputs: Vec<PathBuf>,
}

/// Fuzzes all targets in turn.
#[derive(clap::Args)]
pub(crate) struct FuzzCampaign {
    /// Stop after so many seconds; with 0 only the table of all campaigns so far is printed.
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    /// Seconds for one target before the next has its turn.
    #[arg(long, default_value_t = 120)]
    slice: u64,
    /// Only these targets, with commas between.
    #[arg(long, value_delimiter = ',')]
    targets: Vec<String>,
    /// Reduce each corpus to what its coverage needs first.
    #[arg(long)]
    minimise: bool,
}

/// How often a target may fail in one slice before the next has its turn.
const FAILURES: u64 = 4;

impl FuzzTarget {
    pub(crate) fn run(self, root: &Path) -> Result<ExitCode> {
        let Some(name) = &self.name else {
            for Target { name, about, .. } in TARGETS {
                println!("{name:13} {about}");
            }
            return Ok(ExitCode::SUCCESS);
        };
        let place = Place::build(root)?;
        let target = find(name)?;
        if !self.inputs.is_empty() {
            let status = place.command(target).args(&self.inputs).status()?;
            return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let slice = place.slice(target, self.seconds)?;
        place.book(target, &slice)?;
        println!("{}", place.table()?);
        Ok(if slice.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl FuzzCampaign {
    pub(crate) fn run(self, root: &Path) -> Result<ExitCode> {
        let targets: Vec<&Target> = match self.targets.is_empty() {
            true => TARGETS.iter().collect(),
            false => self.targets.iter().map(|name| find(name)).collect::<Result<_>>()?,
        };
        let place = if self.seconds == 0 { Place::new(root) } else { Place::build(root)? };
        if self.minimise {
            targets.iter().try_for_each(|target| place.minimise(target))?;
        }
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let mut failures = 0;
        'all: loop {
            for target in &targets {
                let left = end.saturating_duration_since(Instant::now()).as_secs();
                if left == 0 {
                    break 'all;
                }
                let slice = place.slice(target, self.slice.min(left))?;
                place.book(target, &slice)?;
                failures += slice.failures;
            }
        }
        println!("{}", place.table()?);
        Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn find(name: &str) -> Result<&'static Target> {
    target(name).with_context(|| format!("no target `{name}`; `cargo xtask fuzz-target` lists them"))
}

/// What one turn of a target came to.
#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    /// Processor time in hundredths of a second.
    ticks: u64,
    executions: u64,
    /// Counters of Lightbeam's own code that were reached, and those with how often they were as libFuzzer sorts it.
    coverage: u64,
    features: u64,
    failures: u64,
}

/// `fuzz/` and what is in it.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn new(root: &Path) -> Place {
        Place { folder: root.join("fuzz") }
    }

    /// With the fuzzer built. From that folder, so that Cargo sees its configuration.
    fn build(root: &Path) -> Result<Place> {
        let place = Place::new(root);
        let status =
            Command::new(env!("CARGO")).args(["build", "--release", "--locked"]).current_dir(&place.folder).status()?;
        ensure!(status.success(), "the fuzzer does not build");
        Ok(place)
    }

    fn command(&self, target: &Target) -> Command {
        let mut command = Command::new(self.folder.join("target/release/lightbeam-fuzz"));
        command.env("LIGHTBEAM_FUZZ", target.name).current_dir(&self.folder);
        command.args(["-timeout=60", "-rss_limit_mb=6000", &format!("-max_len={}", target.max_len)]);
        command
    }

    /// The target's folder of this kind, made if there is none.
    fn within(&self, kind: &str, target: &Target) -> Result<PathBuf> {
        let folder = self.folder.join(kind).join(target.name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(folder)
    }

    /// Fuzzes a target for some time, with seeds if it has no corpus yet, and goes on where something failed.
    fn slice(&self, target: &Target, seconds: u64) -> Result<Slice> {
        let (corpus, artifacts) = (self.within("corpus", target)?, self.within("artifacts", target)?);
        if fs::read_dir(&corpus)?.next().is_none() {
            for (number, seed) in seeds::seeds(target).iter().enumerate() {
                fs::write(corpus.join(format!("seed-{number}")), seed)?;
            }
        }
        let (end, before) = (Instant::now() + Duration::from_secs(seconds), child_ticks()?);
        let mut slice = Slice::default();
        while slice.failures < FAILURES {
            let left = end.saturating_duration_since(Instant::now()).as_secs();
            if left == 0 {
                break;
            }
            let mut command = self.command(target);
            command.args([
                format!("-max_total_time={left}"),
                format!("-artifact_prefix={}/", artifacts.display()),
                "-print_final_stats=1".into(),
                "-len_control=0".into(),
            ]);
            let mut child = command.arg(&corpus).stderr(Stdio::piped()).spawn()?;
            let output = BufReader::new(child.stderr.take().context("a pipe was asked for")?);
            let mut log = fs::File::create(artifacts.join("log"))?;
            for line in output.split(b'\n') {
                let line = String::from_utf8_lossy(&line?).into_owned();
                writeln!(log, "{line}")?;
                slice.note(&line);
            }
            if child.wait()?.success() {
                break;
            }
            slice.failures += 1;
            let kept = artifacts.join(format!("log-{}", UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())));
            fs::rename(artifacts.join("log"), &kept)?;
            eprintln!("{} FAILED: see {}", target.name, kept.display());
        }
        slice.ticks = child_ticks()? - before;
        Ok(slice)
    }

    /// Keeps of a corpus what its coverage needs.
    fn minimise(&self, target: &Target) -> Result<()> {
        let (corpus, less) = (self.within("corpus", target)?, self.within("corpus-less", target)?);
        let status = self.command(target).arg("-merge=1").args([&less, &corpus]).status()?;
        ensure!(status.success(), "the corpus of {} cannot be reduced", target.name);
        fs::remove_dir_all(&corpus)?;
        fs::rename(&less, &corpus)?;
        Ok(())
    }

    fn books(&self) -> PathBuf {
        self.folder.join("campaign.tsv")
    }

    /// Adds a line to the books.
    fn book(&self, target: &Target, slice: &Slice) -> Result<()> {
        let mut books = fs::OpenOptions::new().create(true).append(true).open(self.books())?;
        let Slice { ticks, executions, coverage, features, failures } = slice;
        let inputs = fs::read_dir(self.within("corpus", target)?)?.count();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let row = [now, *ticks, *executions, *coverage, *features, inputs as u64, *failures];
        let row: Vec<String> = row.iter().map(u64::to_string).collect();
        writeln!(books, "{}\t{}", target.name, row.join("\t"))?;
        eprintln!(
            "{}: {} s, {executions} executions, cov {coverage}, ft {features}, {inputs} inputs, {failures} failed",
            target.name,
            ticks / 100
        );
        Ok(())
    }

    /// All that is in the books, summed by target.
    fn table(&self) -> Result<String> {
        let books = fs::read_to_string(self.books()).unwrap_or_default();
        let mut rows: BTreeMap<&str, Vec<[u64; 7]>> = BTreeMap::new();
        for line in books.lines() {
            let mut parts = line.split('\t');
            let name = parts.next().unwrap_or_default();
            let numbers: Vec<u64> = parts.map(str::parse).collect::<Result<_, _>>()?;
            let Ok(numbers) = numbers.try_into() else { bail!("a line of the books is broken: {line}") };
            rows.entry(name).or_default().push(numbers);
        }
        let mut text = String::from(
            "| target | CPU | executions | counters reached | features | corpus | failures |\n\
             |---|---|---|---|---|---|---|\n",
        );
        let mut total = [0; 3];
        for Target { name, .. } in TARGETS {
            let Some(rows) = rows.get(name) else { continue };
            let sum = |column: usize| rows.iter().map(|row| row[column]).sum::<u64>();
            let most = |column: usize| rows.iter().map(|row| row[column]).max().unwrap_or_default();
            let (ticks, executions, failures) = (sum(1), sum(2), sum(6));
            let corpus = rows.last().map_or(0, |row| row[5]);
            text += &format!(
                "| `{name}` | {} min | {executions} | {} | {} | {corpus} | {failures} |\n",
                ticks / 6000,
                most(3),
                most(4)
            );
            for (total, more) in total.iter_mut().zip([ticks, executions, failures]) {
                *total += more;
            }
        }
        text += &format!("| all | {} min | {} | | | | {} |", total[0] / 6000, total[1], total[2]);
        Ok(text)
    }
}

impl Slice {
    /// Takes the numbers from a line of libFuzzer's: `#2 INITED cov: 12 ft: 13 …`,
    /// `stat::number_of_executed_units: 3`.
    fn note(&mut self, line: &str) {
        let after = |what: &str| {
            let (_, rest) = line.split_once(what)?;
            rest.trim_start().split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        self.coverage = self.coverage.max(after(" cov:").unwrap_or(0));
        self.features = self.features.max(after(" ft:").unwrap_or(0));
        self.executions += after("stat::number_of_executed_units:").unwrap_or(0);
    }
}

/// Processor time that children which have ended took, in hundredths of a second.
fn child_ticks() -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("the name of the program ends")?;
    let field =
        |number: usize| fields.split_whitespace().nth(number).context("a field")?.parse::<u64>().context("a number");
    Ok(field(13)? + field(14)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_lines_of_the_fuzzer() {
        let mut slice = Slice::default();
        slice.note("#1024\tNEW    cov: 1890 ft: 3521 corp: 24/9Kb lim: 4096 exec/s: 12 rss: 90Mb");
        slice.note("stat::number_of_executed_units: 2048");
        slice.note("a line: of another kind");
        assert_eq!((slice.coverage, slice.features, slice.executions), (1890, 3521, 2048));
    }

    #[test]
    fn time_of_children_counts() {
        let before = child_ticks().unwrap();
        let status =
            Command::new("sh").args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]).status().unwrap();
        assert!(status.success() && child_ticks().unwrap() > before);
    }
}
