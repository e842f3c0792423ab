//! Settings of an engine that cannot be read back, found out by loading an empty artifact.

use lightbeam_compiler::isa::Isa;
use lightbeam_environ::Error;
use lightbeam_environ::artifact;
use lightbeam_environ::settings::{FEATURE, Settings};
use lightbeam_environ::target::Machine;
use wasmtime::{Engine, Module};

/// What Wasmtime says where an artifact is for other settings than an engine's, and which setting of `Config` that is.
const SETTINGS: [(&str, &str); 11] = [
    ("incompatible version", "names a version of its own for artifacts (`Config::module_version`)"),
    ("for architecture", "compiles for another machine (`Config::target`)"),
    ("specified in the configuration does not match the host", "compiles for another machine (`Config::target`)"),
    // Of features that code here can do without, it does. What the engine's own compiler uses, it cannot.
    (
        "is enabled, but not available on the host",
        "takes the host to be without what its own compiler uses (`Config::detect_host_feature`; `Config::enable_compiler` \
         makes it without one)",
    ),
    (
        "failed to detect if target-specific flag",
        "knows nothing of a feature of the host that its own compiler uses (`Config::detect_host_feature`; \
         `Config::enable_compiler` makes it without one)",
    ),
    ("for operating system", "compiles for another system (`Config::target`)"),
    ("costs are incompatible", "has costs of operators that it does not show (`Config::operator_cost`)"),
    ("RR recording", "records what guests do (`Config::rr`)"),
    ("small-callee size", "says what may be inlined (`Config::cranelift_flag_set`)"),
    ("sum-size threshold", "says what may be inlined (`Config::cranelift_flag_set`)"),
    ("inlining", "inlines calls (`Config::compiler_inlining`)"),
];

/// Completes what was read back of an engine's settings, if artifacts of any such settings can be loaded.
///
/// Whether the engine keeps DWARF cannot be read back, nor which processor features it takes the host to have, nor
/// whether it looks at the version in artifacts. Loading shows it; and with it shows that no other setting that cannot
/// be read back stands against loading what is compiled here.
///
/// # Errors
///
/// If one does. It is named.
pub(crate) fn complete(engine: &Engine, mut settings: Settings) -> wasmtime::Result<Settings> {
    let mut toggled = false;
    while let Err(error) = load_empty(engine, &settings) {
        let reason = format!("{error:#}");
        let of_feature =
            |name: &str| reason.contains(&format!("\"{name}\"")) || reason.contains(&format!("{FEATURE}{name}\""));
        if reason.contains("WebAssembly backtrace support") && !toggled {
            toggled = true;
            settings.change().tunables.parse_wasm_debuginfo = true;
        } else if let Some((_, used)) = settings.change().cpu.by_name().find(|(name, used)| **used && of_feature(name))
        {
            *used = false;
        } else {
            let floor = Machine::FLOOR.iter().find(|name| reason.contains(&format!("{FEATURE}{name}\"")));
            let known = SETTINGS.iter().find(|(said, _)| reason.contains(said));
            let what = match (floor, known) {
                (Some(name), _) => {
                    format!(
                        "takes the host to be without `{name}`, which all code needs (`Config::detect_host_feature`)"
                    )
                }
                (None, Some((_, what))) => (*what).to_owned(),
                (None, None) => "is set in a way that it does not tell".to_owned(),
            };
            let message = format!("Lightbeam cannot compile for an engine that {what}: {reason}");
            return Err(Error::settings(message).into());
        }
    }
    // An engine that accepts what no other would says that it looks at no version, and writes none.
    let mut without = settings.clone();
    without.change().module_version = String::new();
    if load_empty(engine, &without).is_ok() {
        return Ok(without);
    }
    Ok(settings)
}

/// Loads the artifact of the empty module.
fn load_empty(engine: &Engine, settings: &Settings) -> wasmtime::Result<()> {
    let bytes = artifact::empty(settings)?;
    // SAFETY: the bytes were just made, an artifact without any code.
    unsafe { Module::deserialize(engine, bytes) }.map(drop)
}
