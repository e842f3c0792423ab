//! A host that runs a WebAssembly function, before and after the change to Lightbeam: one line.
//!
//! ```text
//! cargo run -p lightbeam --example host -- program.wat function 1 2 3
//! ```

use wasmtime::{Config, Linker, Result, Store, Val};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: host <module> <function> [i32 argument]…";
    let (path, name) = (args.next().expect(usage), args.next().expect(usage));
    let args: Vec<Val> = args.map(|arg| arg.parse().map(Val::I32)).collect::<std::result::Result<_, _>>()?;

    let compiler = lightbeam::Compiler::new(&Config::new())?;
    let engine = compiler.engine();
    // Was: let module = Module::from_file(engine, &path)?;
    let module = compiler.read(std::fs::File::open(&path)?)?;

    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "log", |value: i32| println!("log: {value}"))?;
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let function = instance.get_func(&mut store, &name).expect("the function is exported");
    let mut results = vec![Val::I32(0); function.ty(&store).results().len()];
    function.call(&mut store, &args, &mut results)?;
    println!("{name}: {results:?}");
    Ok(())
}
