;; Arrays of boxed numbers are sorted: by quicksort in place, and by merge sort between two arrays, with the order given
;; as a function reference.
(module
  (type $item (struct (field $key i32) (field $serial i32)))
  (type $items (array (mut (ref null $item))))
  (type $less (func (param (ref $item) (ref $item)) (result i32)))

  (global $seed (mut i32) (i32.const 12345))

  (func $random (result i32)
    (global.set $seed (i32.add (i32.mul (global.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.shr_u (global.get $seed) (i32.const 8)))

  (func $by_key (type $less) (param $a (ref $item)) (param $b (ref $item)) (result i32)
    (i32.lt_u (struct.get $item $key (local.get $a)) (struct.get $item $key (local.get $b))))
  (elem declare func $by_key)

  (func $quick (param $items (ref $items)) (param $from i32) (param $to i32)
    (local $i i32) (local $j i32) (local $pivot i32) (local $item (ref null $item))
    (loop $part
      (if (i32.ge_s (local.get $from) (local.get $to)) (then (return)))
      (local.set $pivot (struct.get $item $key (array.get $items (local.get $items)
        (i32.shr_u (i32.add (local.get $from) (local.get $to)) (i32.const 1)))))
      (local.set $i (local.get $from))
      (local.set $j (local.get $to))
      (loop $swap
        (loop $up
          (if (i32.lt_u
                (struct.get $item $key (array.get $items (local.get $items) (local.get $i))) (local.get $pivot))
            (then
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br $up))))
        (loop $down
          (if (i32.gt_u
                (struct.get $item $key (array.get $items (local.get $items) (local.get $j))) (local.get $pivot))
            (then
              (local.set $j (i32.sub (local.get $j) (i32.const 1)))
              (br $down))))
        (if (i32.le_s (local.get $i) (local.get $j))
          (then
            (local.set $item (array.get $items (local.get $items) (local.get $i)))
            (array.set $items (local.get $items) (local.get $i)
              (array.get $items (local.get $items) (local.get $j)))
            (array.set $items (local.get $items) (local.get $j) (local.get $item))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (local.set $j (i32.sub (local.get $j) (i32.const 1)))))
        (br_if $swap (i32.le_s (local.get $i) (local.get $j))))
      (call $quick (local.get $items) (local.get $from) (local.get $j))
      (local.set $from (local.get $i))
      (br $part)))

  (func $merge (param $items (ref $items)) (param $other (ref $items)) (param $from i32) (param $to i32)
    (param $less (ref $less))
    (local $middle i32) (local $i i32) (local $j i32) (local $k i32)
    (if (i32.lt_u (i32.sub (local.get $to) (local.get $from)) (i32.const 2)) (then (return)))
    (local.set $middle (i32.shr_u (i32.add (local.get $from) (local.get $to)) (i32.const 1)))
    (call $merge (local.get $items) (local.get $other) (local.get $from) (local.get $middle) (local.get $less))
    (call $merge (local.get $items) (local.get $other) (local.get $middle) (local.get $to) (local.get $less))
    (array.copy $items $items (local.get $other) (local.get $from) (local.get $items) (local.get $from)
      (i32.sub (local.get $to) (local.get $from)))
    (local.set $i (local.get $from))
    (local.set $j (local.get $middle))
    (local.set $k (local.get $from))
    (loop $next
      (if (i32.and (i32.lt_u (local.get $i) (local.get $middle)) (i32.lt_u (local.get $j) (local.get $to)))
        (then
          (if (call_ref $less
                (ref.as_non_null (array.get $items (local.get $other) (local.get $j)))
                (ref.as_non_null (array.get $items (local.get $other) (local.get $i)))
                (local.get $less))
            (then
              (array.set $items (local.get $items) (local.get $k)
                (array.get $items (local.get $other) (local.get $j)))
              (local.set $j (i32.add (local.get $j) (i32.const 1))))
            (else
              (array.set $items (local.get $items) (local.get $k)
                (array.get $items (local.get $other) (local.get $i)))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))))
          (local.set $k (i32.add (local.get $k) (i32.const 1)))
          (br $next))))
    (array.copy $items $items (local.get $items) (local.get $k) (local.get $other) (local.get $i)
      (i32.sub (local.get $middle) (local.get $i)))
    (array.copy $items $items (local.get $items)
      (i32.add (local.get $k) (i32.sub (local.get $middle) (local.get $i)))
      (local.get $other) (local.get $j)
      (i32.sub (local.get $to) (local.get $j))))

  (func $fill (param $items (ref $items))
    (local $i i32)
    (loop $next
      (array.set $items (local.get $items) (local.get $i)
        (struct.new $item (i32.and (call $random) (i32.const 0xffff)) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $items))))))

  (func $sum (param $items (ref $items)) (param $serials i32) (result i32)
    (local $i i32) (local $sum i32) (local $item (ref null $item))
    (loop $next
      (local.set $item (array.get $items (local.get $items) (local.get $i)))
      (local.set $sum (i32.add
        (i32.mul (local.get $sum) (i32.const 31))
        (i32.add
          (struct.get $item $key (local.get $item))
          (i32.mul (local.get $serials) (struct.get $item $serial (local.get $item))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $items)))))
    (local.get $sum))

  (func (export "run") (param $rounds i32) (result i32)
    (local $items (ref $items)) (local $sum i32)
    (loop $round
      (local.set $items (array.new_default $items (i32.const 50000)))
      (call $fill (local.get $items))
      (call $quick (local.get $items) (i32.const 0) (i32.const 49999))
      (local.set $sum (i32.add (local.get $sum) (call $sum (local.get $items) (i32.const 0))))
      (call $fill (local.get $items))
      (call $merge (local.get $items) (array.new_default $items (i32.const 50000)) (i32.const 0) (i32.const 50000)
        (ref.func $by_key))
      (local.set $sum (i32.xor (local.get $sum) (call $sum (local.get $items) (i32.const 1))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))
