//! The text while it grows. A large one that is to be loaded goes, piece by piece, into the anonymous file in memory
//! from which it will be mapped: the pieces' memory is used again for those that follow, and at the end there is little
//! left to copy. Whatever the machine does not give for that, a file or memory for it, the text does without: what the
//! file has is copied out, and all that follows stays in pieces.

use crate::output::memory_file::{self, Mapped};
use crate::target::Machine;
use lightbeam_compiler::isa::Isa;
use std::fs::File;

/// A text from this size on is the first thing in its artifact, behind a page for the header; and from this size on, an
/// artifact is loaded from a file in memory. Making one costs as much as copying this much.
pub const LARGE: usize = 512 << 10;

/// Machine code under construction.
pub(crate) struct Text {
    /// Has all of it, if there is a file.
    file: Option<Mapped>,
    /// What was in a file that could not grow any more. The pieces follow.
    front: Vec<u8>,
    /// How many pieces are in the file or the front.
    merged: usize,
    /// Follow each other.
    pieces: Vec<Piece>,
    len: usize,
    /// Is it to go into a file when it is large?
    to_file: bool,
}

/// A piece of the text.
pub(crate) struct Piece {
    /// Holds it.
    pub(crate) code: Vec<u8>,
    /// Where in `code` it begins.
    pub(crate) from: usize,
}

impl Piece {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.code[self.from..]
    }
}

impl Text {
    /// Nothing so far. It goes `to_file` if the artifact is for this process and not for the caller to have.
    pub(crate) fn new(to_file: bool) -> Text {
        Text { file: None, front: Vec::new(), merged: 0, pieces: Vec::new(), len: 0, to_file }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends a piece.
    pub(crate) fn push(&mut self, piece: Piece) {
        let start = self.len;
        self.len += piece.bytes().len();
        if let Some(room) = self.room_in_file(start) {
            room.copy_from_slice(piece.bytes());
            self.merged += 1;
            return;
        }
        self.pieces.push(piece);
        if self.to_file && self.len >= LARGE {
            self.move_to_file();
        }
    }

    /// Appends so many bytes that are no code.
    pub(crate) fn pad(&mut self, bytes: usize) {
        let start = self.len;
        self.len += bytes;
        if let Some(room) = self.room_in_file(start) {
            return room.fill(Machine::FILLER);
        }
        let code = self.pieces.last_mut().map_or(&mut self.front, |piece| &mut piece.code);
        code.resize(code.len() + bytes, Machine::FILLER);
    }

    /// Makes room in the file for so many bytes behind what there is, if there is a file: a use of the time that a
    /// module takes to arrive.
    pub(crate) fn prepare(&mut self, bytes: usize) {
        if let Some(file) = &mut self.file {
            // What cannot be had in advance may not be needed.
            let _ = file.grow(self.len + bytes);
        }
    }

    /// What of the file is for the text from `start` on, if there is a file and it can be as long as the text now is.
    /// One that cannot is left: the text up to `start` is copied out.
    fn room_in_file(&mut self, start: usize) -> Option<&mut [u8]> {
        let file = self.file.as_mut()?;
        if file.grow(self.len).is_err() {
            self.front = file.text()[..start].to_vec();
            self.file = None;
            return None;
        }
        let end = self.len;
        self.file.as_mut().map(|file| &mut file.text()[start..end])
    }

    /// Moves all pieces into a file. That is tried once.
    fn move_to_file(&mut self) {
        self.to_file = false;
        let mapped = memory_file::create().and_then(Mapped::new).and_then(|mut mapped| {
            mapped.grow(self.len)?;
            Ok(mapped)
        });
        let Ok(mut mapped) = mapped else { return };
        let mut start = 0;
        self.merged = self.pieces.len();
        for piece in std::mem::take(&mut self.pieces) {
            let end = start + piece.bytes().len();
            mapped.text()[start..end].copy_from_slice(piece.bytes());
            start = end;
        }
        self.file = Some(mapped);
    }

    /// Gives all of it to be changed: how many pieces are together at its beginning, with their code; and the others.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(usize, &mut [u8], &mut [Piece])) {
        let merged = match &mut self.file {
            Some(file) => file.text(),
            None => &mut self.front,
        };
        edit(self.merged, merged, &mut self.pieces);
    }

    /// The file, which has the text behind a page, if there is one; else the pieces.
    pub(crate) fn into_parts(self) -> (Option<File>, Vec<Piece>) {
        let mut pieces = self.pieces;
        if !self.front.is_empty() {
            pieces.insert(0, Piece { code: self.front, from: 0 });
        }
        (self.file.map(Mapped::into_file), pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of pieces with padding between them, and what it has to be. Changing it at the end gives the same bytes
    /// wherever they are.
    fn text(to_file: bool, pieces: usize, limit: Option<usize>) -> (Option<File>, Vec<u8>) {
        let mut text = Text::new(to_file);
        for piece in 0..pieces {
            if piece != 0 {
                text.pad(3);
            }
            if limit.is_some_and(|limit| piece >= limit)
                && let Some(file) = &mut text.file
            {
                file.limit();
            }
            text.push(Piece { code: vec![piece as u8; 100 << 10], from: if piece == 0 { 0 } else { 5 } });
        }
        text.edit(|merged, code, single| {
            assert_eq!(merged + single.len(), pieces);
            let mut at = 0;
            for piece in 0..merged {
                code[at] = 0xf0;
                at += (100 << 10) - if piece == 0 { 0 } else { 5 } + 3;
            }
            single.iter_mut().for_each(|piece| piece.code[piece.from] = 0xf0);
        });
        let len = text.len();
        let (file, pieces) = text.into_parts();
        let mut bytes = Vec::new();
        if let Some(file) = &file {
            memory_file::read(file, crate::target::PAGE, len, &mut bytes).unwrap();
        }
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece.bytes()));
        assert_eq!(bytes.len(), len);
        (file, bytes)
    }

    #[test]
    fn a_text_is_the_same_in_pieces_in_a_file_and_out_of_it_again() {
        let (file, pieces) = text(false, 40, None);
        assert!(file.is_none());
        let (file, whole) = text(true, 40, None);
        assert!(file.is_some() && pieces == whole);
        for limit in [6, 7, 20, 30] {
            let (file, left) = text(true, 40, Some(limit));
            assert!(file.is_none() && pieces == left, "a file that cannot grow from piece {limit} on");
        }
    }
}
