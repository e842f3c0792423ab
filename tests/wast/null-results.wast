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
