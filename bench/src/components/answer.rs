//! The first answer of a component: what a command prints, or a server's response to a request.

use anyhow::{bail, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

struct Host {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoRequests,
    table: ResourceTable,
}

/// Servers that are measured send no requests of their own.
struct NoRequests;

impl WasiHttpHooks for NoRequests {
    fn send_request(
        &mut self,
        _: hyper::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(async { Err(ErrorCode::HttpRequestDenied.into()) })
    }
}

/// A response, and what becomes of the connection.
type Sent = Result<(hyper::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// What the component answers first, in a store of its own.
pub(super) fn of(engine: &Engine, component: &Component) -> anyhow::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stdout = MemoryOutputPipe::new(1 << 20);
    let wasi = WasiCtxBuilder::new().arg("program").arg("a").stdout(stdout.clone()).build();
    let host = Host { wasi, http: WasiHttpCtx::new(), hooks: NoRequests, table: ResourceTable::new() };
    let mut store = Store::new(engine, host);
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    let pre = linker.instantiate_pre(component)?;
    runtime.block_on(async {
        if let Ok(server) = ProxyPre::new(pre.clone()) {
            return respond(store, server).await;
        }
        // What is neither a server nor a command is an error that says what it lacks.
        let command = CommandPre::new(pre)?;
        let command = command.instantiate_async(&mut store).await?;
        match command.wasi_cli_run().call_run(&mut store).await {
            Ok(Ok(())) => {}
            Ok(Err(())) => bail!("the command says that it failed"),
            Err(error) if matches!(error.downcast_ref::<I32Exit>(), Some(I32Exit(0))) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(stdout.contents().to_vec())
    })
}

/// The response to one request.
async fn respond(mut store: Store<Host>, server: ProxyPre<Host>) -> anyhow::Result<Vec<u8>> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let no_body = Empty::<Bytes>::new().map_err(|never| -> ErrorCode { match never {} });
    let request = hyper::Request::builder().uri("http://localhost/first?n=10").body(no_body)?;
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let out = store.data_mut().http().new_response_outparam(sender)?;
    let handled = tokio::spawn(async move {
        let proxy = server.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(store, request, out).await
    });
    let Ok(response) = receiver.await else {
        handled.await??;
        bail!("it has not responded");
    };
    let response = response.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    ensure!(response.status().is_success(), "it responds with {}", response.status());
    let body = response.into_body().collect().await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    handled.await??;
    Ok(body.to_bytes().to_vec())
}
