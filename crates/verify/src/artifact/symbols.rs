//! The table of symbols. Profilers read it, inside the process, and cut pieces out of the text by it.

use crate::artifact::{Malformed, ensure};
use wasmtime_environ::object::elf::{STB_LOCAL, STT_FUNC, Sym64};
use wasmtime_environ::object::{LittleEndian, pod};

/// What lies where in the text, by name.
#[derive(Clone, Debug, Default)]
pub struct Symbols<'a> {
    /// Where a name begins among the strings, where in the text the piece is, and how long it is.
    pub entries: Vec<[u32; 3]>,
    /// The names, each with a zero behind it.
    pub strings: &'a [u8],
}

impl<'a> Symbols<'a> {
    /// Reads a table, for a text of so many bytes whose header has this number.
    pub(super) fn parse(table: &[u8], strings: &'a [u8], section: u16, text: usize) -> Result<Symbols<'a>, Malformed> {
        const LEN: usize = size_of::<Sym64<LittleEndian>>();
        let le = LittleEndian;
        ensure(table.len().is_multiple_of(LEN), "the table of symbols is cut off")?;
        ensure(strings.last().is_none_or(|last| *last == 0), "the last symbol's name has no end")?;
        let mut entries = Vec::with_capacity((table.len() / LEN).saturating_sub(1));
        // The first stands for none.
        for bytes in table.chunks_exact(LEN).skip(1) {
            let mut symbol = Sym64::<LittleEndian>::default();
            pod::bytes_of_mut(&mut symbol).copy_from_slice(bytes);
            ensure(symbol.st_info == STB_LOCAL << 4 | STT_FUNC, "a symbol is of no function")?;
            ensure(symbol.st_shndx.get(le) == section, "a symbol is not of the text")?;
            let (start, len) = (symbol.st_value.get(le), symbol.st_size.get(le));
            ensure(start.checked_add(len).is_some_and(|end| end <= text as u64), "a symbol is outside the text")?;
            let name = symbol.st_name.get(le);
            ensure((name as usize) < strings.len(), "a symbol's name is not among the strings")?;
            entries.push([name, start as u32, len as u32]);
        }
        Ok(Symbols { entries, strings })
    }
}
