//! Strings between components of any encodings and memories: the source ends on the last byte of its memory, the
//! destination on that of a memory that moves; and what is no string, or is not where it is said to be.

use lightbeam_tests::components::{Instantiated, Outcome, Setting, settings};
use std::fmt::Write;
use wasmtime::component::Val;

/// How a string is in a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Utf8,
    Utf16,
    /// `latin1+utf16`, as bytes.
    Latin1,
    /// `latin1+utf16`, as 16-bit units.
    Wide,
}

const FORMS: [Form; 4] = [Form::Utf8, Form::Utf16, Form::Latin1, Form::Wide];
const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

impl Form {
    fn encoding(self) -> &'static str {
        match self {
            Form::Utf8 => "utf8",
            Form::Utf16 => "utf16",
            Form::Latin1 | Form::Wide => "latin1+utf16",
        }
    }

    /// The bytes of a string and what is given as its length, if it can be in this form.
    fn bytes(self, text: &str) -> Option<(Vec<u8>, u32)> {
        let wide = || text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let units = text.encode_utf16().count() as u32;
        Some(match self {
            Form::Utf8 => (text.into(), text.len() as u32),
            Form::Utf16 => (wide(), units),
            Form::Latin1 => {
                let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect();
                (bytes?, units)
            }
            Form::Wide => (wide(), units | TAG),
        })
    }
}

/// Of `latin1+utf16`: the length is that of 16-bit units.
const TAG: u32 = 1 << 31;

/// Lengths about those that are copied at once, of all widths of characters, the widest also at the end alone.
fn texts(lengths: &[usize]) -> Vec<String> {
    let mut texts = Vec::new();
    for &length in lengths {
        for char in ["a", "é", "Σ", "語", "🦀"] {
            texts.push(char.repeat(length));
        }
        for last in ["é", "Σ", "🦀"] {
            texts.push("a".repeat(length) + last);
            texts.push("é".repeat(length) + last + "b");
        }
    }
    texts.dedup();
    texts
}

/// A component that passes what is in its memory, and one that takes it and tells the host.
struct Passing {
    source: &'static str,
    from: &'static str,
    destination: &'static str,
    to: &'static str,
}

