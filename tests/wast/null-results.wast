;; Results of the types that only null has, where another function's results are handed on.

(module
  (func $function (result nullfuncref) (ref.null nofunc))
  (func $extern (result nullexternref) (ref.null noextern))
  (func $any (result nullref) (ref.null none))
  (func $both (result nullfuncref i32 nullref) (ref.null nofunc) (i32.const 7) (ref.null none))
  (func (export "function") (result funcref) (return_call $function))
  (func (export "extern") (result externref) (return_call $extern))
  (func (export "any") (result anyref) (return_call $any))
  (func (export "both") (result funcref i32 anyref) (return_call $both))
  (func (export "null") (result nullfuncref) (return_call $function))
)

(assert_return (invoke "function") (ref.null func))
(assert_return (invoke "extern") (ref.null extern))
(assert_return (invoke "any") (ref.null any))
(assert_return (invoke "both") (ref.null func) (i32.const 7) (ref.null any))
(assert_return (invoke "null") (ref.null func))

;; A table whose elements are always null, whether or not they were filled in.

(module
  (table $t (export "t") 2 10 nullfuncref)
  (table $u 1 funcref)
  (func (export "grow") (result i32) (table.grow $t (table.get $t (i32.const 1)) (i32.const 3)))
  (func (export "fill") (table.fill $t (i32.const 0) (table.get $t (i32.const 0)) (i32.const 2)))
  (func (export "set") (table.set $u (i32.const 0) (table.get $t (i32.const 1))))
  (func (export "get") (result funcref)
    (select (result funcref) (table.get $t (i32.const 0)) (table.get $u (i32.const 0)) (table.size $t)))
)

(assert_return (invoke "grow") (i32.const 2))
(assert_return (invoke "fill"))
(assert_return (invoke "set"))
(assert_return (invoke "get") (ref.null func))
