;; Exceptions without references: where control and values go, and what locals and operands hold then.

(module
  (tag $e)
  (tag $i (param i32))
  (tag $m (param i32 i64 f32 f64))
  (tag $f (param funcref))
  (tag $fi (param i32 funcref i64))
  (type $r0 (func (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) func $throw_i_if $two)
  (memory 1)
  (global $g (mut i32) (i32.const 0))

  (func $two (result i32) (i32.const 2))
  (func $throw_e (throw $e))
  (func $throw_i_if (param i32) (result i32)
    (if (local.get 0) (then (throw $i (local.get 0))))
    (i32.const -1))
  (func $deep (param i32 i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)) (local.get 1))))
      (else (call $throw_i_if (local.get 1)))))

  (func (export "catch_all") (result i32)
    (block $h
      (try_table (catch_all $h) (call $throw_e))
      (return (i32.const 0)))
    (i32.const 1))

  (func (export "catch_i") (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $i $h) (call $throw_i_if (local.get 0)))))

  (func (export "catch_deep") (param i32 i32) (result i32)
    (block $h (result i32)
      (try_table (catch $i $h)
        (return (i32.add (i32.const 1000) (call $deep (local.get 0) (local.get 1)))))
      (unreachable)))

  ;; Thrown and caught in one function.
  (func (export "here") (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $i $h)
        (throw $i (i32.mul (local.get 0) (i32.const 3))))
      (i32.const 7)))

  (func (export "many") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    (block $h (result i32 i64 f32 f64)
      (try_table (catch $m $h)
        (throw $m (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
      (unreachable)))

  (func (export "func") (result i32)
    (table.set (i32.const 0)
      (block $h (result funcref)
        (try_table (catch $f $h) (throw $f (ref.func $two)))
        (unreachable)))
    (call_indirect (type $r0) (i32.const 0)))

  (func (export "func_between") (result i32 i64)
    (local $f funcref) (local $i i64) (local $a i32)
    (block $h (result i32 funcref i64)
      (try_table (catch $fi $h) (throw $fi (i32.const 5) (ref.func $two) (i64.const 6)))
      (unreachable))
    (local.set $i) (local.set $f) (local.set $a)
    (table.set (i32.const 1) (local.get $f))
    (i32.add (local.get $a) (call_indirect (type $r0) (i32.const 1)))
    (local.get $i))

  ;; Locals have the values of the time of the throw, however they are kept.
  (func (export "locals") (param $n i32) (result i32 i64 f64 i32)
    (local $a i32) (local $b i64) (local $c f64) (local $d i32)
    (loop $again
      (block $h
        (try_table (catch_all $h)
          (local.set $a (i32.add (local.get $a) (i32.const 1)))
          (local.set $b (i64.add (local.get $b) (i64.const 3)))
          (local.set $c (f64.add (local.get $c) (f64.const 0.5)))
          (call $throw_e)
          (local.set $a (i32.const -100))))
      (local.set $d (i32.add (local.get $d) (local.get $a)))
      (br_if $again (i32.lt_u (local.get $a) (local.get $n))))
    (local.get $a) (local.get $b) (local.get $c) (local.get $d))

  ;; The label of a handler is that of a loop.
  (func (export "to_loop") (param $n i32) (result i32)
    (local $count i32)
    (i32.const 0)
    (loop $l (param i32) (result i32)
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (drop)
      (try_table (result i32) (catch $i $l)
        (drop (call $throw_i_if (i32.sub (local.get $n) (local.get $count))))
        (local.get $count))))

  ;; Operands below the label stay, those above are gone.
  (func (export "operands") (param i32) (result i32)
    (i32.const 100)
    (i32.mul (local.get 0) (i32.const 2))
    (i32.add)
    (block $h (result i32)
      (i32.const 1) (i32.const 2)
      (try_table (result i32) (catch $i $h)
        (i32.const 3)
        (i32.add (call $throw_i_if (local.get 0))))
      (return))
    (i32.add))

  ;; The inner of two handlers of a tag takes it.
  (func (export "nested") (param i32) (result i32)
    (block $outer (result i32)
      (try_table (result i32) (catch $i $outer)
        (block $inner (result i32)
          (try_table (result i32) (catch $i $inner)
            (call $throw_i_if (local.get 0))))
        (i32.add (i32.const 10))
        (call $throw_i_if)
        (unreachable)))
    (i32.add (i32.const 100)))

  ;; The first of the handlers of one try_table takes it.
  (func (export "order") (param i32) (result i32)
    (block $c (result i32)
      (block $all
        (block $b
          (block $a (result i32)
            (try_table (catch $i $a) (catch $e $b) (catch $i $c) (catch_all $all) (catch $e $all)
              (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $i (i32.const 11))))
              (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $e)))
              (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $f (ref.null func)))))
            (return (i32.const 0)))
          (return))
        (return (i32.const 22)))
      (return (i32.const 33)))
    (unreachable))

  ;; What is thrown out of a handler's own code goes to the next.
  (func (export "from_handler") (result i32)
    (block $outer (result i32)
      (try_table (catch $i $outer)
        (block $inner
          (try_table (catch $e $inner) (throw $e)))
        (throw $i (i32.const 44)))
      (unreachable)))

  ;; The handler's label is the function's.
  (func (export "to_function") (param i32) (result i32)
    (try_table (result i32) (catch $i 0) (call $throw_i_if (local.get 0))))

  (func (export "to_function_many") (result i32 i64 f32 f64)
    (try_table (catch $m 0) (throw $m (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)))
    (unreachable))

  ;; A tail call leaves its frame, and with it the handlers.
  (func $tail (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $i $h) (return_call $throw_i_if (local.get 0)))
      (unreachable)))
  (func (export "tail") (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $i $h) (return (i32.add (i32.const 1) (call $tail (local.get 0)))))
      (unreachable))
    (i32.add (i32.const 500)))

  (func (export "indirect") (param i32) (result i32)
    (table.set (i32.const 0) (ref.func $throw_i_if))
    (block $h (result i32)
      (try_table (result i32) (catch $i $h)
        (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))))

  ;; Memory and globals keep what was written before.
  (func (export "effects") (result i32)
    (block $h
      (try_table (catch $e $h)
        (i32.store (i32.const 16) (i32.const 1234))
        (global.set $g (i32.const 1000))
        (call $throw_e)
        (global.set $g (i32.const 0))))
    (i32.add (i32.load (i32.const 16)) (global.get $g)))

  (func $grows (drop (memory.grow (i32.const 1))) (i32.store (i32.const 65536) (i32.const 77)) (throw $e))
  (func (export "moved") (result i32)
    (block $h (try_table (catch $e $h) (call $grows)))
    (i32.load (i32.const 65536)))

  ;; A call that is followed by unreachable may be caught all the same.
  (func (export "noreturn") (param $n i32) (result i32)
    (local $sum i32)
    (loop $l
      (block $h
        (try_table (catch $e $h)
          (local.set $sum (i32.add (local.get $sum) (local.get $n)))
          (call $throw_e)
          (unreachable)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; The caller's preserved registers come back.
  (func $catches (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $i $h) (call $deep (i32.const 3) (local.get 0)))))
  (func (export "callers") (param $n i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32)
    (loop $l
      (local.set $a (i32.add (local.get $a) (call $catches (local.get $n))))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (local.set $c (i32.xor (local.get $c) (local.get $a)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (i32.add (local.get $a) (local.get $b)) (local.get $c)))

  (func (export "uncaught") (throw $i (i32.const 1)))
  (func (export "wrong_tag") (block $h (try_table (catch $e $h) (drop (call $throw_i_if (i32.const 1))))))

  ;; Unreachable code.
  (func (export "dead") (result i32)
    (block $h (result i32)
      (return (i32.const 9))
      (block $all (drop (try_table (result i32) (catch $i $h) (catch_all $all) (unreachable) (throw $i))))
      (unreachable) (throw $i) (throw_ref)))

  ;; The limit of the stack is no exception.
  (func $endless (call $endless) (call $endless))
  (func (export "exhausted") (block $h (try_table (catch_all $h) (call $endless))))
  (func (export "trap") (block $h (try_table (catch_all $h) (unreachable))))

  ;; A loop without calls in a function with handlers.
  (func (export "windows") (param $n i32) (result i32)
    (local $i i32) (local $s i32)
    (block $h (try_table (catch_all $h) (call $throw_e)))
    (loop $l
      (local.set $s (i32.add (local.get $s) (local.get $i)))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (block $out
      (loop $l
        (block $h
          (try_table (catch_all $h)
            (br_if $out (i32.eqz (local.get $n)))
            (local.set $s (i32.add (local.get $s) (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (br $l)))
        (unreachable)))
    (local.get $s))
)

(assert_return (invoke "catch_all") (i32.const 1))
(assert_return (invoke "catch_i" (i32.const 0)) (i32.const -1))
(assert_return (invoke "catch_i" (i32.const 42)) (i32.const 42))
(assert_return (invoke "catch_deep" (i32.const 10) (i32.const 0)) (i32.const 1009))
(assert_return (invoke "catch_deep" (i32.const 10) (i32.const 5)) (i32.const 5))
(assert_return (invoke "here" (i32.const 5)) (i32.const 15))
(assert_return (invoke "many" (i32.const 1) (i64.const -2) (f32.const 3.5) (f64.const 4.25))
  (i32.const 1) (i64.const -2) (f32.const 3.5) (f64.const 4.25))
(assert_return (invoke "func") (i32.const 2))
(assert_return (invoke "func_between") (i32.const 7) (i64.const 6))
(assert_return (invoke "locals" (i32.const 10)) (i32.const 10) (i64.const 30) (f64.const 5) (i32.const 55))
(assert_return (invoke "to_loop" (i32.const 5)) (i32.const 5))
(assert_return (invoke "operands" (i32.const 0)) (i32.const 2))
(assert_return (invoke "operands" (i32.const 4)) (i32.const 112))
(assert_return (invoke "nested" (i32.const 5)) (i32.const 115))
(assert_return (invoke "order" (i32.const 0)) (i32.const 0))
(assert_return (invoke "order" (i32.const 1)) (i32.const 11))
(assert_return (invoke "order" (i32.const 2)) (i32.const 22))
(assert_return (invoke "order" (i32.const 3)) (i32.const 33))
(assert_return (invoke "from_handler") (i32.const 44))
(assert_return (invoke "to_function" (i32.const 8)) (i32.const 8))
(assert_return (invoke "to_function" (i32.const 0)) (i32.const -1))
(assert_return (invoke "to_function_many") (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4))
(assert_return (invoke "tail" (i32.const 8)) (i32.const 508))
(assert_return (invoke "tail" (i32.const 0)) (i32.const 0))
(assert_return (invoke "indirect" (i32.const 3)) (i32.const 3))
(assert_return (invoke "effects") (i32.const 2234))
(assert_return (invoke "moved") (i32.const 77))
(assert_return (invoke "noreturn" (i32.const 4)) (i32.const 10))
(assert_return (invoke "callers" (i32.const 10)) (i32.const 98))
(assert_exception (invoke "uncaught"))
(assert_exception (invoke "wrong_tag"))
(assert_return (invoke "dead") (i32.const 9))
(assert_exhaustion (invoke "exhausted") "call stack exhausted")
(assert_trap (invoke "trap") "unreachable")
(assert_return (invoke "windows" (i32.const 5)) (i32.const 20))

;; Across instances, and tags by what they are, not by their index.
(module $A
  (tag $unused)
  (tag $t (export "t") (param i32))
  (func (export "throw") (param i32) (throw $t (local.get 0))))
(register "A" $A)
(module $B
  (import "A" "throw" (func $throw (param i32)))
  (import "A" "t" (tag $t (param i32)))
  (tag $own (param i32))
  (memory 1)
  (data (i32.const 0) "\2a\00\00\00")
  (export "t" (tag $t))
  (func (export "catch") (param i32) (result i32)
    (block $h (result i32)
      (block $not (result i32)
        (try_table (catch $own $not) (catch $t $h) (call $throw (local.get 0)))
        (unreachable))
      (unreachable))
    (i32.add (i32.load (i32.const 0))))
  (func (export "throw_own") (param i32) (throw $own (local.get 0)))
  (func (export "throw_t") (param i32) (throw $t (local.get 0))))
(register "B" $B)
(assert_return (invoke $B "catch" (i32.const 8)) (i32.const 50))
(module $C
  (import "B" "catch" (func $catch (param i32) (result i32)))
  (import "B" "throw_own" (func $throw_own (param i32)))
  (import "B" "throw_t" (func $throw_t (param i32)))
  (import "A" "t" (tag $a (param i32)))
  (import "B" "t" (tag $b (param i32)))
  (func (export "through") (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $b $h) (call $throw_t (local.get 0)))
      (unreachable))
    (i32.add (call $catch (i32.const 1))))
  (func (export "other") (result i32)
    (block $h (result i32)
      (block $all
        (try_table (catch $a $h) (catch_all $all) (call $throw_own (i32.const 3)))
        (unreachable))
      (i32.const 66))))
(assert_return (invoke $C "through" (i32.const 8)) (i32.const 51))
(assert_return (invoke $C "other") (i32.const 66))
