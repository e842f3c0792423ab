;; Ranges whose places and lengths are all constants, so that it is known before they run that they are out of bounds.

(module
  (memory i64 1 1)
  (data $d "abcd")
  (func (export "copy") (memory.copy (i64.const 20) (i64.const 15) (i64.const -60)))
  (func (export "copy-whole") (memory.copy (i64.const 1) (i64.const 0) (i64.const 0x10000)))
  (func (export "fill") (memory.fill (i64.const -1) (i32.const 7) (i64.const 1000)))
  (func (export "fill-far") (memory.fill (i64.const 0x7fffffffffffffff) (i32.const 7) (i64.const 1)))
  (func (export "init") (memory.init $d (i64.const -4) (i32.const 1) (i32.const 3)))
  (func (export "init-long") (memory.init $d (i64.const 0) (i32.const 1) (i32.const -1)))
  (func (export "load") (result i64) (i64.load (i64.const 0)))
)

(assert_trap (invoke "copy") "out of bounds memory access")
(assert_trap (invoke "copy-whole") "out of bounds memory access")
(assert_trap (invoke "fill") "out of bounds memory access")
(assert_trap (invoke "fill-far") "out of bounds memory access")
(assert_trap (invoke "init") "out of bounds memory access")
(assert_trap (invoke "init-long") "out of bounds memory access")
(assert_return (invoke "load") (i64.const 0))
