//! Compiled code as the comments of a file: a heading for each function, then an instruction a line, and behind it what
//! the tables beside the code say of it.
//!
//! Jumps go to numbered labels, so that a change of length shows at one place only. What makes a frame and takes it
//! down is left out unless the file asks for it, and of the latter `return` is left; where both are the compiler says
//! (`FuncCode::parts`). Padding is one line, whatever its length, and none at the end.

use crate::compile::{Code, Piece};
use crate::facts::Module;
use crate::file::Settings;
use crate::isa::{InstructionSet, Item, LABEL, Names};
use lightbeam_compiler::code::{Reloc, Target};

/// All code of a module.
pub(crate) fn show(
    set: &InstructionSet,
    module: &Module<'_>,
    code: &Code,
    settings: &Settings,
) -> Result<String, String> {
    let mut targets: Vec<_> = code.relocs.iter().map(|reloc| (reloc.at, target(module, reloc.target))).collect();
    targets.sort();
    let names = Names { module, targets: &targets };
    let mut out = String::new();
    for piece in &code.pieces {
        out.push_str(&format!(";; {}\n", piece.name));
        let shown = show_piece(set, code, piece, &names, settings.frame);
        out.push_str(&shown.map_err(|problem| format!("{}: {problem}", piece.name))?);
    }
    Ok(out)
}

/// What a relocation reaches.
fn target(module: &Module<'_>, target: Target) -> String {
    match target {
        Target::Func(index) => module.defined_name(index),
        Target::Thunk(index) => format!("thunk({})", module.defined_name(index)),
        Target::Import(index) | Target::Across(index) => format!("import({})", module.name(index)),
        Target::Libcall(libcall) => format!("libcall({libcall:?})"),
        Target::Routine(routine) => format!("routine({routine:?})"),
        Target::DataSegment(index) => format!("data({index})"),
        Target::DataDrop(index) => format!("data_drop({index})"),
    }
}

fn show_piece(
    set: &InstructionSet,
    code: &Code,
    piece: &Piece,
    names: &Names<'_>,
    frame: bool,
) -> Result<String, String> {
    let mut range = piece.range.clone();
    let mut epilogue = 0..0;
    if let Some(parts) = &piece.parts {
        range.end = parts.constants;
        if !frame {
            range.start = parts.framed;
            epilogue = parts.epilogue.clone();
        }
    }
    let mut items = (set.read)(code, range.clone(), names)?;
    if !epilogue.is_empty() {
        let at =
            items.iter().position(|item| item.at == epilogue.start).ok_or("the epilogue begins within something")?;
        let to = items.iter().rposition(|item| item.end == epilogue.end).ok_or("the epilogue ends within something")?;
        let line = Item { at: epilogue.start, end: epilogue.end, text: "return".into(), labels: Vec::new() };
        items.splice(at..=to, [line]);
    }

    // What aligns the constants, or the next function.
    while items.pop_if(|item| item.text.is_empty()).is_some() {}

    let notes: Vec<(String, Vec<u32>)> = items.iter().map(|item| notes(code, item)).collect();
    let places = || items.iter().flat_map(|item| &item.labels).chain(notes.iter().flat_map(|(_, labels)| labels));
    let mut labels: Vec<u32> = places().copied().collect();
    labels.sort_unstable();
    labels.dedup();
    if let Some(astray) = labels.iter().find(|label| !items.iter().any(|item| item.at == **label)) {
        return Err(format!("something refers to {astray:#x}, where no instruction is"));
    }
    let number = |place: &u32| labels.binary_search(place).map(|number| format!("L{number}")).unwrap_or_default();
    let with_labels = |text: &str, places: &[u32]| {
        let mut parts = text.split(LABEL);
        let first = parts.next().unwrap_or_default().to_string();
        parts.zip(places).fold(first, |line, (part, place)| line + &number(place) + part)
    };

    let (mut out, mut padding) = (String::new(), false);
    for (item, (note, note_labels)) in items.iter().zip(&notes) {
        if labels.binary_search(&item.at).is_ok() {
            out.push_str(&format!(";; {}:\n", number(&item.at)));
        }
        let is_padding = item.text.is_empty();
        let mut line = if is_padding { "padding".into() } else { with_labels(&item.text, &item.labels) };
        if !note.is_empty() {
            line = format!("{line}  ; {}", with_labels(note, note_labels));
        }
        if !(is_padding && padding) {
            out.push_str(&format!(";;   {line}\n"));
        }
        padding = is_padding;
    }
    Ok(out)
}

/// What the tables beside the code say of an instruction: why it may trap, and if it is a call, which handlers there
/// are and where references are meanwhile, in bytes from the frame pointer. With the labels that it names.
fn notes(code: &Code, item: &Item) -> (String, Vec<u32>) {
    let mut notes = Vec::new();
    let mut labels = Vec::new();
    let here = code.records.iter().filter(|record| (item.at..item.end).contains(&record.at));
    notes.extend(here.filter_map(|record| record.trap).map(|trap| format!("{trap:?}")));
    for site in code.sites.iter().filter(|site| site.at == item.end) {
        for handler in &code.handlers[site.handlers.0 as usize..site.handlers.1 as usize] {
            let tag = handler.tag.map_or("all".into(), |tag| format!("tag {tag}"));
            notes.push(format!("{tag} to {LABEL}"));
            labels.push(handler.at);
        }
    }
    let of_import = |reloc: &&Reloc| {
        matches!(reloc.target, Target::Import(_) | Target::Across(_)) && (item.at..item.end).contains(&reloc.at)
    };
    if code.relocs.iter().any(|reloc| of_import(&reloc)) {
        notes.push("direct if the import is known".into());
    }
    for safepoint in code.safepoints.iter().filter(|safepoint| safepoint.at == item.end) {
        let map = &code.maps[safepoint.map as usize..];
        let (bytes, words) = (map[0], &map[2..2 + map[1] as usize]);
        let set = |bit: &u32| words[(bit / 32) as usize] >> (bit % 32) & 1 == 1;
        let places =
            (0..32 * words.len() as u32).filter(set).map(|bit| format!("{}", 4 * i64::from(bit) - i64::from(bytes)));
        notes.push(format!("references at {}", places.collect::<Vec<_>>().join(" ")));
    }
    (notes.join(", "), labels)
}
