;; Products of 128 bits as runtimes of compilers have them, written in two ways, beside one by shifting and adding, over
;; numbers with long runs of equal bits. Some that differ in one operator are no products, and compute what they say.

(module
  (type $product (func (param i32 i64 i64 i64 i64)))
  (memory 1)
  (func $halves (type $product) (local i64)
    local.get 0 local.get 4 local.get 1 i64.mul local.get 2 local.get 3 i64.mul i64.add local.get 3
    i64.const 0x20 i64.shr_u local.tee 2 local.get 1 i64.const 0x20 i64.shr_u local.tee 4 i64.mul i64.add
    local.get 3 i64.const 0xffffffff i64.and local.tee 3 local.get 1 i64.const 0xffffffff i64.and
    local.tee 1 i64.mul local.tee 5 i64.const 0x20 i64.shr_u local.get 3 local.get 4 i64.mul i64.add
    local.tee 3 i64.const 0x20 i64.shr_u i64.add local.get 3 i64.const 0xffffffff i64.and local.get 2
    local.get 1 i64.mul i64.add local.tee 1 i64.const 0x20 i64.shr_u i64.add i64.store offset=8 local.get 0
    local.get 1 i64.const 0x20 i64.shl local.get 5 i64.const 0xffffffff i64.and i64.or i64.store)
  (func $carries (type $product) (local i64 i64 i64 i64 i64 i64)
    local.get 0 local.get 3 i64.const 0xffffffff i64.and local.tee 5 local.get 1 i64.const 0xffffffff
    i64.and local.tee 6 i64.mul local.tee 7 local.get 3 i64.const 0x20 i64.shr_u local.tee 8 local.get 6
    i64.mul local.tee 6 local.get 5 local.get 1 i64.const 0x20 i64.shr_u local.tee 9 i64.mul i64.add
    local.tee 5 i64.const 0x20 i64.shl i64.add local.tee 10 i64.store local.get 0 local.get 8 local.get 9
    i64.mul local.get 5 local.get 6 i64.lt_u i64.extend_i32_u i64.const 0x20 i64.shl local.get 5
    i64.const 0x20 i64.shr_u i64.or i64.add local.get 10 local.get 7 i64.lt_u i64.extend_i32_u i64.add
    local.get 4 local.get 1 i64.mul local.get 3 local.get 2 i64.mul i64.add i64.add i64.store offset=8)
  (func $carries_upper_read_last (type $product) (local i64 i64 i64 i64 i64 i64)
    local.get 0 local.get 3 i64.const 0xffffffff i64.and local.tee 5 local.get 1 i64.const 0xffffffff
    i64.and local.tee 6 i64.mul local.tee 7 local.get 6 local.get 3 i64.const 0x20 i64.shr_u local.tee 6
    i64.mul local.tee 8 local.get 5 local.get 1 i64.const 0x20 i64.shr_u local.tee 9 i64.mul i64.add
    local.tee 5 i64.const 0x20 i64.shl i64.add local.tee 10 i64.store local.get 0 local.get 7 local.get 10
    i64.gt_u i64.extend_i32_u local.get 6 local.get 9 i64.mul local.get 5 local.get 8 i64.lt_u
    i64.extend_i32_u i64.const 0x20 i64.shl local.get 5 i64.const 0x20 i64.shr_u i64.or i64.add i64.add
    local.get 1 local.get 4 i64.mul local.get 2 local.get 3 i64.mul i64.add i64.add i64.store offset=8)
  (func $other_mask (type $product) (local i64)
    local.get 0 local.get 4 local.get 1 i64.mul local.get 2 local.get 3 i64.mul i64.add local.get 3
    i64.const 0x20 i64.shr_u local.tee 2 local.get 1 i64.const 0x20 i64.shr_u local.tee 4 i64.mul i64.add
    local.get 3 i64.const 0xffffffff i64.and local.tee 3 local.get 1 i64.const 0xffffffff i64.and
    local.tee 1 i64.mul local.tee 5 i64.const 0x20 i64.shr_u local.get 3 local.get 4 i64.mul i64.add
    local.tee 3 i64.const 0x20 i64.shr_u i64.add local.get 3 i64.const 0xffffffff i64.and local.get 2
    local.get 1 i64.mul i64.add local.tee 1 i64.const 0x20 i64.shr_u i64.add i64.store offset=8 local.get 0
    local.get 1 i64.const 0x20 i64.shl local.get 5 i64.const 0xfffffffe i64.and i64.or i64.store)
  (func $other_comparison (type $product) (local i64 i64 i64 i64 i64 i64)
    local.get 0 local.get 3 i64.const 0xffffffff i64.and local.tee 5 local.get 1 i64.const 0xffffffff
    i64.and local.tee 6 i64.mul local.tee 7 local.get 3 i64.const 0x20 i64.shr_u local.tee 8 local.get 6
    i64.mul local.tee 6 local.get 5 local.get 1 i64.const 0x20 i64.shr_u local.tee 9 i64.mul i64.add
    local.tee 5 i64.const 0x20 i64.shl i64.add local.tee 10 i64.store local.get 0 local.get 8 local.get 9
    i64.mul local.get 5 local.get 6 i64.gt_u i64.extend_i32_u i64.const 0x20 i64.shl local.get 5
    i64.const 0x20 i64.shr_u i64.or i64.add local.get 10 local.get 7 i64.lt_u i64.extend_i32_u i64.add
    local.get 4 local.get 1 i64.mul local.get 3 local.get 2 i64.mul i64.add i64.add i64.store offset=8)
  (func $other_shift (type $product) (local i64)
    local.get 0 local.get 4 local.get 1 i64.mul local.get 2 local.get 3 i64.mul i64.add local.get 3
    i64.const 0x1f i64.shr_u local.tee 2 local.get 1 i64.const 0x20 i64.shr_u local.tee 4 i64.mul i64.add
    local.get 3 i64.const 0xffffffff i64.and local.tee 3 local.get 1 i64.const 0xffffffff i64.and
    local.tee 1 i64.mul local.tee 5 i64.const 0x20 i64.shr_u local.get 3 local.get 4 i64.mul i64.add
    local.tee 3 i64.const 0x20 i64.shr_u i64.add local.get 3 i64.const 0xffffffff i64.and local.get 2
    local.get 1 i64.mul i64.add local.tee 1 i64.const 0x20 i64.shr_u i64.add i64.store offset=8 local.get 0
    local.get 1 i64.const 0x20 i64.shl local.get 5 i64.const 0xffffffff i64.and i64.or i64.store)

  ;; By shifting and adding.
  (func $slow (type $product) (local $l i64) (local $h i64) (local $sum i64)
    (loop $next
      (if (i64.ne (i64.and (local.get 3) (i64.const 1)) (i64.const 0))
        (then
          (local.set $sum (i64.add (local.get $l) (local.get 1)))
          (local.set $h (i64.add (i64.add (local.get $h) (local.get 2))
            (i64.extend_i32_u (i64.lt_u (local.get $sum) (local.get $l)))))
          (local.set $l (local.get $sum))))
      (local.set 2 (i64.or (i64.shl (local.get 2) (i64.const 1)) (i64.shr_u (local.get 1) (i64.const 63))))
      (local.set 1 (i64.shl (local.get 1) (i64.const 1)))
      (local.set 3 (i64.or (i64.shr_u (local.get 3) (i64.const 1)) (i64.shl (local.get 4) (i64.const 63))))
      (local.set 4 (i64.shr_u (local.get 4) (i64.const 1)))
      (br_if $next (i64.ne (i64.or (local.get 3) (local.get 4)) (i64.const 0))))
    (i64.store (local.get 0) (local.get $l))
    (i64.store offset=8 (local.get 0) (local.get $h)))

  (table funcref (elem $slow $halves $carries $carries_upper_read_last $other_mask $other_comparison $other_shift))

  (global $state (mut i64) (i64.const 0x9e3779b97f4a7c15))
  ;; A number with runs of equal bits.
  (func $random (result i64)
    (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 13))))
    (global.set $state (i64.xor (global.get $state) (i64.shr_u (global.get $state) (i64.const 7))))
    (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 17))))
    (i64.shl
      (i64.shr_s
        (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 31)))
        (i64.and (i64.shr_u (global.get $state) (i64.const 20)) (i64.const 63)))
      (i64.and (i64.shr_u (global.get $state) (i64.const 40)) (i64.const 31))))

  ;; How many of a number of products are not what a function gives.
  (func (export "differ") (param $which i32) (param $count i32) (result i32)
    (local $a0 i64) (local $a1 i64) (local $b0 i64) (local $b1 i64) (local $found i32)
    (loop $next
      (local.set $a0 (call $random)) (local.set $a1 (call $random))
      (local.set $b0 (call $random)) (local.set $b1 (call $random))
      (call $slow (i32.const 64) (local.get $a0) (local.get $a1) (local.get $b0) (local.get $b1))
      (call_indirect (type $product) (i32.const 128)
        (local.get $a0) (local.get $a1) (local.get $b0) (local.get $b1) (local.get $which))
      (local.set $found (i32.add (local.get $found) (i32.or
        (i64.ne (i64.load (i32.const 64)) (i64.load (i32.const 128)))
        (i64.ne (i64.load (i32.const 72)) (i64.load (i32.const 136))))))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (local.get $found))

  ;; The lower and the upper word of 5 * 7 at a place.
  (func (export "at") (param $which i32) (param $at i32)
    (call_indirect (type $product) (local.get $at)
      (i64.const 5) (i64.const 0) (i64.const 7) (i64.const 0) (local.get $which)))
  (func (export "word") (param $at i32) (result i64) (i64.load (local.get $at))))

(assert_return (invoke "differ" (i32.const 1) (i32.const 2000)) (i32.const 0))
(assert_return (invoke "differ" (i32.const 2) (i32.const 2000)) (i32.const 0))
(assert_return (invoke "differ" (i32.const 3) (i32.const 2000)) (i32.const 0))
(assert_return (invoke "differ" (i32.const 4) (i32.const 2000)) (i32.const 1))
(assert_return (invoke "differ" (i32.const 5) (i32.const 2000)) (i32.const 1630))
(assert_return (invoke "differ" (i32.const 6) (i32.const 2000)) (i32.const 1684))

;; What comes first is written first: the upper word by halves, the lower one by carries.
(assert_trap (invoke "at" (i32.const 1) (i32.const 65528)) "out of bounds memory access")
(assert_return (invoke "word" (i32.const 65528)) (i64.const 0))
(assert_trap (invoke "at" (i32.const 2) (i32.const 65528)) "out of bounds memory access")
(assert_return (invoke "word" (i32.const 65528)) (i64.const 35))
