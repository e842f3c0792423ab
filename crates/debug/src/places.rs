//! From places in a module's code section to places in the machine code.

use gimli::write::Address;
use std::ops::Range;

/// The machine code of a module, as its compiler describes it.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// Where the content of the module's code section begins in its bytes.
    pub section: u64,
    /// Functions that the module defines, in the order of its bytes.
    pub functions: Vec<Function>,
    /// The register, by DWARF's number, that holds the base of memory 0 in the code of all functions, if any does.
    pub memory_base: Option<u16>,
    /// The register, by DWARF's number, that is the frame pointer.
    pub frame: u16,
}

/// The machine code of one function.
#[derive(Clone, Debug)]
pub struct Function {
    /// What it is called where the module's DWARF does not say.
    pub name: String,
    /// Where in the text it is.
    pub text: Range<u32>,
    /// Where in the module's bytes its body is.
    pub body: Range<u32>,
    /// Which code belongs to which operator, by ascending place in the text. What is ahead of the first makes the
    /// frame.
    pub rows: Vec<Row>,
    /// Where its locals are, by ascending index; those that nothing touches are nowhere.
    pub locals: Vec<Local>,
}

/// From a place in the text on, the code is of one operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The place in the text.
    pub text: u32,
    /// Where in the module's bytes the operator is.
    pub wasm: u32,
}

/// Where a local is while its function has a frame.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Its index.
    pub index: u32,
    /// So many bytes from the frame pointer.
    pub slot: i32,
    /// How many bytes it has.
    pub bytes: u8,
    /// Which kind of number it is.
    pub encoding: gimli::DwAte,
    /// Is it a parameter?
    pub parameter: bool,
}

impl Code {
    /// The function that an address of the module's DWARF is in.
    pub(crate) fn function(&self, address: u64) -> Option<usize> {
        let wasm = address.checked_add(self.section)?;
        let at = self.functions.partition_point(|function| u64::from(function.body.end) <= wasm);
        // What says how long a body is belongs to it.
        const LENGTH: u64 = 5;
        let function = self.functions.get(at)?;
        (wasm + LENGTH >= u64::from(function.body.start)).then_some(at)
    }

    /// The address that the module's DWARF has for a place in the module's bytes.
    pub(crate) fn address(&self, wasm: u32) -> u64 {
        u64::from(wasm).wrapping_sub(self.section)
    }
}

impl Function {
    /// Where the code is that belongs to addresses of the module's DWARF, piece by piece.
    pub(crate) fn pieces(&self, code: &Code, addresses: Range<u64>) -> Vec<Range<u32>> {
        let mut pieces: Vec<Range<u32>> = Vec::new();
        for (n, row) in self.rows.iter().enumerate() {
            if !addresses.contains(&code.address(row.wasm)) {
                continue;
            }
            let end = self.rows.get(n + 1).map_or(self.text.end, |next| next.text);
            match pieces.last_mut() {
                Some(last) if last.end == row.text => last.end = end,
                _ => pieces.push(row.text..end),
            }
        }
        pieces
    }

    /// The first code of the operator at an address of the module's DWARF.
    pub(crate) fn place(&self, code: &Code, address: u64) -> Option<u32> {
        self.rows.iter().find(|row| code.address(row.wasm) >= address).map(|row| row.text)
    }

    pub(crate) fn local(&self, index: u32) -> Option<&Local> {
        self.locals.iter().find(|local| local.index == index)
    }
}

/// A place in the text, as an address that waits for it.
pub(crate) fn in_text(place: u32) -> Address {
    Address::Symbol { symbol: crate::sections::TEXT, addend: place.into() }
}
