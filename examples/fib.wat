;; Prints fib(30) through WASI: a program of loops, calls, memory and one import.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; 0: the iovec (address, length); 8: bytes written, for `fd_write` to fill in; 16: the text.
  (data (i32.const 16) "fib(30) = ")

  (func $fib (export "fib") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else
        (i32.add
          (call $fib (i32.sub (local.get $n) (i32.const 1)))
          (call $fib (i32.sub (local.get $n) (i32.const 2)))))))

  ;; Writes `n` in decimal and a newline at `at`, and returns the address after them.
  (func $write_decimal (param $at i32) (param $n i32) (result i32)
    (local $digits i32) (local $rest i32) (local $end i32)
    (local.set $rest (local.get $n))
    (loop $count
      (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
      (local.set $rest (i32.div_u (local.get $rest) (i32.const 10)))
      (br_if $count (local.get $rest)))
    (local.set $at (i32.add (local.get $at) (local.get $digits)))
    (local.set $end (i32.add (local.get $at) (i32.const 1)))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (local.set $digits (i32.sub (local.get $digits) (i32.const 1)))
      (br_if $digit (local.get $digits)))
    (local.get $end))

  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store
      (i32.const 4)
      (i32.sub (call $write_decimal (i32.const 26) (call $fib (i32.const 30))) (i32.const 16)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
