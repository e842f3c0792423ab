//! How deep the types of components and instances are nested, of which each can declare others. Wasmtime's parser calls
//! itself for each level before anything is validated, so that a few thousand bytes would use up the stack.

use crate::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use wasmtime_environ::wasmparser::{BinaryReader, ComponentType, ComponentTypeDeclaration, Result, WasmFeatures};

/// Most levels. Validation allows no more for values, either.
const MOST: usize = 100;

/// How types of components and of instances begin, and declarations of types within them.
const COMPONENT: u8 = 0x41;
const INSTANCE: u8 = 0x42;
const DECLARES_TYPE: u8 = 0x01;

/// Refuses a type section, whose content begins at byte `at`, with types that are nested too deep. What is not valid is
/// for others to say.
pub(crate) fn check(content: &[u8], at: usize, features: WasmFeatures) -> std::result::Result<(), Error> {
    match search(BinaryReader::new_features(content, at, features)) {
        Ok(Some(offset)) => {
            let message = format!("limit exceeded: types are nested in more than {MOST} others");
            Err(Error::too_large(message, Some(offset)))
        }
        Ok(None) | Err(_) => Ok(()),
    }
}

/// What validation gives, of what begins at byte `at`. It counts on how many levels the types of instances, components and
/// functions have others, by whatever indices, and asserts that it can: a limit it has for values alone.
///
/// # Errors
///
/// If it cannot. What it was at is then of no use any more.
pub(crate) fn guarded<T>(at: Option<usize>, validate: impl FnOnce() -> T) -> std::result::Result<T, Error> {
    catch_unwind(AssertUnwindSafe(validate)).map_err(|panic| {
        match panic.downcast_ref::<&str>() {
            Some(message) if message.contains("MAX_DEPTH") => {}
            _ => resume_unwind(panic),
        }
        Error::too_large("limit exceeded: types that have others on more than 127 levels", at)
    })
}

/// Where the first type is that is nested too deep.
fn search(mut reader: BinaryReader<'_>) -> Result<Option<usize>> {
    // Types to come, and behind that declarations to come at each level.
    let mut left = vec![reader.read_var_u32()?];
    while let Some(count) = left.last_mut() {
        let Some(less) = count.checked_sub(1) else {
            left.pop();
            continue;
        };
        *count = less;
        if left.len() > 1 {
            if reader.clone().read_u8()? != DECLARES_TYPE {
                reader.read::<ComponentTypeDeclaration<'_>>()?;
                continue;
            }
            reader.read_u8()?;
        }
        if !matches!(reader.clone().read_u8()?, COMPONENT | INSTANCE) {
            reader.read::<ComponentType<'_>>()?;
            continue;
        }
        if left.len() > MOST {
            return Ok(Some(reader.original_position()));
        }
        reader.read_u8()?;
        left.push(reader.read_var_u32()?);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_panics_come_through() {
        assert_eq!(guarded(None, || 5), Ok(5));
        assert!(catch_unwind(|| guarded(None, || panic!("something else"))).is_err());
    }

    #[test]
    fn types_are_counted_by_level_and_not_by_number() {
        // Each declares the next, behind an export of a function that declares nothing.
        let section = |levels: usize, kind: u8| {
            let beside = [DECLARES_TYPE, 0x40, 0, 1, 0, 0x04, 0, 1, b'A', 1, 0];
            let open = [[kind, 3].as_slice(), &beside, &[DECLARES_TYPE]].concat();
            [&[2], open.repeat(levels).as_slice(), &[kind, 0], &[INSTANCE, 0]].concat()
        };
        let offset = |section: &[u8]| {
            check(section, 50, WasmFeatures::all()).map_err(|error| {
                assert_eq!(error.kind(), crate::ErrorKind::TooLarge);
                error.offset().unwrap()
            })
        };
        for kind in [COMPONENT, INSTANCE] {
            assert_eq!(offset(&section(MOST - 1, kind)), Ok(()));
            assert_eq!(offset(&section(MOST, kind)), Err(51 + 14 * MOST));
            assert_eq!(offset(&section(100_000, kind)), Err(51 + 14 * MOST));
            // Cut off, it is no longer for this to say.
            assert_eq!(offset(&section(MOST, kind)[..200]), Ok(()));
        }
        let flat = [&[0x80, 0x08], [INSTANCE, 0].repeat(1024).as_slice()].concat();
        assert_eq!(offset(&flat), Ok(()));
    }
}
