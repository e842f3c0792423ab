;; Strings are built in arrays of bytes that grow: words and numbers are appended, the whole is turned into 16-bit units,
;; cut into words at its spaces, and hashed.
(module
  (type $bytes (array (mut i8)))
  (type $units (array (mut i16)))
  (type $words (array (mut (ref null $units))))
  (type $builder (struct (field $bytes (mut (ref $bytes))) (field $length (mut i32))))
  (data $lorem "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor ")

  (func $reserve (param $to (ref $builder)) (param $more i32)
    (local $need i32) (local $size i32) (local $new (ref $bytes))
    (local.set $need (i32.add (struct.get $builder $length (local.get $to)) (local.get $more)))
    (local.set $size (array.len (struct.get $builder $bytes (local.get $to))))
    (if (i32.le_u (local.get $need) (local.get $size)) (then (return)))
    (loop $double
      (local.set $size (i32.shl (local.get $size) (i32.const 1)))
      (br_if $double (i32.lt_u (local.get $size) (local.get $need))))
    (local.set $new (array.new_default $bytes (local.get $size)))
    (array.copy $bytes $bytes
      (local.get $new) (i32.const 0)
      (struct.get $builder $bytes (local.get $to)) (i32.const 0)
      (struct.get $builder $length (local.get $to)))
    (struct.set $builder $bytes (local.get $to) (local.get $new)))

  (func $char (param $to (ref $builder)) (param $char i32)
    (call $reserve (local.get $to) (i32.const 1))
    (array.set $bytes
      (struct.get $builder $bytes (local.get $to)) (struct.get $builder $length (local.get $to)) (local.get $char))
    (struct.set $builder $length (local.get $to)
      (i32.add (struct.get $builder $length (local.get $to)) (i32.const 1))))

  (func $string (param $to (ref $builder)) (param $from (ref $bytes)) (param $start i32) (param $count i32)
    (call $reserve (local.get $to) (local.get $count))
    (array.copy $bytes $bytes
      (struct.get $builder $bytes (local.get $to)) (struct.get $builder $length (local.get $to))
      (local.get $from) (local.get $start) (local.get $count))
    (struct.set $builder $length (local.get $to)
      (i32.add (struct.get $builder $length (local.get $to)) (local.get $count))))

  (func $decimal (param $to (ref $builder)) (param $number i32)
    (if (i32.ge_u (local.get $number) (i32.const 10))
      (then (call $decimal (local.get $to) (i32.div_u (local.get $number) (i32.const 10)))))
    (call $char (local.get $to)
      (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10)))))

  (func $widen (param $from (ref $builder)) (result (ref $units))
    (local $units (ref $units)) (local $bytes (ref $bytes)) (local $i i32)
    (local.set $units (array.new_default $units (struct.get $builder $length (local.get $from))))
    (local.set $bytes (struct.get $builder $bytes (local.get $from)))
    (loop $next
      (array.set $units (local.get $units) (local.get $i)
        (array.get_u $bytes (local.get $bytes) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $units)))))
    (local.get $units))

  (func $slice (param $from (ref $units)) (param $start i32) (param $end i32) (result (ref $units))
    (local $to (ref $units))
    (local.set $to (array.new_default $units (i32.sub (local.get $end) (local.get $start))))
    (array.copy $units $units
      (local.get $to) (i32.const 0) (local.get $from) (local.get $start) (array.len (local.get $to)))
    (local.get $to))

  (func $split (param $units (ref $units)) (param $words (ref $words)) (result i32)
    (local $i i32) (local $start i32) (local $count i32)
    (loop $next
      (if (i32.eq (array.get_u $units (local.get $units) (local.get $i)) (i32.const 32))
        (then
          (array.set $words (local.get $words) (local.get $count)
            (call $slice (local.get $units) (local.get $start) (local.get $i)))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (local.set $start (i32.add (local.get $i) (i32.const 1)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $units)))))
    (local.get $count))

  (func $hash (param $word (ref $units)) (param $sum i32) (result i32)
    (local $i i32)
    (loop $next
      (if (i32.lt_u (local.get $i) (array.len (local.get $word)))
        (then
          (local.set $sum (i32.add
            (i32.mul (local.get $sum) (i32.const 31))
            (array.get_u $units (local.get $word) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $sum))

  (func (export "run") (param $rounds i32) (result i32)
    (local $builder (ref $builder)) (local $lorem (ref $bytes)) (local $words (ref $words))
    (local $i i32) (local $count i32) (local $sum i32)
    (local.set $lorem (array.new_data $bytes $lorem (i32.const 0) (i32.const 77)))
    (local.set $words (array.new_default $words (i32.const 100000)))
    (loop $round
      (local.set $builder (struct.new $builder (array.new_default $bytes (i32.const 16)) (i32.const 0)))
      (local.set $i (i32.const 1000))
      (loop $write
        (call $string (local.get $builder) (local.get $lorem) (i32.const 0) (i32.const 77))
        (call $decimal (local.get $builder) (i32.mul (local.get $i) (local.get $i)))
        (call $char (local.get $builder) (i32.const 32))
        (call $string (local.get $builder) (local.get $lorem) (i32.const 6) (i32.const 6))
        (br_if $write (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (local.set $count (call $split (call $widen (local.get $builder)) (local.get $words)))
      (local.set $i (i32.const 0))
      (loop $read
        (local.set $sum (call $hash
          (ref.as_non_null (array.get $words (local.get $words) (local.get $i)))
          (local.get $sum)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $read (i32.lt_u (local.get $i) (local.get $count))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))
