//! Random components that pass values on: from the host to one component, from it to another and perhaps a third, and
//! from the last to the host, and the way back.

use super::types::{Core, Definitions, Palette, Type};
use super::{Outcome, block_on, outcome_of};
use crate::random::Random;
use std::fmt::Write;
use wasmtime::component::{Component, Linker, Resource, ResourceType, Val};
use wasmtime::{Engine, Result, Store, StoreContextMut};

/// How the first component calls, and the last returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Neither knows of anything asynchronous.
    Sync,
    /// The last returns by `task.return`, and who calls it waits.
    Returns,
    /// As `Returns`, and the first is told when it is done.
    Started,
}

/// What a component's memory is, and what it allocates there.
#[derive(Clone, Copy, Debug)]
struct Guest {
    pointer: Core,
    encoding: &'static str,
    /// Is every object in pages of its own, ending at their end, so that memories move and nothing is behind it?
    tight: bool,
    /// Is the host told of what it returned once more?
    post_return: bool,
}

/// Two or three components that pass values on.
#[derive(Debug)]
pub struct Program {
    params: Vec<Type>,
    result: Option<Type>,
    mode: Mode,
    guests: Vec<Guest>,
    /// Where its values come from.
    random: Random,
}

/// Of parameters that are passed one by one there are at most so many, and so many if the callee is started.
const FLAT: usize = 16;
const FLAT_STARTED: usize = 4;

