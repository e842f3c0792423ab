;; Calls inside of try_table, of which none throws.
(module
  (tag $odd (param i32))
  (tag $other)

  (func $step (param $n i32) (result i32)
    (if (i32.eq (local.get $n) (i32.const -1)) (then (throw $odd (local.get $n))))
    (i32.add (i32.mul (local.get $n) (i32.const 1664525)) (i32.const 1013904223)))

  (func $within (param $n i32) (result i32)
    (block $other
      (try_table (catch $other $other)
        (return (i32.shr_u (call $step (local.get $n)) (i32.const 1)))))
    (i32.const 0))

  (func (export "run") (param $rounds i32) (result i32)
    (local $i i32) (local $n i32) (local $sum i32)
    (loop $round
      (local.set $i (i32.const 1000))
      (loop $next
        (block $odd (result i32)
          (try_table (catch $odd $odd)
            (local.set $n (call $within (i32.add (local.get $n) (local.get $i))))
            (local.set $sum (i32.add (local.get $sum) (i32.xor (call $step (local.get $n)) (local.get $i)))))
          (i32.const 0))
        (local.set $sum (i32.add (local.get $sum)))
        (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))
