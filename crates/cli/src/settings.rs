//! `lightbeam settings`: what there is to set about the code, and what the machine has for it.

use lightbeam::{Compiler, CpuFeatures};
use lightbeam_verify::artifact::Artifact;
use lightbeam_verify::layout::Description;
use std::fmt::Write as _;
use std::process::ExitCode;
use wasmtime::{Config, Result};

/// Shows what can be set about the code that is made, and which features of the processor it may use.
#[derive(clap::Parser)]
pub struct SettingsCommand {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A setting of the compiler: its option, what it may be, what it is without one, and what it means.
struct Setting {
    option: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    meaning: &'static str,
}

const YES_OR_NO: &[&str] = &["y", "n"];

/// What the code depends on beside the program. Wasmtime's options of memories, limits and features have their own
/// lists.
const SETTINGS: [Setting; 7] = [
    Setting { option: "--spectre", values: YES_OR_NO, default: "y", meaning: "checked accesses are guarded, too" },
    Setting {
        option: "-W nan-canonicalization",
        values: YES_OR_NO,
        default: "n",
        meaning: "every NaN that is computed is the same",
    },
    Setting {
        option: "-W relaxed-simd-deterministic",
        values: YES_OR_NO,
        default: "n",
        meaning: "relaxed SIMD gives the same on every machine",
    },
    Setting { option: "-W fuel", values: &["N"], default: "none", meaning: "code counts what it does" },
    Setting {
        option: "-W epoch-interruption",
        values: YES_OR_NO,
        default: "n",
        meaning: "code can be interrupted from outside",
    },
    Setting {
        option: "-O signals-based-traps",
        values: YES_OR_NO,
        default: "y",
        meaning: "traps are found by signals, without checks where guard pages are",
    },
    Setting {
        option: "-D address-map",
        values: YES_OR_NO,
        default: "y",
        meaning: "backtraces know offsets in the program",
    },
];

impl SettingsCommand {
    /// Executes the command.
    pub fn execute(self) -> Result<ExitCode> {
        let used = processor_features()?;
        let shown = if self.json { json(&used) } else { text(&used) };
        crate::print(shown.as_bytes()).map(|()| ExitCode::SUCCESS)
    }
}

/// The machine that code is made for.
fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// What code may use of this machine's processor, as artifacts say it.
fn processor_features() -> Result<Vec<String>> {
    let artifact = Compiler::new(&Config::new())?.precompile("(module)")?;
    let artifact = Artifact::parse(&artifact).map_err(wasmtime::Error::new)?;
    let flags = Description::processor_features(&artifact).unwrap_or_default();
    Ok(flags.iter().map(|flag| flag.trim_start_matches("has_").to_owned()).collect())
}

fn text(used: &[String]) -> String {
    let mut text = format!("Settings for target '{}':\n\n", target());
    for Setting { option, values, default, meaning } in &SETTINGS {
        let _ = writeln!(text, "  {option:<32}{meaning} ({}; default: {default})", values.join(" or "));
    }
    text.push_str("\nFeatures of the processor that code uses here:\n\n");
    used.iter().for_each(|name| {
        let _ = writeln!(text, "  {name}");
    });
    let missing: Vec<_> = CpuFeatures::NAMES.iter().filter(|name| !used.iter().any(|used| used == *name)).collect();
    if !missing.is_empty() {
        text.push_str("\nand would use, if it had them:\n\n");
        missing.into_iter().for_each(|name| {
            let _ = writeln!(text, "  {name}");
        });
    }
    text
}

/// Names here need no escapes.
fn json(used: &[String]) -> String {
    let list = |items: &mut dyn Iterator<Item = &str>| {
        format!("[{}]", items.map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", "))
    };
    let settings = SETTINGS.iter().map(|Setting { option, values, default, meaning }| {
        let values = list(&mut values.iter().copied());
        format!(
            "    {{ \"option\": \"{option}\", \"values\": {values}, \"default\": \"{default}\", \"meaning\": \"{meaning}\" }}"
        )
    });
    let settings = settings.collect::<Vec<_>>().join(",\n");
    let inferred = list(&mut used.iter().map(String::as_str));
    format!(
        "{{\n  \"triple\": \"{}\",\n  \"settings\": [\n{settings}\n  ],\n  \"inferred\": {inferred}\n}}\n",
        target()
    )
}
