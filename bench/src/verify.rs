//! `bench verify`: what it costs to prove code beside making it, in instructions, which are the same on a busy machine;
//! and that twice the input costs no more than about twice as much, on modules made to be slow to compile.

use crate::bombs::families::{allowed, bombs};
use crate::corpus::{self, Wasm};
use crate::engines::{Backend, Kind};
use crate::instructions::{count, count_of_proof};
use crate::programs;
use crate::table::{number, print, print_circumstances, write_json};
use anyhow::ensure;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What proving may cost beside compiling.
const MOST: f64 = 0.5;

/// What it may cost for twice the input.
const DOUBLE: f64 = 2.1;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Names of programs of the corpus, or files; without any, five programs.
    modules: Vec<String>,
    /// Also the large programs that `bench/fetch` has fetched.
    #[arg(long)]
    large: bool,
    /// The modules made to be slow to compile instead, at a size and at twice that; `modules` are names of families.
    #[arg(long, conflicts_with = "large")]
    bombs: bool,
    /// Writes what was counted to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn main(options: &Options) -> anyhow::Result<()> {
    print_circumstances();
    let proving = Backend::new(Kind::Lightbeam, false)?.proving();
    if options.bombs { of_bombs(&proving, options) } else { of_programs(&proving, options) }
}

fn of_programs(proving: &Backend, options: &Options) -> anyhow::Result<()> {
    let mut modules = Vec::new();
    for name in &options.modules {
        modules.push(if Path::new(name).exists() {
            Wasm::read(Path::new(name))?
        } else {
            corpus::programs(std::slice::from_ref(name))?.remove(0)
        });
    }
    if modules.is_empty() && !options.large {
        let names = ["bz2", "blake3-scalar", "pulldown-cmark", "regex", "sqlite3"].map(str::to_owned);
        modules = corpus::programs(&names)?;
    }
    if options.large {
        modules.extend(programs::modules()?);
    }
    println!("Millions of instructions, of compiling without a proof and of the proof:\n");
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for module in &modules {
        eprintln!("{} …", module.name);
        // Of what cannot be proved it is not known what the proof would cost.
        drop(proving.compile(&module.bytes)?);
        let (compile, proof) = (count(&module.bytes)?, count_of_proof(&module.bytes)?);
        let over = if proof > MOST * compile { " !" } else { "" };
        let cells = [compile / 1e6, proof / 1e6].map(|cost| number(Some(cost)));
        let mut line = vec![module.name.clone()];
        line.extend(cells);
        line.push(format!("{}{over}", number(Some(proof / compile))));
        lines.push(line);
        rows.push(json!({ "module": module.name, "compile": compile, "proof": proof }));
    }
    print(&["module", "compile", "proof", "proof / compile"], &lines);
    println!("What is over {MOST} is marked.");
    write_json(options.json.as_deref(), &rows.into())
}

fn of_bombs(proving: &Backend, options: &Options) -> anyhow::Result<()> {
    let asked = |name: &str| options.modules.is_empty() || options.modules.iter().any(|asked| asked == name);
    println!("Millions of instructions of the proof, at a size and at twice that:\n");
    let (mut lines, mut rows, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for bomb in bombs().filter(|bomb| asked(bomb.name)) {
        eprintln!("{} …", bomb.name);
        let modules = [bomb.n, 2 * bomb.n].map(bomb.make);
        let refused = modules.iter().find_map(|wasm| proving.compile(wasm).err());
        if let Some(error) = refused {
            lines.push(vec![
                bomb.name.to_owned(),
                bomb.n.to_string(),
                format!("{error:#}"),
                String::new(),
                String::new(),
            ]);
            continue;
        }
        let [once, twice] = [count_of_proof(&modules[0])?, count_of_proof(&modules[1])?];
        let is_over = twice > allowed(DOUBLE, modules[0].len(), modules[1].len()) * once;
        if is_over {
            over.push(bomb.name);
        }
        lines.push(vec![
            bomb.name.to_owned(),
            bomb.n.to_string(),
            number(Some(once / 1e6)),
            number(Some(twice / 1e6)),
            format!("{}{}", number(Some(twice / once)), if is_over { " !" } else { "" }),
        ]);
        rows.push(json!({ "family": bomb.name, "n": bomb.n, "proof": [once, twice] }));
    }
    print(&["family", "n", "proof at n", "proof at 2n", "ratio"], &lines);
    write_json(options.json.as_deref(), &rows.into())?;
    ensure!(over.is_empty(), "more than {DOUBLE}× the instructions: {}", over.join("; "));
    Ok(())
}
