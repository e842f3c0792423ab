//! Compiles a module while it comes over HTTP, and calls it as soon as its last byte is there.
//!
//! ```text
//! cargo run --bin streaming-http -- http://127.0.0.1:8000/plugin.wasm function
//! ```

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use lightbeam::Compiler;
use std::time::Instant;
use tokio::net::TcpStream;
use wasmtime::{Config, Instance, Module, Result, Store, bail};

/// Compiles what is at an address while it comes.
async fn fetch(compiler: &Compiler, uri: &Uri) -> Result<Module> {
    let Some(authority) = uri.authority() else { bail!("no address to connect to in {uri}") };
    let connection = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).await?;
    let (mut requests, connection) = http1::handshake(TokioIo::new(connection)).await?;
    tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header(header::HOST, authority.as_str()).body(Empty::<Bytes>::new())?;
    let answer = requests.send_request(request).await?;
    if !answer.status().is_success() {
        bail!("{uri}: {}", answer.status());
    }
    let mut body = answer.into_body();
    let mut stream = compiler.module_stream();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            // Compiles what is complete, here or, if it is much, on threads; a host with other things to do on this
            // thread wraps it into `spawn_blocking`. The first error ends the transfer.
            stream.push(&bytes)?;
        }
    }
    let last = Instant::now();
    let module = stream.finish()?;
    eprintln!("ready {} µs after the last byte", last.elapsed().as_micros());
    Ok(module)
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: streaming-http http://ADDRESS/PATH FUNCTION";
    let (uri, function) = (args.next().expect(usage), args.next().expect(usage));
    let compiler = Compiler::new(&Config::new())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let module = runtime.block_on(fetch(&compiler, &uri.parse()?))?;
    let mut store = Store::new(compiler.engine(), ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let result = instance.get_typed_func::<i32, i32>(&mut store, &function)?.call(&mut store, 20)?;
    println!("{function}(20) = {result}");
    Ok(())
}
