;; Vectors on the floor of the instruction set.
(module
  (memory 1)
  (global $g (mut v128) (v128.const i64x2 1 2))
  (func $callee (param v128) (result v128) (local.get 0))
  ;; One operand, in place and not.
  (func $unary (param v128) (result v128) (i8x16.abs (f32x4.sqrt (local.get 0))))
  (func $negated (param v128) (result v128) (i32x4.neg (f64x2.neg (local.get 0))))
  ;; Two operands, exchanged where the row has them so, with constants and memory as the right one.
  (func $binary (param v128 v128) (result v128)
    (v128.andnot (i32x4.add (local.get 0) (local.get 1)) (i32x4.lt_s (local.get 0) (local.get 1))))
  (func $constant (param v128) (result v128) (i16x8.add (local.get 0) (v128.const i16x8 1 2 3 4 5 6 7 8)))
  (func $loaded (param v128 i32) (result v128) (f32x4.mul (local.get 0) (v128.load offset=16 (local.get 1))))
  (func $compared (param v128 v128) (result v128) (i8x16.ge_u (local.get 0) (local.get 1)))
  (func $min (param v128 v128) (result v128) (f32x4.min (local.get 0) (local.get 1)))
  ;; Three.
  (func $bitselect (param v128 v128 v128) (result v128)
    (v128.bitselect (local.get 0) (local.get 1) (local.get 2)))
  ;; Constants: none for zeros and ones, one for a splat.
  (func $zero (result v128) (v128.const i64x2 0 0))
  (func $ones (result v128) (v128.const i64x2 -1 -1))
  (func $splat (result v128) (i16x8.splat (i32.const 7)))
  (func $splats (param i32 f32) (result v128) (v128.xor (i8x16.splat (local.get 0)) (f32x4.splat (local.get 1))))
  ;; Lanes.
  (func $extract (param v128) (result i32) (i16x8.extract_lane_s 3 (local.get 0)))
  (func $replace (param v128 i64) (result v128) (i64x2.replace_lane 1 (local.get 0) (local.get 1)))
  (func $shifted (param v128 i32) (result v128) (i32x4.shl (local.get 0) (local.get 1)))
  (func $shifted-bytes (param v128) (result v128) (i8x16.shr_u (local.get 0) (i32.const 3)))
  ;; Tests fuse with the branch.
  (func $tested (param v128) (if (i32x4.all_true (local.get 0)) (then (drop (call $callee (local.get 0))))))
  (func $mask (param v128) (result i32) (i8x16.bitmask (local.get 0)))
  ;; Memory.
  (func $load-splat (param i32) (result v128) (v128.load16_splat (local.get 0)))
  (func $load-extend (param i32) (result v128) (v128.load8x8_u (local.get 0)))
  (func $load-lane (param i32 v128) (result v128) (v128.load32_lane 2 (local.get 0) (local.get 1)))
  (func $store-lane (param i32 v128) (v128.store64_lane 1 (local.get 0) (local.get 1)))
  (func $store (param i32) (v128.store (local.get 0) (global.get $g)))
  ;; Shuffles: what one instruction does, and what takes a constant for each operand.
  (func $weave (param v128 v128) (result v128)
    (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get 0) (local.get 1)))
  (func $align (param v128 v128) (result v128)
    (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 (local.get 0) (local.get 1)))
  (func $any (param v128 v128) (result v128)
    (i8x16.shuffle 0 31 2 29 4 27 6 25 8 23 10 21 12 19 14 17 (local.get 0) (local.get 1)))
  ;; A loop with its locals in registers, a call with a value in a slot and a local that it destroys.
  (func $loop (param v128 i32) (result v128)
    (loop
      (local.set 0 (i32x4.add (local.get 0) (v128.load (local.get 1))))
      (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 16)))))
    (local.get 0))
  (func $call (param v128) (result v128)
    (i8x16.add (v128.not (local.get 0)) (call $callee (local.get 0)))))
