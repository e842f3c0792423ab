;; Exceptions are thrown and caught, from calls of several depths, with handlers on the way that do not take them.
(module
  (tag $number (param i32))
  (tag $pair (param i32 i64))
  (tag $never)

  (func $dive (param $depth i32) (param $n i32) (result i32)
    (if (local.get $depth)
      (then (return (i32.add (i32.const 1)
        (call $dive (i32.sub (local.get $depth) (i32.const 1)) (local.get $n))))))
    (if (i32.and (local.get $n) (i32.const 1)) (then (throw $number (local.get $n))))
    (throw $pair (local.get $n) (i64.const 5)))

  (func $guarded (param $depth i32) (param $n i32) (result i32)
    (block $never
      (try_table (catch $never $never)
        (return (call $dive (local.get $depth) (local.get $n)))))
    (i32.const -1))

  (func $caught (param $depth i32) (param $n i32) (result i32)
    (local $got i32)
    (block $pair (result i32 i64)
      (block $number (result i32)
        (try_table (catch $number $number) (catch $pair $pair)
          (return (call $guarded (local.get $depth) (local.get $n))))
        unreachable)
      (return))
    (i32.wrap_i64)
    (i32.add))

  (func $again (param $n i32) (result i32)
    (block $number (result i32)
      (try_table (catch $number $number)
        (block $all (result exnref)
          (try_table (catch_all_ref $all)
            (return (call $dive (i32.const 1) (i32.or (local.get $n) (i32.const 1)))))
          unreachable)
        (throw_ref))
      unreachable))

  (func (export "run") (param $rounds i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $round
      (local.set $i (i32.const 1000))
      (loop $next
        (local.set $sum (i32.add (local.get $sum) (call $caught (i32.const 0) (local.get $i))))
        (local.set $sum (i32.add (local.get $sum) (call $caught (i32.const 3) (local.get $i))))
        (local.set $sum (i32.add (local.get $sum) (call $caught (i32.const 12) (local.get $i))))
        (local.set $sum (i32.add (local.get $sum) (call $again (local.get $i))))
        (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))
