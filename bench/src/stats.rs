//! Samples of time, what is said of them, and the order in which they are taken.

use serde_json::{Value, json};
use std::time::Duration;

/// Measured times of one thing, in milliseconds, in the order in which they were taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e3);
    }

    pub(crate) fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
        }
    }

    fn total(&self) -> f64 {
        self.0.iter().sum()
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "min": self.min(), "median": self.median(), "samples": self.0 })
    }
}

/// The geometric mean, if there is anything to take it of.
pub(crate) fn geomean(ratios: impl IntoIterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = ratios.into_iter().map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

/// How many samples to take.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Effort {
    /// Samples of each compiler on each module, after one that is not counted.
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Seconds after which a compiler gets no more turns on a module. If its first turn takes as long, it is the only
    /// one and counts.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
}

/// Lets contenders take turns, each round beginning with another one. `turn` gives the time that counts of one turn of
/// the contender with this index. A contender that fails in its first turn gets no other, and the reason is kept.
pub(crate) fn interleave(
    contenders: usize,
    effort: Effort,
    mut turn: impl FnMut(usize) -> anyhow::Result<Duration>,
) -> anyhow::Result<Vec<Result<Samples, String>>> {
    let budget = effort.seconds * 1e3;
    let mut done = vec![false; contenders];
    let mut all: Vec<Result<Samples, String>> = Vec::with_capacity(contenders);
    for (contender, done) in done.iter_mut().enumerate() {
        all.push(match turn(contender) {
            Ok(time) => {
                let mut samples = Samples::default();
                if time.as_secs_f64() >= effort.seconds {
                    samples.push(time);
                    *done = true;
                }
                Ok(samples)
            }
            Err(error) => {
                *done = true;
                Err(format!("{error:#}"))
            }
        });
    }
    for round in 0..effort.runs.max(1) {
        for contender in (0..contenders).map(|i| (i + round) % contenders) {
            if done[contender] {
                continue;
            }
            let samples = all[contender].as_mut().expect("those that failed are done");
            samples.push(turn(contender)?);
            done[contender] = samples.total() >= budget;
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{Effort, Samples, geomean, interleave};
    use std::time::Duration;

    #[test]
    fn median_and_mean() {
        let mut samples = Samples::default();
        for ms in [5, 1, 2, 100] {
            samples.push(Duration::from_millis(ms));
        }
        assert_eq!((samples.min(), samples.median()), (1.0, 3.5));
        assert!((geomean([0.5, 2.0, 8.0]).expect("not empty") - 2.0).abs() < 1e-12);
        assert_eq!(geomean([]), None);
    }

    #[test]
    fn the_slow_get_fewer_turns_and_the_failed_none() {
        let mut turns = [0; 3];
        let effort = Effort { runs: 10, seconds: 1.0 };
        let samples = interleave(3, effort, |contender| {
            turns[contender] += 1;
            match contender {
                0 => Ok(Duration::from_millis(1)),
                1 => Ok(Duration::from_millis(300)),
                _ => anyhow::bail!("refused"),
            }
        });
        let samples = samples.expect("only first turns fail");
        assert_eq!(turns, [11, 5, 1]);
        assert_eq!(samples[1].as_ref().expect("it succeeds").median(), 300.0);
        assert_eq!(samples[2].as_ref().err().map(String::as_str), Some("refused"));
    }
}
