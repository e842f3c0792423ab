;; Ranges of every length around those at which copying and filling change their ways, at distances at which they overlap
;; in either direction and at which they do not, are what a loop over bytes makes of them. What is not in bounds by a
;; byte changes nothing.

(module
  (memory (export "memory") 2 2)

  ;; Bytes that differ from their neighbours, up to 1024.
  (func $prepare (local $i i32)
    (loop $each
      (i32.store8 (local.get $i) (i32.mul (local.get $i) (i32.const 167)))
      (i32.store8 (i32.add (local.get $i) (i32.const 65536)) (i32.mul (local.get $i) (i32.const 167)))
      (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024)))))

  ;; Do the two halves of memory begin with the same bytes?
  (func $same (result i32) (local $i i32)
    (loop $each
      (if (i64.ne (i64.load (local.get $i)) (i64.load (i32.add (local.get $i) (i32.const 65536))))
        (then (return (i32.const 0))))
      (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 1024))))
    (i32.const 1))

  ;; In the upper half, byte by byte, from the end that is right.
  (func $copy_bytes (param $to i32) (param $from i32) (param $n i32) (local $i i32)
    (loop $each
      (br_if 1 (i32.eq (local.get $i) (local.get $n)))
      (if (i32.le_u (local.get $to) (local.get $from))
        (then (i32.store8 offset=65536 (i32.add (local.get $to) (local.get $i))
          (i32.load8_u offset=65536 (i32.add (local.get $from) (local.get $i)))))
        (else (i32.store8 offset=65535 (i32.sub (i32.add (local.get $to) (local.get $n)) (local.get $i))
          (i32.load8_u offset=65535 (i32.sub (i32.add (local.get $from) (local.get $n)) (local.get $i))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $each)))
  (func $fill_bytes (param $to i32) (param $byte i32) (param $n i32) (local $i i32)
    (loop $each
      (br_if 1 (i32.eq (local.get $i) (local.get $n)))
      (i32.store8 offset=65536 (i32.add (local.get $to) (local.get $i)) (local.get $byte))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $each)))

  ;; The first length and distance that come out wrong, as length * 1000 + distance; -1 if none does.
  (func (export "copies") (param $n i32) (param $most i32) (result i32) (local $to i32)
    (loop $length
      (local.set $to (i32.const 150))
      (loop $distance
        (call $prepare)
        (memory.copy (local.get $to) (i32.const 300) (local.get $n))
        (call $copy_bytes (local.get $to) (i32.const 300) (local.get $n))
        (if (i32.eqz (call $same))
          (then (return (i32.add (i32.mul (local.get $n) (i32.const 1000)) (local.get $to)))))
        (br_if $distance
          (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 7))) (i32.const 450))))
      (br_if $length
        (i32.le_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (local.get $most))))
    (i32.const -1))
  (func (export "fills") (param $n i32) (param $most i32) (result i32)
    (loop $length
      (call $prepare)
      (memory.fill (i32.const 333) (i32.add (local.get $n) (i32.const 0x12345678)) (local.get $n))
      (call $fill_bytes (i32.const 333) (i32.add (local.get $n) (i32.const 0x12345678)) (local.get $n))
      (if (i32.eqz (call $same)) (then (return (local.get $n))))
      (br_if $length
        (i32.le_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (local.get $most))))
    (i32.const -1))

  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "clear_end") (i64.store (i32.const 131064) (i64.const 0)))
  (func (export "end") (result i64) (i64.load (i32.const 131064)))

  ;; What waits on the stack, and in locals, while a range is moved.
  (func (export "around") (param $a i32) (param $b i64) (param $c f64) (param $n i32) (result f64)
    (local $d i32)
    (local.set $d (i32.mul (local.get $a) (local.get $a)))
    (f64.add
      (f64.mul (local.get $c) (f64.const 3))
      (block (result f64)
        (memory.copy (i32.const 2000) (local.get $a) (local.get $n))
        (memory.fill (i32.const 3000) (local.get $d) (local.get $n))
        (f64.add (f64.convert_i64_s (local.get $b))
          (f64.convert_i32_u (i32.add (local.get $d) (i32.load8_u (i32.const 3000)))))))))

(assert_return (invoke "copies" (i32.const 0) (i32.const 40)) (i32.const -1))
(assert_return (invoke "copies" (i32.const 60) (i32.const 68)) (i32.const -1))
(assert_return (invoke "copies" (i32.const 124) (i32.const 131)) (i32.const -1))
(assert_return (invoke "fills" (i32.const 0) (i32.const 140)) (i32.const -1))

(assert_return (invoke "clear_end"))
(assert_return (invoke "fill" (i32.const 131064) (i32.const 1) (i32.const 8)))
(assert_return (invoke "end") (i64.const 0x0101010101010101))
(assert_trap (invoke "fill" (i32.const 131064) (i32.const 2) (i32.const 9)) "out of bounds memory access")
(assert_trap (invoke "fill" (i32.const 131065) (i32.const 2) (i32.const 8)) "out of bounds memory access")
(assert_trap (invoke "fill" (i32.const 131073) (i32.const 2) (i32.const 0)) "out of bounds memory access")
(assert_trap (invoke "fill" (i32.const 131000) (i32.const 2) (i32.const 200)) "out of bounds memory access")
(assert_trap (invoke "fill" (i32.const -1) (i32.const 2) (i32.const 1)) "out of bounds memory access")
(assert_trap (invoke "fill" (i32.const 131071) (i32.const 2) (i32.const -1)) "out of bounds memory access")
(assert_trap (invoke "copy" (i32.const 131064) (i32.const 0) (i32.const 9)) "out of bounds memory access")
(assert_trap (invoke "copy" (i32.const 131000) (i32.const 0) (i32.const 73)) "out of bounds memory access")
(assert_trap (invoke "copy" (i32.const 0) (i32.const 131000) (i32.const 73)) "out of bounds memory access")
(assert_trap (invoke "copy" (i32.const -4) (i32.const 0) (i32.const 4)) "out of bounds memory access")
(assert_trap (invoke "copy" (i32.const 0) (i32.const -4) (i32.const 8)) "out of bounds memory access")
(assert_return (invoke "fill" (i32.const 131072) (i32.const 2) (i32.const 0)))
(assert_return (invoke "copy" (i32.const 131072) (i32.const 131072) (i32.const 0)))
(assert_return (invoke "end") (i64.const 0x0101010101010101))

(assert_return (invoke "around" (i32.const 3) (i64.const 100) (f64.const 2) (i32.const 20)) (f64.const 124))
(assert_return (invoke "around" (i32.const 3) (i64.const 100) (f64.const 2) (i32.const 300)) (f64.const 124))
