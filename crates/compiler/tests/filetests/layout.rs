//! Where the host of these tests has everything: a plain layout of its own, so that expected code says `memory0.length`
//! and not which offset some host has chosen for it.
//!
//! The pieces of an instance follow each other in the order in which `facts.rs` asks for them, which is that of their
//! indices. Code reaches them from the pinned instance pointer, so an offset from there has a name or is a mistake.
//! All other structures of the host are reached by pointers that may be in any register. Their fields are at offsets
//! from [`HOST`] on, no two of them at the same, so that an offset alone names the field; offsets of programs in
//! memories that reach as far would be taken for some, and a file that has one is refused.

use std::collections::BTreeMap;
use std::ops::Range;

/// Offsets that name a field of the host's.
pub(crate) const HOST: Range<i32> = 0x3000..0x4000;

macro_rules! fields {
    ($($name:ident = $at:literal $text:literal;)* ; $($behind:literal $part:literal;)*) => {
        $(pub(crate) const $name: i32 = $at;)*
        /// All fields of the host's structures, by offset.
        const FIELDS: &[(i32, &str)] = &[$(($at, $text),)* $(($behind, $part)),*];
    };
}

fields! {
    STACK_LIMIT = 0x3000 "store.stack_limit";
    FUEL = 0x3008 "store.fuel";
    EPOCH_DEADLINE = 0x3010 "store.epoch_deadline";
    HEAP = 0x3018 "store.heap";
    HEAP_LENGTH = 0x3020 "store.heap_length";
    CHAIN = 0x3028 "store.chain.kind";
    ENTRY_FRAME = 0x3038 "store.entry_frame";
    ENTRY_STACK = 0x3040 "store.entry_stack";
    ENTRY_HANDLER = 0x3048 "store.entry_handler";
    CURRENT_THREAD = 0x3050 "store.current_thread";
    CONTEXT_0 = 0x3058 "store.context0";
    CONTEXT_1 = 0x305c "store.context1";

    MEMORY_BASE = 0x3100 "memory.base";
    MEMORY_LENGTH = 0x3108 "memory.length";
    TABLE_BASE = 0x3110 "table.base";
    TABLE_LENGTH = 0x3118 "table.length";
    GLOBAL_VALUE = 0x3120 "global.value";

    FUNC_CODE = 0x3200 "func.code";
    FUNC_CONTEXT = 0x3208 "func.context";
    FUNC_TYPE = 0x3210 "func.type";

    FREE = 0x3300 "heap.free";
    END = 0x3304 "heap.end";
    LIST = 0x3308 "heap.list";
    LIST_LENGTH = 0x330c "heap.list_length";
    LENGTH_AFTER = 0x3310 "heap.length_after";

    SAVED_LIMIT = 0x3400 "stack.limit";
    SAVED_FRAME = 0x3408 "stack.entry_frame";
    SAVED_STACK = 0x3410 "stack.entry_stack";
    SAVED_HANDLER = 0x3418 "stack.entry_handler";
    STATE = 0x3420 "stack.state";
    SUSPENDING = 0x3424 "stack.suspending";
    HANDLERS = 0x3430 "stack.handlers.length";
    PARENT = 0x3440 "cont.parent.kind";
    LAST_ANCESTOR = 0x3450 "cont.last_ancestor";
    REVISION = 0x3458 "cont.revision";
    TOP = 0x3460 "cont.top";
    ARGS = 0x3470 "cont.args.length";
    ARGS_CAPACITY = 0x3474 "cont.args.capacity";
    ARGS_DATA = 0x3478 "cont.args.data";
    VALUES = 0x3480 "cont.values.length";

    ; // Behind some of these:
    0x3030 "store.chain.pointer";
    0x3434 "stack.handlers.capacity";
    0x3438 "stack.handlers.data";
    0x3448 "cont.parent.pointer";
    0x3484 "cont.values.capacity";
    0x3488 "cont.values.data";
}

/// The lists above: offsets of their fields from their beginnings.
pub(crate) const LENGTH: i32 = ARGS - ARGS;
pub(crate) const CAPACITY: i32 = ARGS_CAPACITY - ARGS;
pub(crate) const DATA: i32 = ARGS_DATA - ARGS;

/// The array of type ids, which are of 4 bytes.
const TYPE_IDS: i32 = 0x3800;

/// Where the id of a type is in the array of them, by the number of the type.
pub(crate) fn type_id(number: usize) -> i32 {
    let at = TYPE_IDS + 4 * number as i32;
    assert!(HOST.contains(&at), "a file test has fewer types");
    at
}

/// The instance of one module, and what its types are called.
#[derive(Default)]
pub(crate) struct Layout {
    instance: BTreeMap<i32, String>,
    end: i32,
    types: Vec<String>,
}

impl Layout {
    /// Adds a piece of so many bytes to the instance, aligned to its size, and says where it is.
    pub(crate) fn add(&mut self, name: String, bytes: i32) -> i32 {
        // No piece is at offset 0, which would show as none.
        let at = (self.end.max(8) as u32).next_multiple_of(bytes as u32) as i32;
        self.end = at + bytes;
        self.instance.insert(at, name);
        at
    }

    /// Adds a type, and says where its id is.
    pub(crate) fn add_type(&mut self, name: String) -> i32 {
        self.types.push(name);
        type_id(self.types.len() - 1)
    }

    /// What is at this offset in the instance. The upper half of a piece of 16 bytes has an offset of its own.
    pub(crate) fn in_instance(&self, at: i32) -> Result<String, String> {
        let (from, name) = self.instance.range(..=at).next_back().ok_or(format!("nothing is at {at:#x} in it"))?;
        match at - from {
            0 => Ok(name.clone()),
            8 => Ok(format!("{name}+8")),
            _ => Err(format!("nothing of an instance begins at {at:#x}")),
        }
    }

    /// What an offset from any other pointer names, if it does.
    pub(crate) fn field(&self, at: i32) -> Option<String> {
        if !HOST.contains(&at) {
            return None;
        }
        if let Ok(number) = usize::try_from((at - TYPE_IDS) / 4)
            && at >= TYPE_IDS
        {
            return self.types.get(number).map(|name| format!("id({name})"));
        }
        FIELDS.iter().find(|(field, _)| *field == at).map(|(_, name)| (*name).to_string())
    }
}
