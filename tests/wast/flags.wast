;; What arithmetic leaves in the flags may stand for a compare with zero, as long as nothing comes between: no label that
;; others reach with other flags, no write to the register, no shorter form of the operation that sets none.

(module
  (func (export "end") (param $skip i32) (param $x i32) (result i32)
    (block $b
      (br_if $b (local.get $skip))
      (local.set $x (i32.sub (local.get $x) (i32.const 1))))
    (if (result i32) (local.get $x) (then (i32.const 1)) (else (i32.const 0))))

  (func (export "else") (param $first i32) (param $x i32) (result i32)
    (if (local.get $first)
      (then (local.set $x (i32.sub (local.get $x) (i32.const 1))))
      (else))
    (if (result i32) (i32.eqz (local.get $x)) (then (i32.const 1)) (else (i32.const 0))))

  (func (export "if") (param $first i32) (param $x i32) (result i32)
    (if (local.get $first)
      (then (local.set $x (i32.add (local.get $x) (i32.const -1)))))
    (if (result i32) (local.get $x) (then (i32.const 1)) (else (i32.const 0))))

  (func (export "loop") (param $x i32) (result i32) (local $count i32)
    (local.set $x (i32.sub (local.get $x) (i32.const 1)))
    (block $out
      (loop $again
        (br_if $out (i32.eqz (local.get $x)))
        (local.set $x (i32.sub (local.get $x) (i32.const 1)))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $again)))
    (local.get $count))

  (func (export "overwritten") (param $a i32) (param $b i32) (result i32)
    (local.set $a (i32.sub (local.get $a) (i32.const 1)))
    (local.set $a (local.get $b))
    (if (result i32) (local.get $a) (then (i32.const 1)) (else (i32.const 0))))

  (func (export "mask") (param $a i32) (param $other i32) (result i32)
    (local.set $other (i32.sub (local.get $other) (i32.const 1)))
    (if (result i32) (local.tee $a (i32.and (local.get $a) (i32.const 255))) (then (i32.const 1)) (else (i32.const 0))))

  (func (export "not") (param $a i32) (param $other i32) (result i32)
    (local.set $other (i32.sub (local.get $other) (i32.const 1)))
    (if (result i32) (local.tee $a (i32.xor (local.get $a) (i32.const -1))) (then (i32.const 1)) (else (i32.const 0)))))

(assert_return (invoke "end" (i32.const 0) (i32.const 1)) (i32.const 0))
(assert_return (invoke "end" (i32.const 0) (i32.const 2)) (i32.const 1))
(assert_return (invoke "end" (i32.const 1) (i32.const 0)) (i32.const 0))
(assert_return (invoke "end" (i32.const 1) (i32.const 5)) (i32.const 1))
(assert_return (invoke "else" (i32.const 0) (i32.const 0)) (i32.const 1))
(assert_return (invoke "else" (i32.const 0) (i32.const 7)) (i32.const 0))
(assert_return (invoke "else" (i32.const 1) (i32.const 1)) (i32.const 1))
(assert_return (invoke "else" (i32.const 1) (i32.const 2)) (i32.const 0))
(assert_return (invoke "if" (i32.const 0) (i32.const 0)) (i32.const 0))
(assert_return (invoke "if" (i32.const 0) (i32.const 7)) (i32.const 1))
(assert_return (invoke "if" (i32.const 1) (i32.const 1)) (i32.const 0))
(assert_return (invoke "if" (i32.const 1) (i32.const 2)) (i32.const 1))
(assert_return (invoke "loop" (i32.const 1)) (i32.const 0))
(assert_return (invoke "loop" (i32.const 9)) (i32.const 8))
(assert_return (invoke "overwritten" (i32.const 1) (i32.const 3)) (i32.const 1))
(assert_return (invoke "overwritten" (i32.const 3) (i32.const 0)) (i32.const 0))
(assert_return (invoke "mask" (i32.const 256) (i32.const 5)) (i32.const 0))
(assert_return (invoke "mask" (i32.const 1) (i32.const 1)) (i32.const 1))
(assert_return (invoke "not" (i32.const -1) (i32.const 5)) (i32.const 0))
(assert_return (invoke "not" (i32.const 0) (i32.const 1)) (i32.const 1))
