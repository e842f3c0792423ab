//! Codes for the types of references that have none of their own: each function gives them out as it names the types.

use super::operands::{BOTTOM, EXNREF, EXTERNREF, FUNCREF, is_reference};
use crate::treaty::ty::Ty;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use wasmparser::{RefType, ValType, ValidatorResources, WasmModuleResources};

/// The first code to give out.
const FIRST: u8 = EXNREF + 1;

/// The types of references that a function has named.
#[derive(Default)]
pub(super) struct Named {
    /// By code, from `FIRST` on: the type, and what it is to the machine.
    named: Vec<(RefType, Ty)>,
    /// A hash table of their codes; 0 is a free bucket.
    buckets: Buckets,
    /// By code: a bit for each code of a type of which is known whether it is a subtype, and one if it is.
    subtypes: Vec<Cell<(u128, u128)>>,
    /// The module, once a type was named.
    resources: Option<ValidatorResources>,
    /// By index of a type: when the entry was made, the code of the type that may be null, and of that which may not.
    by_index: Vec<(u32, [Option<u8>; 2])>,
    /// Counts functions.
    now: u32,
}

impl Named {
    /// Begins a function.
    pub(super) fn clear(&mut self) {
        if !self.named.is_empty() {
            self.named.clear();
            self.buckets = Buckets::default();
            self.subtypes.clear();
            self.resources = None;
            self.now = self.now.checked_add(1).unwrap_or_else(|| {
                self.by_index.clear();
                1
            });
        }
    }

    /// Does an operand of type `found` serve where `expected` is asked for? Both are codes, and differ.
    #[inline]
    pub(super) fn is_subtype(&self, found: u8, expected: u8) -> bool {
        if !is_reference(found) || !is_reference(expected) {
            return false;
        }
        let Some(entry) = self.subtypes.get(usize::from(expected)) else { return false };
        let (known, subtypes) = entry.get();
        if known >> found & 1 != 0 { subtypes >> found & 1 != 0 } else { self.find_out(found, expected) }
    }

    #[inline(never)]
    fn find_out(&self, found: u8, expected: u8) -> bool {
        let (Some(resources), Some(a), Some(b)) = (&self.resources, self.reference(found), self.reference(expected))
        else {
            return false;
        };
        let is_subtype = resources.is_subtype(ValType::Ref(a), ValType::Ref(b));
        let entry = &self.subtypes[usize::from(expected)];
        let (known, subtypes) = entry.get();
        entry.set((known | 1 << found, subtypes | u128::from(is_subtype) << found));
        is_subtype
    }

    /// The type of a reference with this code.
    pub(super) fn reference(&self, code: u8) -> Option<RefType> {
        match code {
            FUNCREF => Some(RefType::FUNCREF),
            EXTERNREF => Some(RefType::EXTERNREF),
            EXNREF => Some(RefType::EXNREF),
            _ => Some(self.named.get(usize::from(code.checked_sub(FIRST)?))?.0),
        }
    }

    /// What a reference with one of the codes given out is to the machine.
    pub(super) fn ty(&self, code: u8) -> Option<Ty> {
        Some(self.named.get(usize::from(code.checked_sub(FIRST)?))?.1)
    }

    /// May a local of this type be read before it is written?
    #[inline]
    pub(super) fn has_default(&self, code: u8) -> bool {
        code < FIRST || self.reference(code).is_some_and(|ty| ty.is_nullable())
    }

    /// The code that was given to the type with an index.
    #[inline]
    pub(super) fn by_index(&self, index: u32, nullable: bool) -> Option<u8> {
        match self.by_index.get(index as usize) {
            Some((made, codes)) if *made == self.now => codes[usize::from(nullable)],
            _ => None,
        }
    }

    pub(super) fn set_by_index(&mut self, index: u32, nullable: bool, code: u8) {
        let index = index as usize;
        if self.by_index.len() <= index {
            self.by_index.resize(index + 1, (u32::MAX, [None; 2]));
        }
        let entry = &mut self.by_index[index];
        if entry.0 != self.now {
            *entry = (self.now, [None; 2]);
        }
        entry.1[usize::from(nullable)] = Some(code);
    }

    /// Where a type is in the hash table, or would be.
    fn bucket(&self, reference: RefType) -> usize {
        let mut hasher = Multiply(0);
        reference.hash(&mut hasher);
        let mut bucket = hasher.0 >> 56;
        loop {
            match self.buckets.0[bucket as usize] {
                0 => return bucket as usize,
                code if self.reference(code) == Some(reference) => return bucket as usize,
                // There are less than half as many codes as buckets.
                _ => bucket = (bucket + 1) % 256,
            }
        }
    }

    /// The code of a canonical type other than `funcref` and `externref`, if it was named.
    pub(super) fn named(&self, reference: RefType) -> Option<u8> {
        if reference == RefType::EXNREF {
            return Some(EXNREF);
        }
        Some(self.buckets.0[self.bucket(reference)]).filter(|code| *code != 0)
    }

    /// Gives a code to a canonical type that has none, which is `ty` to the machine; `None` if too many are named.
    pub(super) fn name(&mut self, resources: &ValidatorResources, reference: RefType, ty: Ty) -> Option<u8> {
        let code = u8::try_from(usize::from(FIRST) + self.named.len()).ok().filter(|code| *code < BOTTOM)?;
        self.named.push((reference, ty));
        let bucket = self.bucket(reference);
        self.buckets.0[bucket] = code;
        self.subtypes.resize(usize::from(code) + 1, Cell::new((0, 0)));
        if self.resources.is_none() {
            self.resources = Some(resources.clone());
        }
        Some(code)
    }
}

struct Buckets([u8; 256]);

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets([0; 256])
    }
}

/// A hash of very few bytes, in its highest bits.
struct Multiply(u64);

impl Hasher for Multiply {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
