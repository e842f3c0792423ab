//! Equal bytes give equal artifacts and errors, in whatever chunks they come.

mod common;

use common::{compiler, streamed};
use lightbeam::{Compiler, Error, ErrorKind, Progress};
use wasmtime::{Config, Instance, Store};

/// A module with a bit of everything that the parts ahead of and behind the code decide.
const WAT: &str = r#"(module $everything
    (type $binary (func (param i32 i32) (result i32)))
    (import "host" "f" (func $host (result i32)))
    (import "host" "g" (global $at i32))
    (table 4 funcref)
    (memory (export "memory") 1)
    (global $g (export "global") (mut i32) (i32.const 5))
    (elem (i32.const 1) func $add $first)
    (elem func $host)
    (func $first (export "first") (result i32) i32.const 1 i32.const 2 call $add)
    (func $add (type $binary) local.get 0 local.get 1 i32.add)
    (func $store (export "store") i32.const 64 i32.const 0 i32.const 4 memory.init $passive data.drop $passive)
    (func $load (export "load") (result i32) i32.const 64 i32.load)
    (start $second)
    (func $second i32.const 9 global.set $g)
    (data (i32.const 8) "active")
    (data $passive "\2a\00\00\00")
    (data (global.get $at) "computed"))"#;

#[test]
fn chunks_do_not_show_in_the_artifact() {
    for setting in 0..8 {
        let mut config = Config::new();
        config.memory_init_cow(setting & 1 != 0).table_lazy_init(setting & 2 != 0).epoch_interruption(setting & 4 != 0);
        let compiler = Compiler::new(&config).unwrap();
        let wasm = wat::parse_str(WAT).unwrap();
        let whole = compiler.precompile(&wasm).unwrap();
        for chunk in [1, 2, 3, 5, 7, 16, 31, 64, 100, 101, 1000] {
            assert!(streamed(&compiler, &wasm, chunk).unwrap() == whole, "chunks of {chunk} bytes");
        }
        for split in 0..=wasm.len() {
            let mut stream = compiler.module_stream();
            stream.push(&wasm[..split]).unwrap();
            stream.push(&[]).unwrap();
            stream.push(&wasm[split..]).unwrap();
            assert!(stream.finish_artifact().unwrap() == whole, "split at {split}");
        }
        assert!(compiler.precompile(WAT).unwrap() == whole, "from text");
        assert!(streamed(&compiler, WAT.as_bytes(), 10).unwrap() == whole, "from streamed text");
    }
}

/// Segments that are put in place as they arrive, those that cannot be, and what is wrong behind them.
#[test]
fn large_data_sections() {
    let compiler = compiler();
    let large = "x".repeat(70_000);
    for data in [
        format!("(data (i32.const 5) \"{large}\") (data (i32.const 80000) \"y\")"),
        format!("(data (i32.const 5) \"{large}\") (data (i32.const 0) \"y\")"),
        format!("(data (i32.const 5) \"{large}\") (data \"passive\")"),
        format!("(data (i32.const 5) \"{large}\") (@custom \"c\" (after data) \"content\")"),
    ] {
        for initialised in ["(func $f i32.const 0 i32.const 0 i32.const 0 memory.init 0)", "(func $f)"] {
            let wasm = wat::parse_str(format!("(module $named (memory 9) {initialised} (func) {data})")).unwrap();
            let whole = compiler.precompile(&wasm).unwrap();
            for chunk in [100, 997, 5000, wasm.len()] {
                assert!(streamed(&compiler, &wasm, chunk).unwrap() == whole, "chunks of {chunk} bytes");
            }
            // Nothing may come behind but custom sections; and something that breaks off.
            for behind in [&[1, 1, 0][..], &[0, 1, 5], &[0, 9, 1], &[11, 1, 0], &[10, 1, 0], &[0xff]] {
                let wasm = [&wasm, behind].concat();
                let errors = [100, 5000, wasm.len()].map(|chunk| streamed(&compiler, &wasm, chunk).unwrap_err());
                let whole = compiler.precompile(&wasm).unwrap_err().downcast::<Error>().unwrap();
                let reference = wasmtime_environ::wasmparser::validate(&wasm).err().unwrap();
                assert_eq!(
                    (whole.kind(), whole.offset()),
                    (ErrorKind::Invalid, Some(reference.offset())),
                    "{behind:?}"
                );
                for error in errors {
                    assert_eq!(error.downcast::<Error>().unwrap(), whole);
                }
            }
        }
    }
}

