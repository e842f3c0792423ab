;; A hash map from boxed numbers to boxed counters: chains of entries in an array that grows. Numbers are counted, then
;; looked up, then some removed.
(module
  (type $key (struct (field $number i64)))
  (type $counter (struct (field $count (mut i32))))
  (type $entry (struct
    (field $key (ref $key)) (field $value (ref $counter)) (field $next (mut (ref null $entry)))))
  (type $buckets (array (mut (ref null $entry))))
  (type $map (struct (field $buckets (mut (ref $buckets))) (field $size (mut i32))))

  (global $seed (mut i64) (i64.const 88172645463325252))

  (func $random (result i64)
    (global.set $seed (i64.xor (global.get $seed) (i64.shl (global.get $seed) (i64.const 13))))
    (global.set $seed (i64.xor (global.get $seed) (i64.shr_u (global.get $seed) (i64.const 7))))
    (global.set $seed (i64.xor (global.get $seed) (i64.shl (global.get $seed) (i64.const 17))))
    (global.get $seed))

  (func $hash (param $key (ref $key)) (result i32)
    (i32.wrap_i64 (i64.shr_u
      (i64.mul (struct.get $key $number (local.get $key)) (i64.const 0x9e3779b97f4a7c15))
      (i64.const 32))))

  (func $equal (param $a (ref $key)) (param $b (ref $key)) (result i32)
    (if (result i32) (ref.eq (local.get $a) (local.get $b))
      (then (i32.const 1))
      (else (i64.eq (struct.get $key $number (local.get $a)) (struct.get $key $number (local.get $b))))))

  (func $bucket (param $map (ref $map)) (param $key (ref $key)) (result i32)
    (i32.and
      (call $hash (local.get $key))
      (i32.sub (array.len (struct.get $map $buckets (local.get $map))) (i32.const 1))))

  (func $get (param $map (ref $map)) (param $key (ref $key)) (result (ref null $counter))
    (local $entry (ref null $entry))
    (local.set $entry (array.get $buckets
      (struct.get $map $buckets (local.get $map))
      (call $bucket (local.get $map) (local.get $key))))
    (block $absent
      (loop $next
        (br_if $absent (ref.is_null (local.get $entry)))
        (if (call $equal (struct.get $entry $key (local.get $entry)) (local.get $key))
          (then (return (struct.get $entry $value (local.get $entry)))))
        (local.set $entry (struct.get $entry $next (local.get $entry)))
        (br $next)))
    (ref.null $counter))

  (func $grow (param $map (ref $map))
    (local $old (ref $buckets)) (local $new (ref $buckets)) (local $i i32) (local $at i32)
    (local $entry (ref null $entry)) (local $next (ref null $entry))
    (local.set $old (struct.get $map $buckets (local.get $map)))
    (local.set $new (array.new_default $buckets (i32.shl (array.len (local.get $old)) (i32.const 1))))
    (struct.set $map $buckets (local.get $map) (local.get $new))
    (loop $each
      (local.set $entry (array.get $buckets (local.get $old) (local.get $i)))
      (block $end
        (loop $chain
          (br_if $end (ref.is_null (local.get $entry)))
          (local.set $next (struct.get $entry $next (local.get $entry)))
          (local.set $at (call $bucket (local.get $map) (struct.get $entry $key (local.get $entry))))
          (struct.set $entry $next (local.get $entry) (array.get $buckets (local.get $new) (local.get $at)))
          (array.set $buckets (local.get $new) (local.get $at) (local.get $entry))
          (local.set $entry (local.get $next))
          (br $chain)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (array.len (local.get $old))))))

  (func $put (param $map (ref $map)) (param $key (ref $key)) (param $value (ref $counter))
    (local $at i32)
    (if (i32.gt_u (struct.get $map $size (local.get $map)) (array.len (struct.get $map $buckets (local.get $map))))
      (then (call $grow (local.get $map))))
    (local.set $at (call $bucket (local.get $map) (local.get $key)))
    (array.set $buckets
      (struct.get $map $buckets (local.get $map))
      (local.get $at)
      (struct.new $entry
        (local.get $key)
        (local.get $value)
        (array.get $buckets (struct.get $map $buckets (local.get $map)) (local.get $at))))
    (struct.set $map $size (local.get $map) (i32.add (struct.get $map $size (local.get $map)) (i32.const 1))))

  (func $remove (param $map (ref $map)) (param $key (ref $key)) (result i32)
    (local $at i32) (local $entry (ref null $entry)) (local $before (ref null $entry))
    (local.set $at (call $bucket (local.get $map) (local.get $key)))
    (local.set $entry (array.get $buckets (struct.get $map $buckets (local.get $map)) (local.get $at)))
    (block $absent
      (loop $next
        (br_if $absent (ref.is_null (local.get $entry)))
        (if (call $equal (struct.get $entry $key (local.get $entry)) (local.get $key))
          (then
            (if (ref.is_null (local.get $before))
              (then (array.set $buckets
                (struct.get $map $buckets (local.get $map))
                (local.get $at)
                (struct.get $entry $next (local.get $entry))))
              (else (struct.set $entry $next
                (local.get $before)
                (struct.get $entry $next (local.get $entry)))))
            (struct.set $map $size (local.get $map)
              (i32.sub (struct.get $map $size (local.get $map)) (i32.const 1)))
            (return (i32.const 1))))
        (local.set $before (local.get $entry))
        (local.set $entry (struct.get $entry $next (local.get $entry)))
        (br $next)))
    (i32.const 0))

  (func (export "run") (param $rounds i32) (result i32)
    (local $map (ref $map)) (local $key (ref $key)) (local $counter (ref null $counter))
    (local $i i32) (local $sum i32)
    (loop $round
      (local.set $map (struct.new $map (array.new_default $buckets (i32.const 16)) (i32.const 0)))
      (local.set $i (i32.const 100000))
      (loop $count
        (local.set $key (struct.new $key (i64.and (call $random) (i64.const 0x3fff))))
        (local.set $counter (call $get (local.get $map) (local.get $key)))
        (if (ref.is_null (local.get $counter))
          (then (call $put (local.get $map) (local.get $key) (struct.new $counter (i32.const 1))))
          (else
            (struct.set $counter $count
              (local.get $counter)
              (i32.add (struct.get $counter $count (local.get $counter)) (i32.const 1)))))
        (br_if $count (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (local.set $i (i32.const 100000))
      (loop $look
        (local.set $counter (call $get (local.get $map) (struct.new $key (i64.extend_i32_u (local.get $i)))))
        (if (i32.eqz (ref.is_null (local.get $counter)))
          (then (local.set $sum (i32.add
            (i32.mul (local.get $sum) (i32.const 31))
            (struct.get $counter $count (local.get $counter))))))
        (br_if $look (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (local.set $i (i32.const 20000))
      (loop $take
        (local.set $sum (i32.add (local.get $sum)
          (call $remove (local.get $map) (struct.new $key (i64.and (call $random) (i64.const 0x3fff))))))
        (br_if $take (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (local.set $sum (i32.add (local.get $sum) (struct.get $map $size (local.get $map))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))
