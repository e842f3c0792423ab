;; Tail calls that go on from instance to instance. Each enters the next one through a thunk, which makes a frame, so a
;; chain of them takes stack though no function is left on it: it must end as one of calls does, and not beyond the limit.

(module definition $ping
  (rec (type $f (func (param (ref null $f) (ref null $f) i64) (result i64))))
  ;; By reference, calls the second with the two exchanged.
  (func $f (export "f") (type $f)
    (if (i64.eqz (local.get 2)) (then (return (i64.const 42))))
    (return_call_ref $f (local.get 1) (local.get 0) (i64.sub (local.get 2) (i64.const 1)) (local.get 1)))
  (elem declare func $f)
  (func (export "get") (result (ref null $f)) (ref.func $f)))
(module instance $a $ping)
(module instance $b $ping)
(register "a" $a)
(register "b" $b)

(module $start
  (rec (type $f (func (param (ref null $f) (ref null $f) i64) (result i64))))
  (import "a" "get" (func $a (result (ref null $f))))
  (import "b" "get" (func $b (result (ref null $f))))
  (func (export "go") (param i64) (result i64)
    (local $x (ref null $f))
    (local $y (ref null $f))
    (local.set $x (call $a))
    (local.set $y (call $b))
    (call_ref $f (local.get $x) (local.get $y) (local.get 0) (local.get $x))))
(assert_return (invoke $start "go" (i64.const 1000)) (i64.const 42))
(assert_exhaustion (invoke $start "go" (i64.const 100_000_000)) "call stack exhausted")

;; By an import, whose own module comes back by reference.
(module $pong
  (rec (type $f (func (param i64 (ref null $f)) (result i64))))
  (func (export "f") (type $f)
    (if (i64.eqz (local.get 0)) (then (return (i64.const 43))))
    (return_call_ref $f (i64.sub (local.get 0) (i64.const 1)) (local.get 1) (local.get 1))))
(register "pong" $pong)
(module $wide
  (rec (type $f (func (param i64 (ref null $f)) (result i64))))
  (import "pong" "f" (func $pong (type $f)))
  (func $ahead (type $f) (return_call $pong (local.get 0) (local.get 1)))
  (elem declare func $ahead)
  (func (export "go") (param i64) (result i64)
    (return_call $pong (local.get 0) (ref.func $ahead))))
(assert_return (invoke $wide "go" (i64.const 1000)) (i64.const 43))
(assert_exhaustion (invoke $wide "go" (i64.const 100_000_000)) "call stack exhausted")

;; Within an instance they take none.
(module $alone
  (func $f (export "f") (param i64) (result i64)
    (if (i64.eqz (local.get 0)) (then (return (i64.const 44))))
    (return_call $f (i64.sub (local.get 0) (i64.const 1)))))
(assert_return (invoke $alone "f" (i64.const 1_000_000)) (i64.const 44))
