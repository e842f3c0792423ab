//! `bench bombs`: modules made to be slow to compile, at a size and at twice that. What must hold is that twice the
//! input never costs much more than twice the time and twice the code.

use crate::engines::{Backend, Compiled, Kind, text_bytes};
use crate::stats::Samples;
use crate::table::{number, print, print_circumstances};
use anyhow::ensure;

// The tests have the generators; this is their other user.
#[path = "../../tests/src/bombs.rs"]
mod families;

use families::{BOMBS, EXTREMES, OUT_OF_PROPORTION};

/// What doubling may cost.
const MAX_TIME: f64 = 2.3;
const MAX_CODE: f64 = 2.1;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of families; without any, all.
    families: Vec<String>,
    /// Compiles at each size, of which the fastest counts.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// The compiler to attack.
    #[arg(long, default_value = "lightbeam")]
    compiler: Kind,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    let backend = Backend::new(options.compiler, false)?;
    let asked = |name: &str| options.families.is_empty() || options.families.iter().any(|asked| asked == name);
    print_circumstances();
    println!("{}, doubled; ms are minima:\n", backend.kind.name());
    let mut over = Vec::new();
    let mut lines = Vec::new();
    for bomb in BOMBS.iter().filter(|bomb| asked(bomb.name)) {
        eprintln!("{} …", bomb.name);
        let sizes = [bomb.n, 2 * bomb.n].map(|n| {
            let wasm = (bomb.make)(n);
            let (time, code) = fastest(&backend, &wasm, options.runs)?;
            anyhow::Ok((wasm.len() as f64, time, code as f64))
        });
        let [once, twice] = sizes;
        let cells = match (once, twice) {
            (Ok(once), Ok(twice)) => {
                // Where there is next to no code, what every module has of it outweighs the rest.
                let (time, code) = (twice.1 / once.1, twice.2 / once.2.max(4096.0));
                if time > MAX_TIME || code > MAX_CODE {
                    over.push(bomb.name);
                }
                [once.0 / 1e3, once.1, twice.1, time, code].map(|cell| number(Some(cell))).to_vec()
            }
            (Err(error), _) | (_, Err(error)) => {
                over.push(bomb.name);
                vec![format!("{error:#}")]
            }
        };
        lines.push([bomb.name.to_owned(), bomb.n.to_string()].into_iter().chain(cells).collect());
    }
    print(&["family", "n", "wasm KB", "ms at n", "ms at 2n", "time ratio", "code ratio"], &lines);

    println!("Near the limits, and beyond them:\n");
    let mut lines = Vec::new();
    for bomb in EXTREMES.iter().chain(OUT_OF_PROPORTION).filter(|bomb| asked(bomb.name)) {
        let wasm = (bomb.make)(bomb.n);
        let cells = match fastest(&backend, &wasm, 1) {
            Ok((time, code)) => [time, code as f64 / 1e3].map(|cell| number(Some(cell))).to_vec(),
            Err(error) => vec![format!("{error:#}"), String::new()],
        };
        lines.push([bomb.name.to_owned(), number(Some(wasm.len() as f64 / 1e3))].into_iter().chain(cells).collect());
    }
    print(&["module", "wasm KB", "ms", "code KB"], &lines);
    ensure!(over.is_empty(), "more than {MAX_TIME}× the time or {MAX_CODE}× the code: {}", over.join(", "));
    Ok(())
}

/// The least time of compiling in milliseconds, and the bytes of code.
fn fastest(backend: &Backend, wasm: &[u8], runs: usize) -> anyhow::Result<(f64, u64)> {
    let mut samples = Samples::default();
    let mut code = 0;
    for _ in 0..runs.max(1) {
        let Compiled { time, artifact, .. } = backend.compile(wasm)?;
        samples.push(time);
        code = text_bytes(&artifact)?;
    }
    Ok((samples.min(), code))
}