impl Program {
    /// A random one.
    pub fn random(random: &mut Random) -> Program {
        const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];
        let palette = Palette { fixed: !random.one_in(3), maps: !random.one_in(3), depth: random.below(5) };
        let mode = *random.pick(&[Mode::Sync, Mode::Sync, Mode::Returns, Mode::Started]);
        let guest = |random: &mut Random, pointer| Guest {
            pointer,
            encoding: *random.pick(&ENCODINGS),
            tight: random.one_in(3),
            post_return: random.one_in(3),
        };
        let mut guests = vec![guest(random, Core::I32), guest(random, Core::I32)];
        // As of 48.0.8 the host calls no guest with a large memory, and adapters of asynchronous calls take all
        // memories for small ones.
        if random.one_in(2) {
            let pointer = if mode == Mode::Sync && !random.one_in(3) { Core::I64 } else { Core::I32 };
            guests.insert(1, guest(random, pointer));
        }
        // As many values as fit where there is not much room, and now and then one more.
        let (mut params, mut flat) = (Vec::new(), 0);
        if random.one_in(4) {
            params.push(Type::Borrow);
            flat = 1;
        }
        let most = *random.pick(&[1, 4, 16, 20, 40]);
        while flat < most && params.len() < 20 && !random.one_in(9) {
            let ty = Type::random(random, palette);
            let more = ty.flat(Core::I32).len();
            if more <= 100 {
                flat += more;
                params.push(ty);
            }
        }
        // What a callback returns has to come out of its memory value by value.
        let fits = |ty: &Type| mode == Mode::Sync || !(2..=FLAT).contains(&ty.flat(Core::I32).len());
        let mut results = (0..50).map(|_| Type::random(random, palette));
        let result = results.find(|ty| fits(ty) && ty.flat(Core::I32).len() <= 100);
        let result = result.filter(|_| !random.one_in(9));
        // So do parameters that are passed one by one to the first, and not to the second.
        let mode =
            if mode == Mode::Started && (FLAT_STARTED + 1..=FLAT).contains(&flat) { Mode::Returns } else { mode };
        Program { params, result, mode, guests, random: Random::new(random.bits()) }
    }

    /// Is a function of it asynchronous?
    #[must_use]
    pub fn is_async(&self) -> bool {
        self.mode != Mode::Sync
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut definitions = Definitions::default();
        let params = self.params.iter().enumerate().fold(String::new(), |mut all, (n, ty)| {
            let _ = write!(all, " (param \"p{n}\" {})", definitions.name(ty));
            all
        });
        let result = self.result.as_ref().map(|ty| format!(" (result {})", definitions.name(ty))).unwrap_or_default();
        let ty = format!("{params}{result}");
        let of_both = if self.is_async() { format!(" async{ty}") } else { ty.clone() };
        let types = definitions.named().iter().fold(String::new(), |mut all, name| {
            let _ = write!(all, "(with \"{name}\" (type ${name}))");
            all
        });
        // The last first.
        let (mut instances, mut next, mut next_ty) = (String::new(), "$host".to_string(), &ty);
        for which in (0..self.guests.len()).rev() {
            let guest = self.guest(which, &definitions, next_ty, &of_both);
            let _ = write!(
                instances,
                "(component $C{which} {guest})
  (instance $c{which} (instantiate $C{which} (with \"r\" (type $r)) {types} (with \"next\" (func {next}))))
  "
            );
            next = format!("$c{which} \"f\"");
            next_ty = &of_both;
        }
        format!(
            "(component
  (import \"r\" (type $r (sub resource)))
  {definitions}
  (import \"host\" (func $host{ty}))
  {instances}(export \"f\" (func {next})))",
            definitions = definitions.text()
        )
    }

    /// The inside of a component, which calls a function of type `next` with all that it is called with.
    fn guest(&self, which: usize, definitions: &Definitions, next: &str, own: &str) -> String {
        let Guest { pointer, encoding, tight, post_return } = self.guests[which];
        let p = pointer.name();
        let options = format!(
            "(memory (core memory $libc \"memory\")) (realloc (core func $libc \"realloc\")) string-encoding={encoding}"
        );
        let returns = which + 1 == self.guests.len() && self.is_async();
        let starts = which == 0 && self.mode == Mode::Started;

        let flat: Vec<Core> = self.params.iter().flat_map(|ty| ty.flat(pointer)).collect();
        let params = if flat.len() > FLAT { vec![pointer] } else { flat.clone() };
        let of_result = self.result.as_ref().map(|ty| ty.flat(pointer)).unwrap_or_default();
        let in_memory = of_result.len() > 1;
        let results = if in_memory { vec![pointer] } else { of_result.clone() };
        let names = |types: &[Core]| types.iter().fold(String::new(), |all, ty| format!("{all} {}", ty.name()));
        let (params_text, results_text) = (names(&params), names(&results));
        // What the callee writes its result to.
        let asks = in_memory || starts && !of_result.is_empty();
        let place = if asks { format!(" {p}") } else { String::new() };
        let next_results = match (starts, in_memory) {
            (true, _) => " i32".to_string(),
            (_, true) => String::new(),
            _ => results_text.clone(),
        };
        let (size, align) = self.result.as_ref().map_or((0, 1), |ty| ty.layout(pointer));
        let allocate = format!(
            "(local.set $place (call $realloc ({p}.const 0) ({p}.const 0) ({p}.const {align}) ({p}.const {size})))"
        );
        let gets = (0..params.len()).fold(String::new(), |all, n| format!("{all} (local.get {n})"));
        let mut call = if asks {
            format!("{allocate} (call $next{gets} (local.get $place))")
        } else {
            format!("(call $next{gets})")
        };
        if starts {
            // If it did not return at once, it is waited for.
            call += " (local.tee $status) (i32.and (i32.const 15)) (i32.ne (i32.const 2))
              (if (then
                (local.set $status (i32.shr_u (local.get $status) (i32.const 4)))
                (call $join (local.get $status) (local.tee $set (call $new)))
                (loop $more
                  (if (i32.ne (call $wait (local.get $set) (i32.const 0)) (i32.const 1)) (then unreachable))
                  (br_if $more (i32.ne (i32.load (i32.const 4)) (i32.const 2))))
                (call $drop_task (local.get $status))))";
        }
        let fetched = match results[..] {
            _ if in_memory => "(local.get $place)".to_string(),
            [ty] if starts => {
                let load = match (ty, size) {
                    (Core::I32, 1) => "i32.load8_u",
                    (Core::I32, 2) => "i32.load16_u",
                    (Core::I32, _) => "i32.load",
                    (Core::I64, _) => "i64.load",
                    (Core::F32, _) => "f32.load",
                    (Core::F64, _) => "f64.load",
                };
                format!("({load} (local.get $place))")
            }
            _ => String::new(),
        };
        // What was borrowed is given back.
        let drop = match self.params.first() {
            Some(Type::Borrow) if flat.len() > FLAT => "(call $drop (i32.load (local.get 0)))",
            Some(Type::Borrow) => "(call $drop (local.get 0))",
            _ => "",
        };
        let (returning, own_results) =
            if returns { ("(call $return) (i32.const 0)", " i32") } else { ("", &*results_text) };
        let return_params = if in_memory { format!(" {p}") } else { results_text.clone() };
        let import_return = if returns {
            format!("(import \"\" \"return\" (func $return (param{return_params})))")
        } else {
            String::new()
        };
        let canon_return = if returns {
            let result = own.rfind("(result").map_or("", |at| &own[at..]);
            let options = format!("(memory (core memory $libc \"memory\")) string-encoding={encoding}");
            format!("(core func $return (canon task.return {result} {options}))")
        } else {
            String::new()
        };
        let export_return = if returns { "(export \"return\" (func $return))" } else { "" };
        let lift = match (returns, post_return) {
            (true, _) => " async (callback (core func $main \"callback\"))",
            (false, true) => " (post-return (core func $main \"post\"))",
            (false, false) => "",
        };
        let lower = if starts { " async" } else { "" };
        let (waiting, import_waiting, export_waiting) = if starts { WAITING } else { ("", "", "") };
        let realloc = realloc(pointer, tight);
        let memory = if pointer == Core::I64 { "i64 1" } else { "1" };
        format!(
            "
    (import \"r\" (type $r (sub resource)))
    {definitions}
    (import \"next\" (func $next{next}))
    (core module $libc (memory (export \"memory\") {memory}) {realloc})
    (core instance $libc (instantiate $libc))
    (core func $next (canon lower (func $next) {options}{lower}))
    (core func $drop (canon resource.drop $r))
    {canon_return} {waiting}
    (core module $main
      (import \"\" \"next\" (func $next (param{params_text}{place}) (result{next_results})))
      (import \"\" \"drop\" (func $drop (param i32)))
      {import_return} {import_waiting}
      (import \"libc\" \"realloc\" (func $realloc (param {p} {p} {p} {p}) (result {p})))
      (import \"libc\" \"memory\" (memory {memory}))
      (func (export \"f\") (param{params_text}) (result{own_results}) (local $place {p}) (local $status i32)
        (local $set i32)
        {call} {fetched} {drop} {returning})
      (func (export \"callback\") (param i32 i32 i32) (result i32) unreachable)
      (func (export \"post\") (param{results_text})))
    (core instance $main (instantiate $main
      (with \"\" (instance (export \"next\" (func $next)) (export \"drop\" (func $drop))
        {export_return} {export_waiting}))
      (with \"libc\" (instance $libc))))
    (func (export \"f\"){own} (canon lift (core func $main \"f\") {options}{lift}))",
            definitions = definitions.text(),
        )
    }

    /// Calls a component that was made of it a few times.
    #[must_use]
    pub fn run(&self, engine: &Engine, component: &Component) -> Vec<Outcome> {
        let mut random = self.random.clone();
        let (mut store, linker) = match self.host(engine) {
            Ok(host) => host,
            Err(error) => return vec![outcome_of(Err(error))],
        };
        let instance = match block_on(linker.instantiate_async(&mut store, component)) {
            Ok(instance) => instance,
            Err(error) => return vec![outcome_of(Err(error))],
        };
        let func = instance.get_func(&mut store, "f").expect("it is exported");
        let mut outcomes = Vec::new();
        for _ in 0..3 {
            let args: Vec<Val> = self.params.iter().map(|ty| ty.value(&mut random)).collect();
            let answer = self.result.as_ref().map(|ty| ty.value(&mut random));
            *store.data_mut() = Said { args: Vec::new(), answer: answer.clone() };
            let mut results = vec![Val::Bool(false); usize::from(answer.is_some())];
            let mut call = || -> Result<()> {
                let mut lent = Vec::new();
                let mut passed = Vec::new();
                for (ty, arg) in self.params.iter().zip(&args) {
                    passed.push(ty.map(arg, &mut |number| resource(&mut store, number))?);
                    if let (Type::Borrow, Some(Val::Resource(resource))) = (ty, passed.last()) {
                        lent.push(*resource);
                    }
                }
                block_on(func.call_async(&mut store, &passed, &mut results))?;
                for resource in lent {
                    block_on(resource.resource_drop_async(&mut store))?;
                }
                for (ty, result) in self.result.iter().zip(&mut results) {
                    *result = ty.map(result, &mut |resource| number(&mut store, resource))?;
                }
                Ok(())
            };
            let done = call();
            let arrived = std::mem::take(&mut store.data_mut().args);
            let is_right = done.is_err() || arrived == args && results.first() == answer.as_ref();
            outcomes.push(outcome_of(done.map(|()| {
                if is_right { Vec::new() } else { vec![format!("{args:?} became {arrived:?}, {answer:?} {results:?}")] }
            })));
        }
        outcomes
    }

    fn host(&self, engine: &Engine) -> Result<(Store<Said>, Linker<Said>)> {
        let mut store = Store::new(engine, Said::default());
        super::limits(&mut store);
        let mut linker = Linker::new(engine);
        let (params, result) = (self.params.clone(), self.result.clone());
        linker.root().resource("r", ResourceType::host::<Host>(), |_, _| Ok(()))?;
        linker.root().func_new("host", move |mut store: StoreContextMut<'_, Said>, _, args, results| {
            for (ty, arg) in params.iter().zip(args) {
                let arg = ty.map(arg, &mut |resource| number(&mut store, resource))?;
                store.data_mut().args.push(arg);
            }
            if let (Some(ty), Some(answer)) = (&result, store.data_mut().answer.take()) {
                results[0] = ty.map(&answer, &mut |number| resource(&mut store, number))?;
            }
            Ok(())
        })?;
        Ok((store, linker))
    }
}

/// What it takes to wait for a callee that was started: how it is defined, imported, and passed on.
const WAITING: (&str, &str, &str) = (
    "(core func $new (canon waitable-set.new)) (core func $join (canon waitable.join))
     (core func $wait (canon waitable-set.wait (memory (core memory $libc \"memory\"))))
     (core func $drop_task (canon subtask.drop))",
    "(import \"\" \"new\" (func $new (result i32))) (import \"\" \"join\" (func $join (param i32 i32)))
     (import \"\" \"wait\" (func $wait (param i32 i32) (result i32)))
     (import \"\" \"drop-task\" (func $drop_task (param i32)))",
    "(export \"new\" (func $new)) (export \"join\" (func $join)) (export \"wait\" (func $wait))
     (export \"drop-task\" (func $drop_task))",
);

/// What the host was called with, and what it is to answer.
#[derive(Default)]
struct Said {
    args: Vec<Val>,
    answer: Option<Val>,
}

/// The host's type of resources.
enum Host {}

/// The resource with this number.
fn resource(store: impl wasmtime::AsContextMut, number: &Val) -> Result<Val> {
    let Val::U32(number) = number else { unreachable!("resources are generated as numbers") };
    Ok(Val::Resource(Resource::<Host>::new_own(*number).try_into_resource_any(store)?))
}

/// The number of a resource.
fn number(store: impl wasmtime::AsContextMut, resource: &Val) -> Result<Val> {
    let Val::Resource(resource) = resource else { unreachable!("values have their types") };
    Ok(Val::U32(resource.try_into_resource::<Host>(store)?.rep()))
}

/// A function that allocates, and fills what it allocates with garbage.
fn realloc(pointer: Core, tight: bool) -> String {
    let p = pointer.name();
    let place = if tight {
        // So many pages more, at whose end it is.
        format!(
            "(if ({p}.eq ({p}.const -1)
                 (memory.grow ({p}.add ({p}.const 1) ({p}.shr_u (local.get $new) ({p}.const 16))))) (then unreachable))
             (local.set $at ({p}.and
               ({p}.sub ({p}.shl (memory.size) ({p}.const 16)) (local.get $new))
               ({p}.sub ({p}.const 0) (local.get $align))))"
        )
    } else {
        format!(
            "(local.set $at ({p}.and
               ({p}.add (global.get $last) ({p}.sub (local.get $align) ({p}.const 1)))
               ({p}.sub ({p}.const 0) (local.get $align))))
             (global.set $last ({p}.add (local.get $at) (local.get $new)))
             (loop $more
               (if ({p}.lt_u ({p}.shl (memory.size) ({p}.const 16)) (global.get $last))
                 (then
                   (if ({p}.eq ({p}.const -1) (memory.grow ({p}.const 1))) (then unreachable))
                   (br $more))))"
        )
    };
    format!(
        "(global $last (mut {p}) ({p}.const 16))
         (func (export \"realloc\")
           (param $old {p}) (param $old_size {p}) (param $align {p}) (param $new {p}) (result {p}) (local $at {p})
           {place}
           (memory.fill (local.get $at) (i32.const 0xde) (local.get $new))
           (if ({p}.gt_u (local.get $old_size) (local.get $new)) (then (local.set $old_size (local.get $new))))
           (memory.copy (local.get $at) (local.get $old) (local.get $old_size))
           (local.get $at))"
    )
}
