//! Unsafe intrinsics. Those that read and write the host's memory do so wherever they are told to, so all that can be
//! proved of them is that they do nothing else; whoever lets a component have them trusts it.

use crate::facts::{Operation, StoreField};
use crate::operand::Spot;
use crate::value::{Tag, Value};
use crate::walk::{Proved, Role, Walk};

/// Parameters of those that compare an offset with a length.
const OFFSET: u32 = 1;
const LENGTH: u32 = 2;

impl Walk<'_> {
    fn operation(&self) -> Option<Operation> {
        match self.role {
            Role::Intrinsic(number) => self.p.intrinsic(number).ok().map(|(operation, _)| operation),
            _ => None,
        }
    }

    /// A field of the store that is for intrinsics alone.
    pub(crate) fn check_intrinsic_field(&self, field: StoreField, writes: bool) -> Proved<()> {
        let fits = match (self.operation(), field) {
            (Some(Operation::Slot { slot, writes: wanted }), StoreField::TaskSlot(own)) => {
                slot == own && writes == wanted
            }
            (Some(Operation::StoreData), StoreField::StoreData) => !writes,
            _ => false,
        };
        if fits { Ok(()) } else { Err("field of the store's structure that is not for this code") }
    }

    /// The host's memory, where the first parameter says.
    pub(crate) fn native_memory(
        &self,
        base: Value,
        index: Option<(Value, u8)>,
        disp: i64,
        width: u32,
        writes: bool,
    ) -> Proved<Spot> {
        let Some(Operation::Native { bytes, writes: wanted, checked }) = self.operation() else {
            return Err("address without a known base");
        };
        let at = match index {
            None => !checked,
            Some((index, 0)) => checked && index == Value::new(Tag::WithinParam, bytes.into(), OFFSET),
            Some(_) => false,
        };
        let fits = base == Value::of(Tag::Param, 0) && at && disp == 0 && width == u32::from(bytes) && writes == wanted;
        if fits { Ok(Spot::Numbers) } else { Err("access to the host's memory that the intrinsic is not for") }
    }

    /// A parameter was compared: the length with how many bytes are wanted, or the offset with what is left of it. Says
    /// whether that is all that there is to learn.
    pub(crate) fn learn_of_parameter(&mut self, no_less: Option<bool>, reg: usize, right: Value) -> bool {
        let Some(Operation::Native { checked: true, .. }) = self.operation() else { return false };
        let now = self.st.regs[reg];
        let learned = match no_less {
            Some(true) if now == Value::of(Tag::Param, LENGTH) => {
                let least = right.as_constant().and_then(|least| u32::try_from(least).ok()).filter(|least| *least <= 8);
                least.map(|least| Value::new(Tag::LongParam, least, LENGTH))
            }
            Some(false) if now == Value::of(Tag::Param, OFFSET) && right.is(Tag::ShortenedParam) => {
                Some(Value::new(Tag::WithinParam, right.a(), OFFSET))
            }
            _ => None,
        };
        if let Some(learned) = learned {
            self.st.regs[reg] = learned;
        }
        learned.is_some()
    }
}
