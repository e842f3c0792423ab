//! Where lowering changes its way, as far as both sweeps have to know: what is made in line, and what by a call.

/// Copies and fills of a constant length up to this, in bytes, are made of loads and stores.
pub(crate) const SMALL_BULK: u64 = 64;

/// Is a copy of this many bytes within memory 0 made without a call? Two integer registers at once would be needed for
/// three bytes.
pub(crate) const fn is_small_copy(bytes: u64) -> bool {
    matches!(bytes, 1..=SMALL_BULK) && bytes != 3
}

/// Is a fill of this many bytes of memory 0 made without a call?
pub(crate) const fn is_small_fill(byte: u64, bytes: u64) -> bool {
    matches!(bytes, 1..=SMALL_BULK) && byte & 0xff == 0
}

/// Structures of more fields are cleared by the host.
pub(crate) const MANY_FIELDS: usize = 16;
