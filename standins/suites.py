#!/usr/bin/env python3
"""Makes a workspace that runs Wasmtime's own tests on its published crates, with the stand-in in the place of the compiler.

usage: suites.py CHECKOUT FOLDER

CHECKOUT is Wasmtime at branch release-48.0.0 with its submodules. FOLDER is made anew. In it are, against the release that
the stand-in is for:

    cargo test --test wast -- CraneliftNative
    cargo test --test all
    cargo build --release -p wasmtime-fuzz, with RUSTC_WRAPPER=…/fuzz/with-coverage for fuzzing led by coverage

Programs that `--test all` runs are built in CHECKOUT, by rustc's targets wasm32-wasip1 and wasm32-unknown-unknown; those in C
by what is in WASI_SDK_PATH, and tests of them fail without it.
"""

import re
import shutil
import sys
from pathlib import Path

STANDINS = Path(__file__).resolve().parent
VERSION = re.search(r'^version = "(48[^"]*)"', (STANDINS / "cranelift/Cargo.toml").read_text(), re.M).group(1)

# What of the checkout comes along, as it is not published.
CRATES = {
    "wasmtime-test-util": "crates/test-util",
    "wasmtime-test-macros": "crates/test-macros",
    "test-programs-artifacts": "crates/test-programs/artifacts",
    "wasmtime-fuzzing": "crates/fuzzing",
}
# Packages that only other tests need, and a feature likewise.
UNUSED = ["cranelift-filetests", "cranelift-reader", "criterion"]
FEATURES = ["all-arch"]
# Fuzz targets that compile by Wasmtime, and what all of them depend on that others of the checkout's need.
TARGETS = ["differential", "gc_ops", "exception_ops", "call_async", "instantiate", "component_api"]
UNUSED_BY_TARGETS = [
    "cranelift-assembler-x64",
    "cranelift-codegen",
    "cranelift-reader",
    "cranelift-filetests",
    "cranelift-interpreter",
    "cranelift-fuzzgen",
    "cranelift-native",
    "cranelift-control",
    "pulley-interpreter-fuzz",
]


def table(manifest, name):
    """The text of a table of a manifest, without its header."""
    start = manifest.index(f"[{name}]\n") + len(name) + 3
    end = re.compile(r"^\[", re.M).search(manifest, start)
    return manifest[start : end.start() if end else None]


def without(text, names):
    """The lines of a table but for those of these keys."""
    lines = text.split("\n")
    return "\n".join(line for line in lines if not any(line.startswith(f"{name} ") for name in names))


def published(line):
    """A dependency of the checkout by path, as one by version; nothing if it is not published."""
    if "path =" not in line:
        return line
    name = line.split(" ")[0]
    if name in CRATES:
        return f'{name} = {{ path = "{CRATES[name]}", default-features = false }}'
    if "version =" not in line:
        return ""
    line = re.sub(r"path = [\"'][^\"']*[\"'], ", "", line)
    cranelift = VERSION.replace("48.0", "0.135")
    return line.replace("48.0.0", VERSION).replace("0.135.0", cranelift)


def change(file, *replacements):
    """Replaces texts in a file, each of which must be there."""
    text = file.read_text()
    for old, new in replacements:
        if old not in text:
            sys.exit(f"{file} does not have {old!r}")
        text = text.replace(old, new)
    file.write_text(text)


