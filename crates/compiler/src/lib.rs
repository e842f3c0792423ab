pub mod code;
pub mod facts;
pub mod isa;
pub mod libcall;
pub mod sig;
pub mod ty;
