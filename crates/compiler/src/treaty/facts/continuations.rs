//! What the compiler is told of continuations and of the stacks that they run on.

/// A type of continuations.
#[derive(Clone, Copy, Debug)]
pub struct ContFact {
    /// Index into `Facts::sigs`: what such a continuation takes and gives.
    pub sig: u32,
    /// If the last of its parameters is a continuation: index into `Facts::sigs` of what that takes and gives.
    pub last: Option<u32>,
    /// How many of its first parameters are such as may be bound, which is: no references that a collector must know
    /// of.
    pub bindable: u32,
}

/// What the host keeps of stacks and continuations, so that code can change from one to another. Offsets and sizes are
/// in bytes.
#[derive(Clone, Copy, Debug)]
pub struct StackFacts {
    /// Store: a word for the kind of stack that is running, then the pointer to what is known of it.
    pub chain: i32,
    /// The words for kinds of stacks: none, the one that the host entered wasm on, that of a continuation.
    pub kinds: StackKinds,
    /// Store: what changes with the stack, a word each, the stack limit first.
    pub live: [i32; 4],
    /// Stack: where each of these waits.
    pub saved: [i32; 4],
    /// Stack: its state, a `u32`.
    pub state: i32,
    /// Stack: the list of tags that are handled where it has resumed another.
    pub handlers: i32,
    /// Stack: how many of these do not switch, a `u32`; they come first.
    pub suspending: i32,
    /// States of stacks.
    pub states: StackStates,
    /// Continuation, which begins with its stack: kind and pointer of the stack that has resumed it.
    pub parent: i32,
    /// Continuation: the one at the far end of its chain of parents, while it is suspended.
    pub last_ancestor: i32,
    /// Continuation: how often it has been used, a `u64`.
    pub revision: i32,
    /// Continuation: pointer to the upper end of the memory of its stack.
    pub top: i32,
    /// Upper end of a stack: what is exchanged with the stack that it switches to, below that.
    pub exchange: i32,
    /// Continuation: the list of what its function takes and gives.
    pub args: i32,
    /// Continuation: the list of what comes and goes while it is suspended.
    pub values: i32,
    /// List: its length, a `u32`.
    pub length: i32,
    /// List: how many would fit, a `u32`.
    pub capacity: i32,
    /// List: pointer to the first. Values are 16 bytes apart, tags are pointers.
    pub data: i32,
    /// What a stack tells the one that it switches to.
    pub effects: Effects,
}

/// Kinds of stacks.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StackKinds {
    pub absent: i32,
    pub initial: i32,
    pub continuation: i32,
}

/// States of stacks.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StackStates {
    pub fresh: i32,
    pub running: i32,
    pub parent: i32,
    pub suspended: i32,
    pub returned: i32,
    pub trapped: i32,
}

/// What a stack tells the one that it switches to, in the upper half of a word; 0 is that its function has returned.
#[derive(Clone, Copy, Debug)]
pub struct Effects {
    /// The other is resumed.
    pub resume: u32,
    /// A handler is asked for, whose number is in the lower half.
    pub suspend: u32,
    /// The other is switched to.
    pub switch: u32,
    /// The function has not returned; the host knows why.
    pub trap: u32,
    /// The other is resumed with an exception.
    pub resume_throw: u32,
}
