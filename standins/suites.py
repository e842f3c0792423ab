#!/usr/bin/env python3
"""Makes a workspace that runs Wasmtime's own tests on its published crates, with the stand-in in the place of the compiler.

usage: suites.py CHECKOUT FOLDER

CHECKOUT is Wasmtime at branch release-48.0.0 with its submodules. FOLDER is made anew: in it, `cargo test --test wast --
CraneliftNative` and `cargo test --test all` are those of the checkout, against the release that the stand-in is for. What
of `--test all` needs programs that only the checkout can build is left out.
"""

import re
import shutil
import sys
from pathlib import Path

STANDINS = Path(__file__).resolve().parent
VERSION = re.search(r'^version = "(48[^"]*)"', (STANDINS / "cranelift/Cargo.toml").read_text(), re.M).group(1)

# Modules of `--test all` that run test programs or the command, or code for other targets than the host; packages that
# only they or other tests need; and features likewise.
LEFT_OUT = ["cli_tests", "native_debug", "debug_component", "piped_tests", "pulley"]
UNUSED = [
    "test-programs-artifacts",
    "cranelift-codegen",
    "cranelift-filetests",
    "cranelift-reader",
    "filecheck",
    "criterion",
    "capstone",
    "pulley-interpreter",
]
FEATURES = ["all-arch", "pulley"]


def table(manifest, name):
    """The text of a table of a manifest, without its header."""
    start = manifest.index(f"[{name}]\n") + len(name) + 3
    end = re.compile(r"^\[", re.M).search(manifest, start)
    return manifest[start : end.start() if end else None]


def published(line):
    """A dependency of the checkout by path, as one by version; nothing if it is not published."""
    if "path =" not in line:
        return line
    if line.startswith("wasmtime-test-util "):
        return 'wasmtime-test-util = { path = "test-util" }'
    if "version =" not in line:
        return ""
    line = re.sub(r"path = [\"'][^\"']*[\"'], ", "", line)
    cranelift = VERSION.replace("48.0", "0.135")
    return line.replace("48.0.0", VERSION).replace("0.135.0", cranelift)


def main(checkout, folder):
    root = (checkout / "Cargo.toml").read_text()
    workspace = "\n".join(published(line) for line in table(root, "workspace.dependencies").split("\n"))
    development = "\n".join(
        line
        for line in table(root, "dev-dependencies").split("\n")
        if not any(line.startswith(f"{name} ") for name in UNUSED)
    ).replace("crates/test-macros", "test-macros")
    of_wasmtime = "\n".join(
        line
        for line in table(root, "dev-dependencies.wasmtime").split("\n")
        if line.strip(" ',") not in FEATURES
    )
    package = table(root, "workspace.package").replace("48.0.0", VERSION)
    manifest = f"""[package]
name = "suites"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
publish = false
autotests = false

[features]
default = ["stack-switching"]
stack-switching = ["wasmtime/stack-switching", "wasmtime/wave"]
gdbstub = []

[lib]
path = "lib.rs"

[[test]]
name = "wast"
path = "tests/wast.rs"
harness = false

[[test]]
name = "all"
path = "tests/all/main.rs"

[dependencies]
wasmtime-environ = {{ workspace = true }}
wasmparser = {{ workspace = true }}
target-lexicon = {{ workspace = true }}
smallvec = {{ workspace = true }}
bytes = {{ workspace = true }}
wasmtime-wasi = {{ workspace = true, features = ["p1", "p2", "p3"] }}
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
members = ["test-util", "test-macros"]

[workspace.package]
{package}
[workspace.lints.rust]
{table(root, "workspace.lints.rust")}
[workspace.lints.clippy]
{table(root, "workspace.lints.clippy")}
[workspace.dependencies]
{workspace}
[patch.crates-io]
wasmtime-internal-cranelift = {{ path = "{STANDINS}/cranelift" }}

[profile.dev]
debug = "line-tables-only"

[profile.dev.package."*"]
debug = false

[profile.dev.package.lightbeam-compiler]
opt-level = 1
"""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "Cargo.toml").write_text(manifest)
    (folder / "lib.rs").write_text("//! Nothing: all is in the tests.\n")
    for name in ["test-util", "test-macros"]:
        shutil.copytree(checkout / "crates" / name, folder / name)
        own = folder / name / "Cargo.toml"
        own.write_text(re.sub(r"\[dev-dependencies\].*?\n\n", "", own.read_text(), flags=re.S))
    shutil.copytree(checkout / "tests", folder / "tests", symlinks=True)
    tests = folder / "tests/all/main.rs"
    text = tests.read_text()
    for name in LEFT_OUT:
        text = text.replace(f"\nmod {name};", "")
    tests.write_text(text)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
