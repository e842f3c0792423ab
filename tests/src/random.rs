//! Reproducible randomness: the same seed gives the same test on every machine, which no library's default promises.
//! Decisions can come from given bytes instead, so that a fuzzer that changes the bytes changes single decisions.

use std::sync::Arc;

/// A SplitMix64 generator, perhaps with bytes to be used up first.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    given: Option<Given>,
}

/// Bytes that decide, as long as there are any.
#[derive(Clone, Debug)]
struct Given {
    bytes: Arc<[u8]>,
    at: usize,
}

/// Mixes the bits of a number so that near inputs give unrelated outputs.
#[must_use]
pub fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl From<u64> for Random {
    fn from(seed: u64) -> Random {
        Random::new(seed)
    }
}

impl Random {
    /// The generator that starts at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random { state: mix(seed), given: None }
    }

    /// Decisions from bytes. The first eight are the seed of what comes when the others are used up: so every input is
    /// long enough, and a change of one byte changes one decision and what follows from it, not all that come after.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Random {
        let (seed, given) = bytes.split_at(bytes.len().min(8));
        let seed = seed.iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Random { given: Some(Given { bytes: given.into(), at: 0 }), ..Random::new(seed) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.given(8).unwrap_or_else(|| {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(self.state)
        })
    }

    /// The next so many given bytes as a number, if there are any; those that are lacking are 0.
    fn given(&mut self, n: usize) -> Option<u64> {
        let Given { bytes, at } = self.given.as_mut()?;
        let rest = &bytes[*at..];
        let taken = &rest[..n.min(rest.len())];
        *at += taken.len();
        (!taken.is_empty()).then(|| taken.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        let bytes = match n {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 8,
        };
        (self.given(bytes).unwrap_or_else(|| self.bits()) % n as u64) as usize
    }

    /// One time in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// So many random bytes.
    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(n + 8);
        while bytes.len() < n {
            bytes.extend_from_slice(&self.bits().to_le_bytes());
        }
        bytes.truncate(n);
        bytes
    }

    /// All given bytes that are left, if there are enough for a generator of another library to begin with; otherwise
    /// so many random ones.
    pub fn rest(&mut self, n: usize) -> Vec<u8> {
        if let Some(Given { bytes, at }) = &mut self.given
            && bytes.len() - *at >= 64
        {
            return bytes[std::mem::replace(at, bytes.len())..].to_vec();
        }
        self.bytes(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bytes_decide_and_then_the_seed() {
        let mut bytes: Vec<u8> = (0..20).collect();
        let decide = |bytes: &[u8]| {
            let mut random = Random::from_bytes(bytes);
            let given = (random.below(256), random.below(10), random.below(0x1_0000), random.bits());
            (given, random.bits())
        };
        let (given, after) = decide(&bytes);
        assert_eq!(given, (8, 9, 0x0b0a, 0x1312_1110_0f0e_0d0c));
        assert_eq!(after, Random::new(0x0001_0203_0405_0607).bits());
        bytes[9] = 19;
        assert_eq!(decide(&bytes), (given, after), "one decision, and that one is the same modulo 10");
        bytes[0] = 1;
        assert_ne!(decide(&bytes).1, after);
        assert_eq!(Random::from_bytes(&bytes).rest(5), bytes_of(&bytes), "too few are no beginning");
    }

    fn bytes_of(bytes: &[u8]) -> Vec<u8> {
        Random::from_bytes(bytes).bytes(5)
    }

    #[test]
    fn the_rest_is_the_rest() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut random = Random::from_bytes(&bytes);
        assert_eq!(random.below(256), 8);
        assert_eq!(random.rest(5), bytes[9..]);
        assert_eq!(random.rest(5).len(), 5);
    }
}