/// A text that goes into a file while it grows, with calls in both directions all over it, and data behind it.
#[test]
fn large_texts() {
    const FUNCTIONS: u32 = 6000;
    let mut wat = String::from("(module (memory (export \"memory\") 2) (data (i32.const 1000) \"");
    wat.push_str(&"d".repeat(70_000));
    wat.push_str("\")");
    for i in 0..FUNCTIONS {
        let callee = (i * 7919 + 13) % FUNCTIONS;
        let work = "local.get 1 i32.load offset=8 local.get 0 i32.rotl i32.const 77777 i32.mul local.set 1 ".repeat(6);
        wat.push_str(&format!(
            "(func $f{i} (export \"{i}\") (param i32) (result i32) (local i32) {work} local.get 0 i32.eqz
                if (result i32) i32.const {i} else local.get 0 i32.const 1 i32.sub call $f{callee} end)"
        ));
    }
    let wasm = wat::parse_str(wat + ")").unwrap();
    let expected = |first: u32, depth: u32| (0..depth).fold(first, |at, _| (at * 7919 + 13) % FUNCTIONS) as i32;
    let runs = |compiler: &Compiler, module: &wasmtime::Module| {
        let mut store = Store::new(compiler.engine(), ());
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        for (first, depth) in [(0, 0), (5, 100), (FUNCTIONS - 1, 1000)] {
            let f = instance.get_typed_func::<i32, i32>(&mut store, &first.to_string()).unwrap();
            assert_eq!(f.call(&mut store, depth as i32).unwrap(), expected(first, depth));
        }
        assert_eq!(instance.get_memory(&mut store, "memory").unwrap().data(&store)[70_999], b'd');
    };
    let (whole, report) = compiler().precompile_timed(&wasm).unwrap();
    assert!(report.text_bytes > 512 << 10, "{} bytes of text", report.text_bytes);
    for threads in [1, 3] {
        let compiler = compiler().threads(threads);
        // SAFETY: the artifact comes from the compiler and nobody has changed it.
        runs(&compiler, &unsafe { wasmtime::Module::deserialize(compiler.engine(), &whole) }.unwrap());
        runs(&compiler, &compiler.module(&wasm).unwrap());
        runs(&compiler, &compiler.read(&wasm[..]).unwrap());
        assert!(compiler.precompile(&wasm).unwrap() == whole, "{threads} threads");
        for chunk in [1000, 100_000, wasm.len()] {
            assert!(streamed(&compiler, &wasm, chunk).unwrap() == whole, "{threads} threads, chunks of {chunk} bytes");
        }
    }
}

#[test]
fn a_streamed_module_runs() {
    let compiler = compiler();
    let wasm = wat::parse_str(WAT).unwrap();
    let module = compiler.read(&wasm[..]).unwrap();
    let mut store = Store::new(compiler.engine(), ());
    let host = wasmtime::Func::wrap(&mut store, || 3);
    let ty = wasmtime::GlobalType::new(wasmtime::ValType::I32, wasmtime::Mutability::Const);
    let at = wasmtime::Global::new(&mut store, ty, wasmtime::Val::I32(100)).unwrap();
    let instance = Instance::new(&mut store, &module, &[host.into(), at.into()]).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "first").unwrap().call(&mut store, ()).unwrap(), 3);
    let global = instance.get_global(&mut store, "global").unwrap();
    assert_eq!(global.get(&mut store).unwrap_i32(), 9);
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    assert_eq!(memory.data(&store)[100..108], *b"computed");
    let store_ = instance.get_typed_func::<(), ()>(&mut store, "store").unwrap();
    store_.call(&mut store, ()).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "load").unwrap().call(&mut store, ()).unwrap(), 42);
    // Dropped, the segment is empty.
    let error = store_.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&wasmtime::Trap::MemoryOutOfBounds));
}

#[test]
fn functions_are_compiled_as_they_arrive() {
    let compiler = compiler();
    let wasm = wat::parse_str("(module (func) (func) (func))").unwrap();
    let mut stream = compiler.module_stream();
    let mut seen = Vec::new();
    for byte in &wasm {
        let progress = stream.push(&[*byte]).unwrap();
        if seen.last() != Some(&(progress.functions_compiled, progress.functions_total)) {
            seen.push((progress.functions_compiled, progress.functions_total));
        }
    }
    assert_eq!(seen, [(0, None), (0, Some(3)), (1, Some(3)), (2, Some(3)), (3, Some(3))]);
    let mut last = Progress::default();
    (last.functions_compiled, last.functions_total, last.bytes) = (3, Some(3), wasm.len());
    assert_eq!(stream.push(&[]).unwrap(), last);
    let (_, report) = stream.finish_timed().unwrap();
    assert_eq!((report.functions, report.wasm_bytes, report.body_bytes), (3, wasm.len(), 6));
    assert!(report.code_bytes > 0 && report.text_bytes >= report.code_bytes && report.phases.total().as_nanos() > 0);
}

#[test]
fn a_prefix_is_an_error_and_nothing_else() {
    let compiler = compiler();
    let wasm = wat::parse_str(WAT).unwrap();
    // Without its last custom sections the module is whole.
    let boundaries: Vec<usize> = (8..wasm.len()).filter(|end| wasmparser_says_valid(&wasm[..*end])).collect();
    for end in 0..wasm.len() {
        let whole = compiler.precompile(&wasm[..end]);
        let streamed = streamed(&compiler, &wasm[..end], 9);
        assert_eq!(whole.is_ok(), boundaries.contains(&end), "first {end} bytes");
        match (whole, streamed) {
            (Ok(whole), Ok(streamed)) => assert!(whole == streamed),
            (Err(whole), Err(streamed)) => {
                let [whole, streamed] = [whole, streamed].map(|e| e.downcast::<Error>().unwrap());
                assert_eq!(whole.kind(), ErrorKind::Invalid, "first {end} bytes: {whole}");
                assert_eq!(whole, streamed, "first {end} bytes");
            }
            (whole, streamed) => panic!("first {end} bytes: {whole:?} and {streamed:?}"),
        }
    }
}

