//! What routines take: one line each with its arguments by name, for those who call it as for the one who writes it.
//!
//! A routine's arguments are in the first integer registers of the private convention, in the order of its line. It
//! finds those before the bar in preserved registers, where they outlast calls, and the others where they have come.

use crate::treaty::code::{Routine, StackRoutine};

/// Most arguments that a routine takes.
pub(crate) const MOST: usize = 5;

/// The arguments of a routine, in the order of its line.
pub(crate) struct Arguments<T> {
    all: [T; MOST],
    count: usize,
}

impl<T: Copy> Arguments<T> {
    fn new(given: &[T]) -> Arguments<T> {
        let all = std::array::from_fn(|i| given[i.min(given.len() - 1)]);
        Arguments { all, count: given.len() }
    }

    /// In their order.
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.all[..self.count]
    }
}

/// Which routine of its kind; what it takes.
macro_rules! signatures {
    (
        $(#[doc = $doc:literal])*
        $call:ident of $routine:ident $(but $others:pat)? =>
        $($name:ident $({ $($of:ident: $ty:ty),* })? ($($kept:ident),* | $($came:ident),*);)*
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum $call<T> {
            $($name { $($($of: $ty,)*)? $($kept: T,)* $($came: T,)* },)*
        }

        impl<T: Copy> $call<T> {
            /// What is called, and with what.
            pub(crate) fn parts(&self) -> ($routine, Arguments<T>) {
                match *self {
                    $($call::$name { $($($of,)*)? $($kept,)* $($came,)* } => {
                        ($routine::$name { $($($of),*)? }, Arguments::new(&[$($kept,)* $($came,)*]))
                    })*
                }
            }

            /// What a routine takes: says of each argument, in their order, where it is; one before the bar, or not.
            pub(crate) fn of(routine: $routine, mut is_in: impl FnMut(bool) -> T) -> $call<T> {
                match routine {
                    $($routine::$name { $($($of),*)? } => {
                        $call::$name { $($($of,)*)? $($kept: is_in(true),)* $($came: is_in(false),)* }
                    })*
                    $($others => unreachable!("it takes nothing by this table"),)?
                }
            }
        }
    };
}

signatures! {
    /// A routine over tables or objects with its arguments: operands of whoever calls it, registers inside it.
    RoutineCall of Routine but Routine::Constant { .. } | Routine::Stacks(_) =>

    // A value as wide as a vector is on top of the caller's stack instead.
    TableFill       { table: u32 }                  (at, value, n |);
    TableCopy       { to: u32, from: u32 }          (at, source, n |);
    TableInit       { table: u32, segment: u32 }    (at, source, n |);
    SetReference                                    (address, reference |);
    Expose                                          (reference |);
    List                                            (reference |);
    // The alignment is one less.
    MakeRoom                                        (bytes, alignment |);
    ArrayNew        { ty: u32 }                     (length |);
    // Bits of an element are 64 at most, or the address of a vector.
    ArrayInit       { ty: u32 }                     (array, bits |);
    ArrayFill       { ty: u32 }                     (array, index | bits, length);
    ArrayCopy       { ty: u32 }                     (array, index | source, source_index, length);
    ArrayCheckData  { ty: u32, segment: u32 }       (position, length |);
    ArrayCheckElem  { segment: u32 }                (position, length |);
    ArrayInitData   { ty: u32, segment: u32 }       (array, index, position | length);
    ArrayInitElem   { ty: u32, segment: u32 }       (array, index, position | length);
}

signatures! {
    /// A change of stacks with its arguments. What crosses, and the continuation, is on top of the caller's stack.
    StackCall of StackRoutine =>

    // How many values cross; for `Suspend` and `Switch` behind the tag, and ahead of how many may come back.
    Bind            { wide: bool }                  (values |);
    // How many handlers there are in all, and how many of them suspend; with an exception nothing else crosses.
    Resume          { wide: bool }                  (values, handlers, suspending |);
    ResumeThrow                                     (exception, handlers, suspending |);
    Suspend                                         (tag, values, capacity |);
    Switch          { wide: bool }                  (tag, values, capacity |);
}
