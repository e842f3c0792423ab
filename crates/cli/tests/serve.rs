//! `lightbeam serve` as a client of HTTP meets it: answers, connections that stay, many requests at a time, large
//! bodies, traps, and how it ends.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

const P2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/server.wat");
const P3: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/components/server-p3.wat");
const FIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fib.wat");
const HELLO: &[u8] = b"Hello from WebAssembly!\n";

fn lightbeam(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lightbeam"));
    command.args(arguments).env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    command
}

/// A path of this test's own.
fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve");
    std::fs::create_dir_all(&path).unwrap();
    path.join(name)
}

/// A server at work. It is killed if a test ends without having ended it.
struct Server {
    child: Child,
    addr: SocketAddr,
    /// Another address that it listens at, if it says so.
    shutdown: Option<SocketAddr>,
    /// What it has said, and the lines that it says from now on.
    said: String,
    says: Receiver<String>,
}

impl Server {
    #[track_caller]
    fn start(arguments: &[&str]) -> Server {
        Server::begin(&mut lightbeam(&[&["serve", "--addr=127.0.0.1:0"], arguments].concat()))
    }

    #[track_caller]
    fn begin(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut addr, mut shutdown) = (String::new(), None, None);
        while addr.is_none() {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "{command:?} ended, and said\n{said}");
            let behind = |before: &str| line.trim_end().strip_prefix(before)?.strip_suffix('/')?.parse().ok();
            addr = behind("Serving HTTP on http://");
            shutdown = shutdown.or(behind("Listening for shutdown on tcp://"));
            said.push_str(&line);
        }
        let (say, says) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = say.send(line + "\n");
            }
        });
        Server { child, addr: addr.unwrap(), shutdown, said, says }
    }

    /// Waits until it has said something.
    #[track_caller]
    fn wait_for(&mut self, words: &str) {
        while !self.said.contains(words) {
            self.said += &self.says.recv_timeout(Duration::from_secs(60)).expect("it says something");
        }
    }

    fn connect(&self) -> Connection {
        Connection::new(self.addr)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, and gives all that it has said.
    fn end(mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(begun.elapsed() < Duration::from_secs(60), "it does not end"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        let mut said = std::mem::take(&mut self.said);
        said.extend(self.says.iter());
        (status, said)
    }

    /// Asks it to end, and sees that it ends well. Gives all that it has said.
    #[track_caller]
    fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, said) = self.end();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(!said.contains("panicked at"), "{said}");
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that stays open from request to request.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn new(addr: SocketAddr) -> Connection {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    fn get(&mut self, path: &str) -> (u16, Vec<u8>) {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes());
        self.answer()
    }

    fn post(&mut self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let head = format!("POST {path} HTTP/1.1\r\nhost: here\r\ncontent-length: {}\r\n\r\n", body.len());
        // The answer may begin before all is sent, and fill what is between both.
        let mut sender = self.0.get_ref().try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || sender.write_all(&[head.as_bytes(), body].concat()).unwrap());
            self.answer()
        })
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(line.ends_with("\r\n"), "the connection is cut: {line:?}");
        line.trim_end().to_owned()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Reads an answer to its end, by its length or by chunks.
    fn answer(&mut self) -> (u16, Vec<u8>) {
        let status = self.line();
        let code = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let code = code.unwrap_or_else(|| panic!("{status:?}"));
        let mut length = None;
        loop {
            let line = self.line().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(count) = line.strip_prefix("content-length: ") {
                length = Some(count.parse().unwrap());
            }
        }
        if let Some(length) = length {
            return (code, self.bytes(length));
        }
        let mut body = Vec::new();
        loop {
            let chunk = usize::from_str_radix(&self.line(), 16).unwrap();
            body.extend(self.bytes(chunk));
            assert_eq!(self.bytes(2), b"\r\n");
            if chunk == 0 {
                return (code, body);
            }
        }
    }

    /// Is it closed by the other side?
    fn is_over(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

/// Bytes that are no other request's.
fn body(seed: usize, length: usize) -> Vec<u8> {
    let mut state = seed as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn requests_are_answered_one_after_the_other_on_one_connection() {
    for component in [P2, P3] {
        let server = Server::start(&[component]);
        let mut connection = server.connect();
        for round in 0..20 {
            assert_eq!(connection.get("/"), (200, HELLO.to_vec()), "{component}");
            let sent = body(round, round * 321);
            assert_eq!(connection.post("/echo", &sent), (200, sent), "{component}");
        }
        drop(connection);
        // It may not have seen yet that the connection is closed.
        let said = server.stop();
        let known = ["Serving HTTP on", "Waiting for child tasks"];
        assert!(said.lines().all(|line| known.iter().any(|known| line.starts_with(known))), "{component}: {said}");
    }
}

#[test]
fn large_bodies_come_back_as_they_were() {
    for component in [P2, P3] {
        let server = Server::start(&[component]);
        let mut connection = server.connect();
        for length in [4095, 4096, 4097, 65_536, 2_000_000] {
            let sent = body(length, length);
            let (code, received) = connection.post("/echo", &sent);
            assert!(code == 200 && received == sent, "{component}: {length} bytes, {code}");
        }
        drop(connection);
        server.stop();
    }
}

#[test]
fn a_trap_is_an_error_of_the_server_and_it_goes_on() {
    for component in [P2, P3] {
        let server = Server::start(&[component]);
        let mut connection = server.connect();
        for _ in 0..5 {
            let (code, page) = connection.get("/trap");
            assert_eq!(code, 500);
            assert!(String::from_utf8_lossy(&page).contains("500 Internal Server Error"));
            assert_eq!(connection.get("/"), (200, HELLO.to_vec()), "{component}");
        }
        drop(connection);
        let said = server.stop();
        assert_eq!(said.matches("wasm trap: wasm `unreachable` instruction executed").count(), 5, "{said}");
        assert!(said.contains("main!"), "no backtrace in:\n{said}");
    }
}

#[test]
fn no_answer_is_wrong_or_lost_however_many_ask() {
    for component in [P2, P3] {
        let server = Server::start(&[component]);
        for (clients, requests) in [(1, 50), (8, 400), (64, 640)] {
            let (addr, next) = (server.addr, AtomicUsize::new(0));
            let answered = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..clients {
                    scope.spawn(|| {
                        let mut connection = Connection::new(addr);
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= requests {
                                break;
                            }
                            let sent = body(number, number * 37 % 5000);
                            assert!(connection.post("/echo", &sent) == (200, sent), "{component}: request {number}");
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                }
            });
            assert_eq!(answered.into_inner(), requests, "{component}, {clients} at a time");
        }
        server.stop();
    }
}

#[test]
fn what_was_begun_is_answered_before_it_ends() {
    for component in [P2, P3] {
        for signal in [Signal::TERM, Signal::INT] {
            let mut server = Server::start(&[component]);
            // Once to the end, so that the server is at work, signals included.
            assert_eq!(server.connect().get("/").0, 200);
            let mut connection = server.connect();
            connection.send(b"POST /echo HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 6\r\n\r\nabc");
            // The head of the answer shows that the request is being handled.
            let mut peeked = [0];
            assert_eq!(connection.0.get_ref().peek(&mut peeked).unwrap(), 1);
            server.signal(signal);
            server.wait_for("Waiting for child tasks to exit");
            // Nothing new is begun.
            let mut late = server.connect();
            late.send(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n");
            connection.send(b"def");
            assert_eq!(connection.answer(), (200, b"abcdef".to_vec()), "{component}");
            assert!(connection.is_over());
            let (status, said) = server.end();
            assert_eq!(status.code(), Some(0), "{component}: {said}");
            assert!(late.is_over());
        }
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&[P2]);
    let mut connection = server.connect();
    assert_eq!(connection.get("/").0, 200);
    server.signal(Signal::TERM);
    // The open connection keeps it from its end.
    server.wait_for("Waiting for child tasks to exit");
    server.signal(Signal::TERM);
    let (status, said) = server.end();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(connection.is_over());
}

#[test]
fn a_connection_can_end_it() {
    let server = Server::start(&["--shutdown-addr=127.0.0.1:0", P2]);
    assert_eq!(server.connect().get("/").0, 200);
    drop(TcpStream::connect(server.shutdown.expect("it says where")).unwrap());
    assert_eq!(server.end().0.code(), Some(0));
}

/// Serves with flags, some requests on one connection.
#[track_caller]
fn serves(flags: &[&str], component: &str) {
    let server = Server::start(&[flags, &[component]].concat());
    let mut connection = server.connect();
    for _ in 0..3 {
        assert_eq!(connection.get("/"), (200, HELLO.to_vec()), "{flags:?}");
    }
    assert_eq!(connection.post("/echo", b"1234"), (200, b"1234".to_vec()), "{flags:?}");
    drop(connection);
    server.stop();
}

/// What it is compiled for is what serves, whatever the flags say: otherwise the artifact would not be loaded.
#[test]
fn it_serves_with_all_flags_that_matter() {
    for flags in [
        &["-O", "pooling-allocator=n"][..],
        &["-O", "pooling-allocator=n,memory-reservation=65536,memory-guard-size=0"],
        &["-O", "signals-based-traps=n"],
        &["-O", "memory-init-cow=n,table-lazy-init=n"],
        &["-W", "timeout=30s"],
        &["-W", "fuel=100000000"],
        &["-W", "max-memory-size=10000000"],
        &["-C", "collector=null,parallel-compilation=y"],
        &["-C", "parallel-compilation=n", "-D", "guest-debug=n"],
        &["-D", "address-map=n"],
        &["-S", "cli", "--env", "A=b, c", "--dir", "."],
        &["-S", "config,keyvalue,nn,config-var=a=b"],
        &["-S", "p3=n"],
        &["-W", "nan-canonicalization"],
        &["--compile-threads=1", "--spectre=n", "--verify"],
        &["--max-instance-reuse-count=10", "--idle-instance-timeout=10ms", "--no-logging-prefix"],
        &["--max-concurrent-requests=1", "--max-concurrent-connections=2", "-H", "accept: a"],
    ] {
        serves(flags, P2);
    }
    for flags in [
        &["--max-instance-reuse-count=3", "--max-instance-concurrent-reuse-count=2"][..],
        &["-O", "pooling-allocator=n,signals-based-traps=n", "-W", "timeout=30s"],
        &["-S", "cli", "-C", "collector=null", "--idle-instance-timeout=1ms"],
    ] {
        serves(flags, P3);
    }
}

#[test]
fn a_limit_on_time_holds_for_each_request() {
    let text = std::fs::read_to_string(P2).unwrap();
    let endless = "(then (loop $for-ever (br $for-ever)) unreachable))\n      (local.set $echo";
    let looping = text.replacen("(then unreachable))\n      (local.set $echo", endless, 1);
    assert_ne!(text, looping);
    std::fs::write(file("looping.wat"), looping).unwrap();
    let server = Server::start(&["-Wtimeout=200ms", file("looping.wat").to_str().unwrap()]);
    let mut connection = server.connect();
    assert_eq!(connection.get("/trap").0, 500);
    assert_eq!(server.connect().get("/"), (200, HELLO.to_vec()));
    drop(connection);
    server.stop();
}

#[test]
fn it_serves_what_comes_in_and_what_was_compiled() {
    let wasm = wat::parse_file(P2).unwrap();
    std::fs::write(file("server.wasm"), &wasm).unwrap();
    let input = std::fs::File::open(file("server.wasm")).unwrap();
    let server = Server::begin(lightbeam(&["serve", "--addr=127.0.0.1:0", "--time", "-"]).stdin(input));
    for word in ["lightbeam: core modules 2, adapters 0, functions 5,", "translate", "MB/s"] {
        assert!(server.said.contains(word), "no `{word}` in:\n{}", server.said);
    }
    assert_eq!(server.connect().get("/"), (200, HELLO.to_vec()));
    server.stop();

    let artifact = file("server.cwasm");
    let artifact = artifact.to_str().unwrap();
    let compiled = lightbeam(&["compile", P2, "-o", artifact]).output().unwrap();
    assert!(compiled.status.success(), "{}", said(&compiled));
    fails(&[artifact], &["--allow-precompiled"]);
    let server = Server::start(&["--allow-precompiled", artifact]);
    assert_eq!(server.connect().get("/"), (200, HELLO.to_vec()));
    server.stop();
}

#[test]
fn where_pools_have_no_room_it_serves_without() {
    let script = "ulimit -v 12000000; ulimit -f 100; exec \"$0\" serve --addr=127.0.0.1:0 \"$1\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_lightbeam"), P2]).stdin(Stdio::null());
    let server = Server::begin(&mut shell);
    assert_eq!(server.connect().get("/"), (200, HELLO.to_vec()));
    server.stop();
}