fn wasmparser_says_valid(wasm: &[u8]) -> bool {
    wasmtime_environ::wasmparser::validate(wasm).is_ok()
}

#[test]
fn errors_are_the_same_in_any_chunks() {
    let invalid = [
        "(module (func) (func (result i32)) (func drop))",
        "(module (memory 1) (func i32.const 0 i64.const 0 i32.store))",
        "(module (func) (export \"a\" (func 1)))",
        "(module (func (result i32) f32.const 0) (data (i32.const 0) \"no memory\"))",
        "(module (func call 5))",
    ];
    let compiler = compiler();
    for wat in invalid {
        let wasm = wat::parse_str(wat).unwrap();
        let expected = compiler.precompile(&wasm).unwrap_err().downcast::<Error>().unwrap();
        assert_eq!(expected.kind(), ErrorKind::Invalid, "{wat}");
        assert!(expected.offset().is_some(), "{wat}");
        for chunk in [1, 2, 3, 8, 1000] {
            let error = streamed(&compiler, &wasm, chunk).unwrap_err().downcast::<Error>().unwrap();
            assert_eq!(error, expected, "{wat} in chunks of {chunk}");
        }
    }
}

#[test]
fn every_corrupted_byte_gives_the_same_outcome_in_any_chunks() {
    let compiler = compiler();
    let wasm = wat::parse_str(WAT).unwrap();
    for at in 0..wasm.len() {
        for flip in [0x01, 0x40, 0x80, 0xff] {
            let mut wasm = wasm.clone();
            wasm[at] ^= flip;
            let whole = compiler.precompile(&wasm).map_err(|error| error.downcast::<Error>().unwrap());
            let streamed = streamed(&compiler, &wasm, 1).map_err(|error| error.downcast::<Error>().unwrap());
            assert!(whole == streamed, "byte {at} ^ {flip:#x}: {:?} and {:?}", whole.err(), streamed.err());
        }
    }
}

/// A section with this number and this content.
fn section(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number, u8::try_from(content.len()).unwrap()], content].concat()
}

#[test]
fn what_claims_billions_of_entries_is_an_error_and_no_more() {
    // In LEB128: 2³² - 1, and a number of which nobody would notice that it is too large.
    for count in [[0xff, 0xff, 0xff, 0xff, 0x0f].as_slice(), &[0xc1, 0x84, 0x3d]] {
        let types = section(1, &[1, 0x60, 0, 0]);
        let bodies = [count, &[2, 0, 0x0b]].concat();
        let functions = [section(3, &[count, &[0]].concat()), section(10, &bodies)].concat();
        let segments =
            [section(3, &[1, 0]), section(12, count), section(10, &[1, 2, 0, 0x0b]), section(11, count)].concat();
        for rest in [functions, segments] {
            let module = [b"\0asm\x01\0\0\0", types.as_slice(), &rest].concat();
            let component = [b"\0asm\x0d\0\x01\0", section(1, &module).as_slice()].concat();
            let compiler = compiler();
            let error = |result: wasmtime::Result<Vec<u8>>| result.unwrap_err().downcast::<Error>().unwrap();
            let whole = error(compiler.precompile(&module));
            assert_eq!(whole.kind(), ErrorKind::Invalid);
            let of_component = error(compiler.precompile_component(&component));
            assert_eq!((of_component.kind(), of_component.message()), (ErrorKind::Invalid, whole.message()));
            assert_eq!(of_component.offset(), whole.offset().map(|offset| offset + 10));
            for chunk in [1, module.len()] {
                assert_eq!(error(streamed(&compiler, &module, chunk)), whole);
                let mut stream = compiler.component_stream();
                let pushed = component.chunks(chunk).try_for_each(|chunk| stream.push(chunk).map(drop));
                assert_eq!(error(pushed.and_then(|()| stream.finish_artifact())), of_component);
            }
        }
    }
}

#[test]
fn a_failed_stream_stays_failed() {
    let compiler = compiler();
    let wasm = wat::parse_str("(module (func drop) (func))").unwrap();
    let mut stream = compiler.module_stream();
    let first = stream.push(&wasm).unwrap_err().downcast::<Error>().unwrap();
    let second = stream.push(&[]).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(first, second);
    assert_eq!(stream.finish_artifact().unwrap_err().downcast::<Error>().unwrap(), first);
}

#[test]
fn reading_errors_come_through() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("unplugged"))
        }
    }
    let error = compiler().read(Broken).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("unplugged"));
}

#[test]
fn components_are_told_from_modules() {
    let component = b"\0asm\x0d\0\x01\0";
    for chunk in [1, 8] {
        let error = streamed(&compiler(), component, chunk).unwrap_err();
        assert!(error.to_string().contains("component"), "{error:#}");
    }
    assert!(compiler().module(component).unwrap_err().to_string().contains("component"));
}
