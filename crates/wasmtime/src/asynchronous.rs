//! Bytes that arrive asynchronously, in the words of the crates that programs have for that.

use crate::Compiler;
use crate::stream::any::{Compiled, Stream};
use lightbeam_environ::Error;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use wasmtime::Result;

/// Bytes asked of a reader at once.
const CHUNK: usize = 64 << 10;

impl Compiler {
    /// Compiles a module or a component while a stream gives its bytes, in chunks of any size, and loads it: a body of
    /// HTTP, for example.
    ///
    /// While there is nothing to read other tasks go on. Small modules are compiled by this task, others by
    /// [`threads`](Self::threads) beside it; when the last byte is there this task waits for those, links and loads,
    /// which may take some milliseconds for each megabyte.
    ///
    /// ```
    /// # fn main() -> wasmtime::Result<()> {
    /// # futures::executor::block_on(async {
    /// let compiler = lightbeam::Compiler::new(&wasmtime::Config::new())?;
    /// let chunks = [&b"\0asm"[..], &[1, 0, 0, 0]].map(Ok::<_, std::io::Error>);
    /// let module = compiler.collect(futures::stream::iter(chunks)).await?.module().unwrap();
    /// # assert_eq!(module.exports().len(), 0);
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the stream gives one, which is then the cause of one of the kind [`ErrorKind::Io`](crate::ErrorKind::Io), and
    /// as [`Stream::finish`]. What is invalid ends it at once, whatever would still come.
    #[cfg(feature = "futures")]
    pub async fn collect<B, E>(&self, chunks: impl futures_core::Stream<Item = Result<B, E>>) -> Result<Compiled>
    where
        B: AsRef<[u8]>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut chunks = pin!(chunks);
        let mut stream = self.stream();
        while let Some(chunk) = poll_fn(|task| chunks.as_mut().poll_next(task)).await {
            let chunk = chunk.map_err(|error| {
                let io = Error::io("module", &io::Error::other(error.to_string()));
                wasmtime::Error::new(error).context(io)
            })?;
            stream.push(chunk.as_ref())?;
        }
        stream.finish()
    }

    /// Compiles a module or a component while a reader of the crate `futures` gives its bytes, and loads it, as
    /// [`collect`](Self::collect).
    ///
    /// # Errors
    ///
    /// As `collect`.
    #[cfg(feature = "futures")]
    pub async fn read_async(&self, source: impl futures_io::AsyncRead) -> Result<Compiled> {
        let mut source = pin!(source);
        let (mut stream, mut chunk) = (self.stream(), vec![0; CHUNK]);
        loop {
            let read = poll_fn(|task| source.as_mut().poll_read(task, &mut chunk)).await;
            if !push(&mut stream, read.map(|bytes| &chunk[..bytes]))? {
                return stream.finish();
            }
        }
    }

    /// Compiles a module or a component while a reader of Tokio's gives its bytes, and loads it: see
    /// [`ModuleStream`](crate::ModuleStream) for what is done when. Small modules are compiled by this task, others by
    /// threads beside it; when the last byte is there this task waits for those, links and loads.
    ///
    /// # Errors
    ///
    /// If reading fails, and as [`Stream::finish`].
    #[cfg(feature = "tokio")]
    pub async fn read_tokio(&self, source: impl tokio::io::AsyncRead) -> Result<Compiled> {
        let mut source = pin!(source);
        let (mut stream, mut chunk) = (self.stream(), vec![0; CHUNK]);
        loop {
            let mut buffer = tokio::io::ReadBuf::new(&mut chunk);
            let read = poll_fn(|task| source.as_mut().poll_read(task, &mut buffer)).await;
            if !push(&mut stream, read.map(|()| buffer.filled()))? {
                return stream.finish();
            }
        }
    }
}

/// Hands on what was read. Was there anything?
fn push(stream: &mut Stream, read: io::Result<&[u8]>) -> Result<bool> {
    match read {
        Ok([]) => Ok(false),
        Ok(bytes) => stream.push(bytes).map(|_| true),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(Error::io("module", &error).into()),
    }
}