impl Passing {
    /// Its text: `f0`, `f1`, … put these bytes at the end of the memory and pass them on with this length; `raw` passes
    /// any place and length.
    fn component(&self, passed: &[(Vec<u8>, u32)]) -> String {
        let Passing { source, from, destination, to } = *self;
        let of_memory = |pointer: &str| if pointer == "i64" { "i64 1" } else { "1" };
        let raw = |n: u32| match from {
            "i64" => format!("(local.get {n})"),
            _ => format!("(i32.wrap_i64 (local.get {n}))"),
        };
        let (mut data, mut functions, mut exports) = (String::new(), String::new(), String::new());
        for (n, (bytes, length)) in passed.iter().enumerate() {
            let escaped = bytes.iter().fold(String::new(), |mut all, byte| {
                let _ = write!(all, "\\{byte:02x}");
                all
            });
            let _ = writeln!(data, "(data $d{n} \"{escaped}\")");
            // In `latin1+utf16` every string has to be where a 16-bit unit could be.
            let align = if source == "latin1+utf16" { 2 } else { 1 };
            let at = (65536 - bytes.len()) / align * align;
            let _ = writeln!(
                functions,
                "(func (export \"f{n}\") (result i32)
                   (memory.init $d{n} ({from}.const {at}) (i32.const 0) (i32.const {size}))
                   (call $take ({from}.const {at}) ({from}.const {length})))",
                size = bytes.len(),
            );
            let _ = writeln!(exports, "(func (export \"f{n}\") (result u32) (canon lift (core func $main \"f{n}\")))");
        }
        format!(
            "(component
  (import \"text\" (func $text (param \"s\" string)))
  (component $Teller
    (import \"text\" (func $text (param \"s\" string)))
    (core module $libc (memory (export \"memory\") 1)
      (func (export \"realloc\") (param i32 i32 i32 i32) (result i32)
        (memory.copy (i32.const 8) (local.get 0) (local.get 1)) (i32.const 8)))
    (core instance $libc (instantiate $libc))
    (core func $text (canon lower (func $text) (memory (core memory $libc \"memory\")) string-encoding={destination}))
    (core module $main (import \"\" \"text\" (func $text (param i32 i32)))
      (func (export \"tell\") (param i32 i32) (call $text (local.get 0) (local.get 1))))
    (core instance $main (instantiate $main (with \"\" (instance (export \"text\" (func $text))))))
    (func (export \"tell\") (param \"s\" string) (canon lift (core func $main \"tell\")
      (memory (core memory $libc \"memory\")) (realloc (core func $libc \"realloc\")) string-encoding={destination})))
  (component $Taker
    (import \"tell\" (func $tell (param \"s\" string)))
    (core module $libc (memory (export \"memory\") {to_memory})
      (func (export \"realloc\") (param $old {to}) (param $size {to}) (param $align {to}) (param $new {to})
        (result {to})
        (local $at {to})
        (if ({to}.eq ({to}.const -1)
               (memory.grow ({to}.add ({to}.const 1) ({to}.shr_u (local.get $new) ({to}.const 16)))))
                 (then unreachable))
        (local.set $at ({to}.and
          ({to}.sub ({to}.shl (memory.size) ({to}.const 16)) (local.get $new))
          ({to}.sub ({to}.const 0) (local.get $align))))
        (memory.fill (local.get $at) (i32.const 0xde) (local.get $new))
        (if ({to}.gt_u (local.get $size) (local.get $new)) (then (local.set $size (local.get $new))))
        (memory.copy (local.get $at) (local.get $old) (local.get $size))
        (local.get $at)))
    (core instance $libc (instantiate $libc))
    (core func $tell (canon lower (func $tell) (memory (core memory $libc \"memory\")) string-encoding={destination}))
    (core module $main (import \"\" \"tell\" (func $tell (param {to} {to}))) (import \"\" \"memory\"
      (memory {to_memory}))
      (func (export \"take\") (param $at {to}) (param $length {to}) (result i32) (local $sum i32) (local $n {to})
        (call $tell (local.get $at) (local.get $length))
        ;; A sum over all bytes and the length.
        (local.set $n ({to}.and (local.get $length) ({to}.const 0x7fffffff)))
        (if (i32.or (i32.const {is_utf16}) (i32.and (i32.const {is_both})
              ({to}.ne ({to}.const 0) ({to}.and (local.get $length) ({to}.const 0x80000000)))))
          (then (local.set $n ({to}.shl (local.get $n) ({to}.const 1)))))
        (block $done (loop $more
          (br_if $done ({to}.eqz (local.get $n)))
          (local.set $n ({to}.sub (local.get $n) ({to}.const 1)))
          (local.set $sum (i32.mul (i32.const 0x01000193) (i32.xor (local.get $sum)
            (i32.load8_u ({to}.add (local.get $at) (local.get $n))))))
          (br $more)))
        (i32.add (local.get $sum) {length})))
    (core instance $main (instantiate $main
      (with \"\" (instance (export \"tell\" (func $tell)) (export \"memory\" (memory $libc \"memory\"))))))
    (func (export \"take\") (param \"s\" string) (result u32) (canon lift (core func $main \"take\")
      (memory (core memory $libc \"memory\")) (realloc (core func $libc \"realloc\")) string-encoding={destination})))
  (component $Giver
    (import \"take\" (func $take (param \"s\" string) (result u32)))
    (core module $libc (memory (export \"memory\") {from_memory}))
    (core instance $libc (instantiate $libc))
    (core func $take (canon lower (func $take) (memory (core memory $libc \"memory\")) string-encoding={source}))
    (core module $main
      (import \"\" \"take\" (func $take (param {from} {from}) (result i32)))
      (import \"\" \"memory\" (memory {from_memory}))
      {data} {functions}
      (func (export \"raw\") (param i64 i64) (result i32)
        (call $take {raw_at} {raw_length})))
    (core instance $main (instantiate $main
      (with \"\" (instance (export \"take\" (func $take)) (export \"memory\" (memory $libc \"memory\"))))))
    {exports}
    (func (export \"raw\") (param \"at\" u64) (param \"length\" u64) (result u32) (canon lift
      (core func $main \"raw\"))))
  (instance $teller (instantiate $Teller (with \"text\" (func $text))))
  (instance $taker (instantiate $Taker (with \"tell\" (func $teller \"tell\"))))
  (instance $giver (instantiate $Giver (with \"take\" (func $taker \"take\"))))
  {all}
  (export \"raw\" (func $giver \"raw\")))",
            from_memory = of_memory(from),
            to_memory = of_memory(to),
            is_utf16 = i32::from(destination == "utf16"),
            is_both = i32::from(destination == "latin1+utf16"),
            length = if to == "i64" { "(i32.wrap_i64 (local.get $length))" } else { "(local.get $length)" },
            raw_at = raw(0),
            raw_length = raw(1),
            all = (0..passed.len()).fold(String::new(), |mut all, n| {
                let _ = write!(all, "(export \"f{n}\" (func $giver \"f{n}\"))");
                all
            }),
        )
    }
}

/// All forms and encodings under a setting, with memories whose pointers are of these types.
fn every_string_arrives(setting: &Setting, lengths: &[usize], pointers: &[&'static str]) {
    let texts = texts(lengths);
    for form in FORMS {
        let passed: Vec<(&String, (Vec<u8>, u32))> =
            texts.iter().filter_map(|text| Some((text, form.bytes(text)?))).collect();
        let bytes: Vec<(Vec<u8>, u32)> = passed.iter().map(|(_, bytes)| bytes.clone()).collect();
        for destination in ENCODINGS {
            for (from, to) in pointers.iter().flat_map(|from| pointers.iter().map(move |to| (*from, *to))) {
                let text = Passing { source: form.encoding(), from, destination, to }.component(&bytes);
                let outcomes = setting.same(&text, |engine, component| {
                    let mut instance = Instantiated::new(engine, component).unwrap();
                    (0..passed.len()).map(|n| instance.call(&format!("f{n}"), &[])).collect::<Vec<_>>()
                });
                for ((text, _), outcome) in passed.iter().zip(outcomes) {
                    let Outcome::Returned(all) = &outcome else {
                        panic!("{form:?} {destination} {text:?}: {outcome:?}")
                    };
                    assert_eq!(all[1], **text, "{form:?} {destination} {from} {to}");
                }
            }
        }
    }
}

#[test]
fn strings_arrive_from_memories_small_and_large() {
    every_string_arrives(&settings()[0], &[0, 1, 2, 7, 15, 16, 17, 32, 33, 1000], &["i32", "i64"]);
}

#[test]
fn strings_arrive_whatever_the_settings() {
    for setting in &settings()[1..] {
        every_string_arrives(setting, &[0, 1, 15, 16], &["i32"]);
    }
}

/// What is no string in its form.
fn malformed(form: Form) -> Vec<(Vec<u8>, u32)> {
    let ahead = |bytes: &[u8], n: usize| ["a".repeat(n).as_bytes(), bytes].concat();
    let mut all = Vec::new();
    match form {
        Form::Utf8 => {
            for n in [0, 1, 15, 16, 40] {
                for bytes in [
                    &[0xff][..],
                    &[0x80],
                    &[0xc3],
                    &[0xc0, 0x80],
                    &[0xed, 0xa0, 0x80],
                    &[0xf4, 0x90, 0x80, 0x80],
                    &[0xf0, 0x9f],
                ] {
                    let bytes = ahead(bytes, n);
                    let length = bytes.len() as u32;
                    all.push((bytes, length));
                }
            }
        }
        Form::Latin1 => {}
        Form::Utf16 | Form::Wide => {
            let tag = if form == Form::Wide { TAG } else { 0 };
            for n in [0, 1, 15, 16, 40] {
                for units in [&[0xd800][..], &[0xdc00], &[0xd800, 0x61], &[0xdc00, 0xd800], &[0x3a3, 0xdbff]] {
                    let bytes: Vec<u8> =
                        [&vec![0x61; n][..], units].concat().iter().flat_map(|unit: &u16| unit.to_le_bytes()).collect();
                    let length = bytes.len() as u32 / 2;
                    all.push((bytes, length | tag));
                }
            }
        }
    }
    all
}

#[test]
fn what_is_no_string_is_refused_and_the_instances_are_dead() {
    let settings = settings();
    for form in FORMS {
        let passed = malformed(form);
        for (n, destination) in ENCODINGS.into_iter().enumerate() {
            let (from, to) = [("i32", "i32"), ("i64", "i32"), ("i32", "i64")][n];
            let text = Passing { source: form.encoding(), from, destination, to }.component(&passed);
            for setting in [&settings[0], &settings[1], &settings[5]] {
                let outcomes = setting.same(&text, |engine, component| {
                    let each = |n| {
                        let mut instance = Instantiated::new(engine, component).unwrap();
                        let [failed, again] = [format!("f{n}"), "raw".to_string()].map(|name| {
                            instance.call(&name, &[Val::U64(0), Val::U64(0)][..if name == "raw" { 2 } else { 0 }])
                        });
                        (failed, again)
                    };
                    (0..passed.len()).map(each).collect::<Vec<_>>()
                });
                for ((bytes, _), (failed, again)) in passed.iter().zip(outcomes) {
                    assert!(matches!(failed, Outcome::Failed(..)), "{form:?} {destination} {bytes:x?}: {failed:?}");
                    assert_eq!(again.trap(), Some(wasmtime::Trap::CannotEnterComponent), "{form:?} {bytes:x?}");
                }
            }
        }
    }
}

#[test]
fn strings_outside_their_memories_are_refused() {
    let settings = settings();
    const EDGES: [u64; 10] = [
        1,
        2,
        0x1_0000,
        0x1_0001,
        0x3fff_ffff,
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        0x1_0000_0001,
        0x8000_0000_0000_0001,
    ];
    for encoding in ENCODINGS {
        for destination in ENCODINGS {
            for (from, to) in [("i32", "i32"), ("i64", "i32"), ("i32", "i64")] {
                let text = Passing { source: encoding, from, destination, to }.component(&[]);
                let setting = &settings[if from == "i64" { 1 } else { 0 }];
                let engine = setting.engine();
                let compiled = setting.compile(&engine, &text).unwrap();
                let mut returned = 0;
                // The places from which the lengths lead to the last byte and behind, odd ones, and the last of all.
                for length in EDGES {
                    for at in [0, 1, 0x1_0000_u64.wrapping_sub(length), 0x1_0000, 0xffff_ffff_ffff_fffe] {
                        let mut outcomes = compiled.iter().map(|(_, component)| {
                            let mut instance = Instantiated::new(&engine, component).unwrap();
                            instance.call("raw", &[Val::U64(at), Val::U64(length)])
                        });
                        let theirs = outcomes.next().unwrap();
                        returned += u32::from(matches!(theirs, Outcome::Returned(_)));
                        for ours in outcomes {
                            assert!(
                                ours == theirs,
                                "{encoding} {destination} {from} {to} {at:#x} {length:#x}: {ours:#?} {theirs:#?}"
                            );
                        }
                    }
                }
                assert!((1..50).contains(&returned), "{encoding} {destination}: {returned} strings");
            }
        }
    }
}
