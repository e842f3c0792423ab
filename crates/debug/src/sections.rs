//! Finished sections, with the places in them that wait for the address of the code.

use crate::Error;
use gimli::SectionId;
use gimli::write::{Dwarf, EndianVec, RelocateWriter, Relocation as Written, RelocationTarget, Sections};
use gimli::{LittleEndian, constants};

/// The number that stands for the start of the text where addresses are written.
pub(crate) const TEXT: usize = 0;

/// A debug section.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name, as `.debug_info`.
    pub name: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Words of 8 bytes in it to which the address of the text is added when it is known.
    pub relocations: Vec<Relocation>,
}

/// A word that waits for the address of the text.
#[derive(Clone, Copy, Debug)]
pub struct Relocation {
    /// Where the word is in its section.
    pub at: u64,
    /// What is added to the address of the text.
    pub addend: i64,
}

/// A section while it is written.
#[derive(Clone)]
struct Writing {
    bytes: EndianVec<LittleEndian>,
    relocations: Vec<Written>,
}

impl RelocateWriter for Writing {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Written) {
        self.relocations.push(relocation);
    }
}

pub(crate) fn write(dwarf: &mut Dwarf) -> Result<Vec<Section>, Error> {
    let empty = Writing { bytes: EndianVec::new(LittleEndian), relocations: Vec::new() };
    let mut sections = Sections::new(empty);
    dwarf.write(&mut sections)?;
    // What one section says of a place in another is not relocated by those who load this: it is filled in here, as
    // each section is there once.
    let mut made: Vec<Section> = Vec::new();
    sections.for_each_mut(|id: SectionId, section: &mut Writing| -> Result<(), Error> {
        let mut bytes = section.bytes.take();
        if bytes.is_empty() {
            return Ok(());
        }
        let mut relocations = Vec::new();
        for Written { offset, size, target, addend, .. } in &section.relocations {
            match target {
                RelocationTarget::Symbol(_) => {
                    debug_assert_eq!(*size, 8, "addresses of the text have 8 bytes");
                    relocations.push(Relocation { at: *offset as u64, addend: *addend });
                }
                RelocationTarget::Section(_) => {
                    let size = usize::from(*size);
                    bytes[*offset..offset + size].copy_from_slice(&addend.to_le_bytes()[..size]);
                }
            }
        }
        made.push(Section { name: id.name(), bytes, relocations });
        Ok(())
    })?;
    Ok(made)
}

/// Who made units of which a module says nothing.
pub(crate) const PRODUCER: &str = concat!("Lightbeam ", env!("CARGO_PKG_VERSION"));

/// The language of units whose own is not known.
pub(crate) const LANGUAGE: constants::DwLang = constants::DW_LANG_C99;