#[test]
fn where_nothing_can_be_said_it_ends() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = lightbeam(&["serve", "--addr=127.0.0.1:0", P2]).stderr(full).status().unwrap();
    assert_eq!(ended.code(), Some(1));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Ends with exit code 1 before it serves, and says each of the words.
#[track_caller]
fn fails(arguments: &[&str], words: &[&str]) {
    let output = lightbeam(&[&["serve", "--addr=127.0.0.1:0"], arguments].concat()).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: no `{word}` in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn what_cannot_serve_is_named() {
    let write = |name: &str, text: &str| {
        std::fs::write(file(name), text).unwrap();
        file(name).to_str().unwrap().to_owned()
    };
    let nothing = write("nothing.wat", "(component)");
    let unknown = write("unknown.wat", r#"(component (import "a:b/c" (instance (export "f" (func)))))"#);
    let options = write("options.toml", "[wasm]\nfule = 3\n");
    fails(&[FIB], &["fib.wat` is a core module", "wasi:http/incoming-handler"]);
    fails(&[&nothing], &["failed to serve", "nothing.wat", "wasi:http/incoming-handler"]);
    fails(&["-W", "concurrency-support=n", P2], &["-W concurrency-support=n"]);
    fails(&[&unknown], &["a:b/c"]);
    fails(&["no-such-file.wasm"], &["no-such-file.wasm", "No such file"]);
    fails(&["-S", "http=n", P2], &["-S http=n"]);
    fails(&["-W", "component-model=n", P2], &["-W component-model=n"]);
    fails(&["-S", "threads", P2], &["-S threads", "components"]);
    fails(&["-S", "tcplisten=127.0.0.1:0", P2], &["-S tcplisten", "components"]);
    fails(&["-C", "compiler=winch", P2], &["-C compiler"]);
    fails(&["--dir", "/no/such/directory", P2], &["/no/such/directory"]);
    fails(&["--config", &options, P2], &["options.toml", "fule"]);
    fails(&["-H", "no colon", P2], &["no colon"]);
    // An address that somebody has.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("--shutdown-addr={}", taken.local_addr().unwrap());
    fails(&[&taken, P2], &[&taken, "in use"]);
}