def workspace(checkout, folder):
    root = (checkout / "Cargo.toml").read_text()
    dependencies = "\n".join(published(line) for line in table(root, "workspace.dependencies").split("\n"))
    development = without(table(root, "dev-dependencies"), UNUSED)
    of_wasmtime = "\n".join(
        line for line in table(root, "dev-dependencies.wasmtime").split("\n") if line.strip(" ',") not in FEATURES
    )
    package = table(root, "workspace.package").replace("48.0.0", VERSION)
    names = re.findall(r'^([a-z0-9-]+) = \[', table(root, "features"), re.M)
    off = ["default", "gdbstub", "all-arch", "rr", "wmemcheck", "trace-log", "disable-logging", "profile-pulley"]
    on = ", ".join(f'"{name}"' for name in names if name not in off)
    features = "\n".join(f"{name} = []" for name in names if name != "default")
    (folder / "Cargo.toml").write_text(f"""[package]
name = "suites"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
publish = false
autotests = false

# Those of the command; what they turn on is turned on below.
[features]
default = [{on}]
{features}

[lib]
path = "lib.rs"

[[bin]]
name = "wasmtime"
path = "src/bin/wasmtime.rs"

[[test]]
name = "wast"
path = "tests/wast.rs"
harness = false

[[test]]
name = "all"
path = "tests/all/main.rs"

[dependencies]
wasmtime-cli = "={VERSION}"
wasmtime = {{ workspace = true }}
wasmtime-environ = {{ workspace = true }}
wasmtime-unwinder = {{ workspace = true }}
wasmparser = {{ workspace = true }}
target-lexicon = {{ workspace = true }}
smallvec = {{ workspace = true }}
bytes = {{ workspace = true }}
clap = {{ workspace = true }}
clap_complete = {{ workspace = true }}
wasmtime-wasi = {{ workspace = true, features = ["p1", "p2", "p3"] }}
wasmtime-wasi-http = {{ workspace = true, features = ["p2", "p3"] }}
http = {{ workspace = true }}
http-body-util = {{ workspace = true }}
hyper = {{ workspace = true }}
gimli = {{ workspace = true }}
serde_derive = {{ workspace = true }}
wasmprinter = {{ workspace = true }}
wasmtime-internal-cranelift = "={VERSION}"
tracing = {{ workspace = true }}

[dev-dependencies]
{development}
[dev-dependencies.wasmtime]
{of_wasmtime}
[target.'cfg(unix)'.dev-dependencies]
rustix = {{ workspace = true, features = ["param", "mm", "process"] }}

[workspace]
resolver = "2"
members = ["crates/test-util", "crates/test-macros", "crates/test-programs/artifacts", "crates/fuzzing", "fuzz"]

[workspace.package]
{package}
[workspace.lints.rust]
{table(root, "workspace.lints.rust")}
[workspace.lints.clippy]
{table(root, "workspace.lints.clippy")}
[workspace.dependencies]
{dependencies}
[patch.crates-io]
wasmtime-internal-cranelift = {{ path = "{STANDINS}/cranelift" }}

[profile.dev]
debug = "line-tables-only"

[profile.dev.package."*"]
debug = false

[profile.dev.package.lightbeam-compiler]
opt-level = 1

# For fuzzing: with all the proofs that debug builds make.
[profile.release]
opt-level = 2
debug = "line-tables-only"
codegen-units = 16

[profile.release.package."*"]
debug = false

[profile.release.package]
lightbeam-asm = {{ debug-assertions = true, overflow-checks = true, debug = "line-tables-only", codegen-units = 1 }}
lightbeam-compiler = {{ debug-assertions = true, overflow-checks = true, debug = "line-tables-only", codegen-units = 1 }}
lightbeam-environ = {{ debug-assertions = true, overflow-checks = true, debug = "line-tables-only", codegen-units = 1 }}
wasmtime-internal-cranelift = {{ debug-assertions = true, overflow-checks = true, debug = "line-tables-only" }}
wasmtime = {{ debug-assertions = true, overflow-checks = true }}
""")


def crates(checkout, folder):
    for name, path in CRATES.items():
        shutil.copytree(checkout / path, folder / path)
        manifest = folder / path / "Cargo.toml"
        text = re.sub(r"^\[(target.*\.)?dev-dependencies\]\n.*?(\n\n|\Z)", "", manifest.read_text(), flags=re.S | re.M)
        manifest.write_text(text)
    # Programs are built where their sources are.
    artifacts = folder / CRATES["test-programs-artifacts"]
    here = checkout / CRATES["test-programs-artifacts"]
    change(artifacts / "build.rs", ("fn main() {\n", f"fn main() {{\n    env::set_current_dir({str(here)!r}).unwrap();\n".replace("'", '"')))
    # V8 and the interpreter of the specification cannot be built from packages.
    fuzzing = folder / CRATES["wasmtime-fuzzing"]
    text = (fuzzing / "Cargo.toml").read_text()
    text = re.sub(r"^\[target\..*?(?=^\[features\])", "", text, flags=re.S | re.M)
    text = re.sub(r"^\[features\].*", "[features]\nv8 = []\nfuzz-spec-interpreter = []\n", text, flags=re.S | re.M)
    text = re.sub(r"^wasm-spec-interpreter .*\n", "", text, flags=re.M)
    (fuzzing / "Cargo.toml").write_text(text)
    # Of the two engines of Wasmtime's that are compared, one has the original compiler.
    change(
        fuzzing / "src/oracles/diff_wasmtime.rs",
        (
            "        let store = self.config.to_store();\n        let module = compile_module(",
            "        // SAFETY: nobody else reads the environment meanwhile but by `std`.\n"
            '        unsafe { std::env::set_var("LIGHTBEAM", "off") };\n'
            "        let store = self.config.to_store();\n"
            "        // SAFETY: as above.\n"
            '        unsafe { std::env::remove_var("LIGHTBEAM") };\n'
            "        let module = compile_module(",
        ),
    )


def fuzz(checkout, folder):
    shutil.copytree(checkout / "fuzz", folder / "fuzz")
    manifest = folder / "fuzz/Cargo.toml"
    text = manifest.read_text()
    dependencies = without(table(text, "dependencies"), UNUSED_BY_TARGETS)
    text = text.replace(table(text, "dependencies"), dependencies)
    text = text[: text.index("[features]")] + "[features]\nfuzz-spec-interpreter = []\nv8 = []\nchaos = []\n"
    for name in TARGETS:
        text += f'\n[[bin]]\nname = "{name}"\npath = "fuzz_targets/{name}.rs"\ntest = false\ndoc = false\nbench = false\n'
    manifest.write_text(text)


def main(checkout, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    workspace(checkout, folder)
    crates(checkout, folder)
    fuzz(checkout, folder)
    shutil.copyfile(STANDINS / "Cargo.lock", folder / "Cargo.lock")
    (folder / "lib.rs").write_text("//! Nothing: all is in the tests.\n")
    shutil.copytree(checkout / "src/bin", folder / "src/bin")
    shutil.copytree(checkout / "tests", folder / "tests", symlinks=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
