;; References that can only be null, in a module that has no type of continuations.

(module
  (import "spectest" "print_i32" (func $print (param i32)))
  (type $takes (func (param nullcontref) (result i32)))
  (table $t 2 nullcontref)
  (global $g (mut nullcontref) (ref.null nocont))
  (func $is_null (export "is-null") (type $takes) (ref.is_null (local.get 0)))
  (func (export "through") (result i32)
    (global.set $g (ref.null nocont))
    (table.set $t (i32.const 1) (global.get $g))
    (call $is_null (table.get $t (i32.const 1))))
  (func (export "results") (result nullcontref i32) (ref.null nocont) (i32.const 3))
  (func (export "tail") (result i32) (return_call $is_null (ref.null nocont)))
)

(assert_return (invoke "through") (i32.const 1))
(assert_return (invoke "tail") (i32.const 1))

;; A function of the host's that takes one.
(assert_unlinkable
  (module (import "spectest" "print_i32" (func (param nullcontref) (result i32))))
  "incompatible import type")
