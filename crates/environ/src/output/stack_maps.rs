//! Where references are while a collector may run.

use lightbeam_compiler::code::Safepoint;

/// Stack maps, in the format of Wasmtime's `StackMapSection`: return addresses, where the map of each is, and the maps.
/// Several addresses may share a map. The compiler makes maps in that format.
#[derive(Default)]
pub(crate) struct StackMaps {
    at: Vec<u32>,
    map: Vec<u32>,
    maps: Vec<u32>,
}

impl StackMaps {
    /// Adds maps and the calls that have them, whose offsets count from `base` of the text.
    pub(crate) fn extend(&mut self, base: u32, safepoints: &[Safepoint], maps: &[u32]) {
        let first = self.maps.len() as u32;
        self.at.extend(safepoints.iter().map(|point| base + point.at));
        self.map.extend(safepoints.iter().map(|point| first + point.map));
        self.maps.extend_from_slice(maps);
        debug_assert!(self.at.is_sorted());
    }

    /// Adds a call that returns to `at` of the text, with a frame of so many bytes below the frame pointer and
    /// references at these offsets of it, multiples of 4 in ascending order.
    pub(crate) fn push(&mut self, at: u32, frame_bytes: u32, offsets: impl Iterator<Item = u32>) {
        self.at.push(at);
        self.map.push(self.maps.len() as u32);
        self.maps.extend([frame_bytes, 0]);
        let first = self.maps.len();
        for offset in offsets {
            let (word, bit) = (first + offset as usize / (4 * 32), offset / 4 % 32);
            self.maps.resize(self.maps.len().max(word + 1), 0);
            self.maps[word] |= 1 << bit;
        }
        self.maps[first - 1] = (self.maps.len() - first) as u32;
    }

    /// Adds all maps of a text that begins at `base` of this one.
    pub(crate) fn append(&mut self, base: u32, maps: StackMaps) {
        let first = self.maps.len() as u32;
        self.at.extend(maps.at.iter().map(|at| base + at));
        self.map.extend(maps.map.iter().map(|map| first + map));
        self.maps.extend(maps.maps);
    }

    /// Takes over the maps of an artifact, all of them.
    pub(crate) fn restore(&mut self, maps: &lightbeam_verify::artifact::StackMaps) {
        self.at = maps.calls.iter().map(|map| map.returns_to).collect();
        // Two words stand ahead of the bits.
        self.map = maps.calls.iter().map(|map| map.bits.0 - 2).collect();
        self.maps.clone_from(&maps.words);
    }

    /// The section, if there is to be one.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        if self.at.is_empty() {
            return None;
        }
        let mut section = Vec::with_capacity(4 * (1 + 2 * self.at.len() + self.maps.len()));
        section.extend_from_slice(&(self.at.len() as u32).to_le_bytes());
        for word in self.at.into_iter().chain(self.map).chain(self.maps) {
            section.extend_from_slice(&word.to_le_bytes());
        }
        Some(section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_maps_are_what_wasmtime_reads() {
        let mut maps = StackMaps::default();
        assert!(StackMaps::default().finish().is_none());
        let point = |at, map| Safepoint { at, map };
        maps.extend(
            0x100,
            &[point(4, 0), point(9, 0), point(70, 3)],
            &[24, 1, 0b10_0001, 1032, 9, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        );
        maps.extend(0x200, &[point(0, 0)], &[8, 1, 1]);
        maps.push(0x240, 400, [0, 8, 256].into_iter());
        let mut more = StackMaps::default();
        more.push(0x20, 16, [12].into_iter());
        maps.append(0x300, more);
        let section = maps.finish().unwrap();
        let read = |at| {
            let map = wasmtime_environ::StackMap::lookup(at, &section)?;
            Some((map.frame_size(), map.offsets().collect::<Vec<_>>()))
        };
        assert_eq!(read(0x104), Some((24, vec![0, 20])));
        assert_eq!(read(0x109), Some((24, vec![0, 20])));
        assert_eq!(read(0x100 + 70), Some((1032, vec![1028])));
        assert_eq!(read(0x200), Some((8, vec![0])));
        assert_eq!(read(0x105), None);
        assert_eq!(read(0x240), Some((400, vec![0, 8, 256])));
        assert_eq!(read(0x320), Some((16, vec![12])));
    }
}
