//! What belongs to a component and to none of its modules: the context that its own functions are given, and what each
//! of these has to do.

use super::Signature;

/// A component.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// Where its context has what.
    pub context: Context,
    /// How many bytes the array of the host's functions for components has.
    pub libcalls: u32,
    /// Its own functions, by index.
    pub trampolines: Vec<Trampoline>,
    /// The unsafe intrinsics that it has.
    pub intrinsics: Vec<Intrinsic>,
}

/// Where a component's context (`VMComponentContext`) has its fields, as far as code may read them. Lists are where
/// they begin, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// Pointer to the array of the host's functions for components.
    pub libcalls: u32,
    /// Pointer to the store's structure.
    pub store: u32,
    /// For each instance of a component whether it may leave, a `u32` in 16 bytes.
    pub may_leave: (u32, u32),
    /// Whether the current task may block, a `u32`.
    pub may_block: u32,
    /// Imported functions: the host's function and its data, two pointers each.
    pub lowerings: (u32, u32),
    /// Pointers to the definitions of memories.
    pub memories: (u32, u32),
    /// References to functions, which are called back.
    pub callbacks: (u32, u32),
    /// References to functions, which are called behind others.
    pub post_returns: (u32, u32),
    /// References to functions, which drop resources.
    pub destructors: (u32, u32),
}

impl Context {
    /// Is at this offset one of so many things that are so many bytes each?
    pub(crate) fn is_one_of(at: u32, (begin, count): (u32, u32), bytes: u32) -> bool {
        at.checked_sub(begin).is_some_and(|into| into % bytes == 0 && into / bytes < count)
    }

    /// Is at this offset a pointer that only has to get where it belongs?
    pub(crate) fn is_pointer(&self, at: u32) -> bool {
        Context::is_one_of(at, (self.lowerings.0, 2 * self.lowerings.1), 8)
            || [self.memories, self.callbacks, self.post_returns, self.destructors]
                .into_iter()
                .any(|list| Context::is_one_of(at, list, 8))
    }
}

/// One of a component's own functions.
#[derive(Clone, Debug)]
pub struct Trampoline {
    /// The number of its type.
    pub ty: u32,
    /// What it does.
    pub works: Works,
}

/// What a component's own function does.
#[derive(Clone, Debug)]
pub enum Works {
    /// It calls the host once.
    Calls(HostCall),
    /// It drops a handle to a resource, with what belongs to that.
    Drops(Drop),
}

/// A call of the host.
#[derive(Clone, Debug)]
pub struct HostCall {
    /// What is called.
    pub callee: Callee,
    /// What it is given behind the component's context, in order.
    pub arguments: Vec<Argument>,
    /// What it gives.
    pub outcome: Outcome,
    /// Where the context says whether the calling instance may leave, if it must be asked.
    pub may_leave: Option<u32>,
}

impl HostCall {
    /// From which parameter on arguments are passed in an array of values, if there is one.
    pub(crate) fn array(&self) -> Option<usize> {
        let first = |argument: &Argument| if let Argument::Values(first) = argument { Some(*first) } else { None };
        self.arguments.iter().find_map(first).map(|first| first as usize)
    }

    /// How many values that array has for a function that takes and gives these.
    pub(crate) fn values(&self, signature: &Signature) -> u32 {
        let Some(first) = self.array() else { return 0 };
        signature.params.len().saturating_sub(first).max(signature.results.len()) as u32
    }
}

/// What a component's own function calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The host's function for components that is here in the array of them.
    Libcall(u32),
    /// The function that the context points to here.
    Lowering(u32),
}

/// What the host is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// This number, of 32 bits.
    Number(u32),
    /// No pointer.
    Null,
    /// The pointer that is here in the context.
    Pointer(u32),
    /// This parameter, as it is.
    Parameter(u32),
    /// This parameter as a number of 64 bits.
    Size(u32),
    /// This parameter as an offset in the memory whose definition the context points to here.
    InMemory(u32, u32),
    /// The address of an array of values in the frame: the parameters from this one on, and later the results.
    Values(u32),
    /// How many there are.
    Count,
    /// The address of 8 bytes in the frame for a second result.
    Second,
}

/// What the host gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A byte: 0 if it has failed.
    Flag,
    /// A byte: 0 if it has failed. It has put results into the array of values.
    Values,
    /// A number of 64 bits, which is the result: -1 if it has failed.
    Word,
    /// A number of 64 bits, which is a result: -1 if it has failed. Another is where `Argument::Second` points.
    Two,
    /// A number of 32 bits, which is the result: -1 if it has failed.
    Narrow,
}

/// How a handle to a resource is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Drop {
    /// Where the array of the host's functions has the one that takes a handle out of its table.
    pub libcall: u32,
    /// The instance that drops, and the table.
    pub numbers: [u32; 2],
    /// Where the context says whether that instance may leave.
    pub may_leave: u32,
    /// Where the context has the destructor, if there can be one.
    pub destructor: Option<u32>,
    /// What else there is to do if the destructor is another instance's.
    pub crossing: Option<Crossing>,
}

/// The way into the instance that defines a resource.
#[derive(Clone, Copy, Debug)]
pub struct Crossing {
    /// Where the context says whether the instance with the table may leave.
    pub may_leave: u32,
    /// If the host keeps track of tasks: where it has the functions that begin and end one, and the instance that one
    /// is begun in.
    pub task: Option<(u32, u32, u32)>,
}

/// An unsafe intrinsic.
#[derive(Clone, Debug)]
pub struct Intrinsic {
    /// The host's number of it.
    pub number: u32,
    /// What it takes and gives.
    pub signature: Signature,
    /// What it does.
    pub operation: Operation,
}

/// What an unsafe intrinsic does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reads this slot of the task, or writes it.
    Slot {
        /// Which.
        slot: u8,
        /// Is it written?
        writes: bool,
    },
    /// Gives the address of what the embedder keeps.
    StoreData,
    /// Reads or writes so many bytes of the host's memory, wherever it is told to; if `checked` only within a length.
    Native {
        /// How many.
        bytes: u8,
        /// Are they written?
        writes: bool,
        /// Is an offset compared with a length?
        checked: bool,
    },
}
