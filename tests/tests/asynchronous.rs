//! Modules that arrive asynchronously: the same as those that are there, whatever the chunks, and errors of their
//! sources.

use futures::executor::block_on;
use futures::stream;
use lightbeam::{Compiler, Error, ErrorKind};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasmtime::{Config, Module, Result};

fn compiler() -> Compiler {
    Compiler::new(&Config::new()).unwrap()
}

fn wasm() -> Vec<u8> {
    let function = |n| format!("(func (param i32) (result i32) (i32.add (local.get 0) (i32.const {n})))");
    wat::parse_str(format!("(module {})", (0..5000).map(function).collect::<String>())).unwrap()
}

/// Gives a few bytes each second time that it is asked, and then an end or an error.
struct Slow {
    bytes: Vec<u8>,
    at: usize,
    waits: bool,
    fails: bool,
}

impl Slow {
    fn poll(&mut self, task: &mut Context<'_>, chunk: usize) -> Poll<io::Result<&[u8]>> {
        self.waits = !self.waits;
        if self.waits {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (from, to) = (self.at, self.bytes.len().min(self.at + chunk));
        self.at = to;
        if from == to && self.fails {
            return Poll::Ready(Err(io::Error::other("the line is dead")));
        }
        Poll::Ready(Ok(&self.bytes[from..to]))
    }
}

impl futures::io::AsyncRead for Slow {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let most = buffer.len().min(777);
        self.poll(task, most).map_ok(|bytes| {
            buffer[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        })
    }
}

impl tokio::io::AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = buffer.remaining().min(777);
        self.poll(task, most).map_ok(|bytes| buffer.put_slice(bytes))
    }
}

fn slow(bytes: &[u8], fails: bool) -> Slow {
    Slow { bytes: bytes.to_vec(), at: 0, waits: false, fails }
}

fn text(module: Result<lightbeam::Compiled>) -> Vec<u8> {
    let module: Module = module.unwrap().module().unwrap();
    module.text().to_vec()
}

#[test]
fn what_arrives_is_what_is_there() {
    let (compiler, wasm) = (compiler(), wasm());
    let expected = compiler.module(&wasm).unwrap().text().to_vec();
    for chunk in [100, 5000, 1 << 20] {
        let chunks = stream::iter(wasm.chunks(chunk).map(Ok::<_, io::Error>));
        assert!(text(block_on(compiler.collect(chunks))) == expected, "{chunk}");
    }
    assert!(text(block_on(compiler.read_async(slow(&wasm, false)))) == expected);
    assert!(text(block_on(compiler.read_tokio(slow(&wasm, false)))) == expected);
    let component = b"\0asm\x0d\0\x01\0";
    assert!(block_on(compiler.read_async(&component[..])).unwrap().component().is_some());
}

#[test]
fn what_a_source_says_is_the_error() {
    let (compiler, wasm) = (compiler(), wasm());
    let check = |error: wasmtime::Error| {
        let known = error.downcast_ref::<Error>().unwrap();
        assert_eq!(known.kind(), ErrorKind::Io);
        assert!(known.message().contains("the line is dead"), "{known}");
    };
    let begun = &wasm[..wasm.len() / 2];
    check(block_on(compiler.read_async(slow(begun, true))).unwrap_err());
    check(block_on(compiler.read_tokio(slow(begun, true))).unwrap_err());
    let chunks = [Ok(begun), Err(io::Error::other("the line is dead"))];
    check(block_on(compiler.collect(stream::iter(chunks))).unwrap_err());
}

#[test]
fn what_is_wrong_ends_it_though_more_would_come() {
    let compiler = compiler();
    let chunks =
        stream::iter((0_u32..).map(|n| Ok::<_, io::Error>(if n == 0 { &b"\0asm\x01\0\0\0"[..] } else { b"\xff" })));
    let error = block_on(compiler.collect(chunks)).unwrap_err();
    assert_eq!(error.downcast_ref::<Error>().unwrap().kind(), ErrorKind::Invalid);
}
