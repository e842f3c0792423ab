;; Homes are stored before a call that a handler is around, and loaded at the landing pad: each is written at the entry, also
;; that of a local which no way reads before it writes it.
(module
  (tag $tag (param i32))
  (func $f (import "" ""))
  (func $written (local i32 i32)
    (loop $again
      (local.set 0
        (block $out (result i32)
          (drop (block $caught (result i32)
            (br $out (try_table (result i32) (catch $tag $caught) (call $f) (i32.const 7)))))
          (local.get 1)))
      (br_if $again (i32.const 0)))))