;;! x64
;; $callee
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   return
;; $unary
;;   movaps xmm8, xmm0
;;   sqrtps xmm0, xmm8
;;   pabsb xmm0, xmm0
;;   return
;; $negated
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   xorps xmm0, [0x80000000000000008000000000000000]
;;   pxor xmm15, xmm15
;;   psubd xmm15, xmm0
;;   movaps xmm0, xmm15
;;   return
;; $binary
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   paddd xmm0, xmm9
;;   movaps xmm1, xmm9
;;   pcmpgtd xmm1, xmm8
;;   pandn xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $constant
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   paddw xmm0, [0x00080007000600050004000300020001]
;;   return
;; $loaded
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movups xmm0, [r14+rsi+0x10]  ; MemoryOutOfBounds
;;   mulps xmm0, xmm8
;;   return
;; $compared
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmaxub xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqb xmm0, xmm15
;;   return
;; $min
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   minps xmm15, xmm8
;;   movaps xmm0, xmm8
;;   minps xmm0, xmm9
;;   orps xmm0, xmm15
;;   movaps xmm15, xmm8
;;   cmpunordps xmm15, xmm9
;;   orps xmm0, xmm15
;;   psrld xmm15, 0xA
;;   andnps xmm15, xmm0
;;   movaps xmm0, xmm15
;;   return
;; $bitselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   movaps xmm0, xmm8
;;   pxor xmm0, xmm9
;;   pand xmm0, xmm10
;;   pxor xmm0, xmm9
;;   return
;; $zero
;;   xorps xmm0, xmm0
;;   return
;; $ones
;;   pcmpeqd xmm0, xmm0
;;   return
;; $splat
;;   movaps xmm0, [0x00070007000700070007000700070007]
;;   return
;; $splats
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movd xmm0, esi
;;   pxor xmm15, xmm15
;;   pshufb xmm0, xmm15
;;   movaps xmm1, xmm8
;;   shufps xmm1, xmm1, 0
;;   pxor xmm0, xmm1
;;   return
;; $extract
;;   movaps xmm8, xmm0
;;   pextrw eax, xmm8, 3
;;   movsx eax, ax
;;   return
;; $replace
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pinsrq xmm0, rsi, 1
;;   return
;; $shifted
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x1F
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   pslld xmm0, xmm15
;;   return
;; $shifted-bytes
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   psrlw xmm0, 3
;;   pand xmm0, [0x1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f]
;;   return
;; $tested
;;   movups [rbp-0x10], xmm0
;;   pxor xmm15, xmm15
;;   pcmpeqd xmm15, xmm0
;;   ptest xmm15, xmm15
;;   jne L0
;;   call $callee
;; L0:
;;   return
;;   ud2  ; StackOverflow
;; $mask
;;   movaps xmm8, xmm0
;;   pmovmskb eax, xmm8
;;   return
;; $load-splat
;;   mov rsi, rdx
;;   pxor xmm15, xmm15
;;   movaps xmm0, xmm15
;;   pinsrw xmm0, [r14+rsi], 0  ; MemoryOutOfBounds
;;   pshuflw xmm0, xmm0, 0
;;   pshufd xmm0, xmm0, 0
;;   return
;; $load-extend
;;   mov rsi, rdx
;;   pmovzxbw xmm0, [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; $load-lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pinsrd xmm0, [r14+rsi], 2  ; MemoryOutOfBounds
;;   return
;; $store-lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movhps [r14+rsi], xmm8  ; MemoryOutOfBounds
;;   return
;; $store
;;   mov rsi, rdx
;;   movups xmm0, [global0]
;;   movups [r14+rsi], xmm0  ; MemoryOutOfBounds
;;   return
;; $weave
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   punpcklbw xmm0, xmm9
;;   return
;; $align
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   palignr xmm0, xmm8, 4
;;   return
;; $any
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   pshufb xmm15, [0x018003800580078009800b800d800f80]
;;   movaps xmm0, xmm8
;;   pshufb xmm0, [0x800e800c800a80088006800480028000]
;;   por xmm0, xmm15
;;   return
;; $loop
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   padding
;; L0:
;;   movups xmm0, [r14+rsi]  ; MemoryOutOfBounds
;;   paddd xmm0, xmm8
;;   movaps xmm8, xmm0
;;   add esi, 0xFFFFFFF0
;;   jne L0
;;   movaps xmm0, xmm8
;;   return
;; $call
;;   movups [rbp-0x10], xmm0
;;   movaps xmm1, xmm0
;;   pxor xmm1, [0xffffffffffffffffffffffffffffffff]
;;   movups [rbp-0x20], xmm1
;;   call $callee
;;   paddb xmm0, [rbp-0x20]
;;   return
;;   ud2  ; StackOverflow
