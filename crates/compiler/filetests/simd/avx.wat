;; Vectors with three-operand forms and memory operands.
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
;;! x64 avx avx2
;; $callee
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   return
;; $unary
;;   movaps xmm8, xmm0
;;   vsqrtps xmm0, xmm8
;;   vpabsb xmm0, xmm0
;;   return
;; $negated
;;   movaps xmm8, xmm0
;;   vxorps xmm0, xmm8, [0x80000000000000008000000000000000]
;;   vpxor xmm15, xmm15, xmm15
;;   vpsubd xmm0, xmm15, xmm0
;;   return
;; $binary
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpaddd xmm0, xmm8, xmm9
;;   vpcmpgtd xmm1, xmm9, xmm8
;;   vpandn xmm0, xmm1, xmm0
;;   return
;; $constant
;;   movaps xmm8, xmm0
;;   vpaddw xmm0, xmm8, [0x00080007000600050004000300020001]
;;   return
;; $loaded
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vmulps xmm0, xmm8, [r14+rsi+0x10]  ; MemoryOutOfBounds
;;   return
;; $compared
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxub xmm15, xmm8, xmm9
;;   vpcmpeqb xmm0, xmm8, xmm15
;;   return
;; $min
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vminps xmm15, xmm9, xmm8
;;   vminps xmm0, xmm8, xmm9
;;   vorps xmm0, xmm0, xmm15
;;   vcmpunordps xmm15, xmm8, xmm9
;;   vblendvps xmm0, xmm0, [0x7fc000007fc000007fc000007fc00000], xmm15
;;   return
;; $bitselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   vpxor xmm0, xmm8, xmm9
;;   vpand xmm0, xmm0, xmm10
;;   vpxor xmm0, xmm0, xmm9
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
;;   vmovd xmm0, esi
;;   vpbroadcastb xmm0, xmm0
;;   vshufps xmm1, xmm8, xmm8, 0
;;   vpxor xmm0, xmm0, xmm1
;;   return
;; $extract
;;   movaps xmm8, xmm0
;;   vpextrw eax, xmm8, 3
;;   movsx eax, ax
;;   return
;; $replace
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpinsrq xmm0, xmm8, rsi, 1
;;   return
;; $shifted
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x1F
;;   vmovd xmm15, r11d
;;   vpslld xmm0, xmm8, xmm15
;;   return
;; $shifted-bytes
;;   movaps xmm8, xmm0
;;   vpsrlw xmm0, xmm8, 3
;;   vpand xmm0, xmm0, [0x1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f]
;;   return
;; $tested
;;   movups [rbp-0x10], xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpcmpeqd xmm15, xmm15, xmm0
;;   vptest xmm15, xmm15
;;   jne L0
;;   call $callee
;; L0:
;;   return
;;   ud2  ; StackOverflow
;; $mask
;;   movaps xmm8, xmm0
;;   vpmovmskb eax, xmm8
;;   return
;; $load-splat
;;   mov rsi, rdx
;;   vpbroadcastw xmm0, [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; $load-extend
;;   mov rsi, rdx
;;   vpmovzxbw xmm0, [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; $load-lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpinsrd xmm0, xmm8, [r14+rsi], 2  ; MemoryOutOfBounds
;;   return
;; $store-lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vmovhps [r14+rsi], xmm8  ; MemoryOutOfBounds
;;   return
;; $store
;;   mov rsi, rdx
;;   movups xmm0, [global0]
;;   movups [r14+rsi], xmm0  ; MemoryOutOfBounds
;;   return
;; $weave
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpunpcklbw xmm0, xmm8, xmm9
;;   return
;; $align
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpalignr xmm0, xmm9, xmm8, 4
;;   return
;; $any
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufb xmm15, xmm9, [0x018003800580078009800b800d800f80]
;;   vpshufb xmm0, xmm8, [0x800e800c800a80088006800480028000]
;;   vpor xmm0, xmm0, xmm15
;;   return
;; $loop
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   padding
;; L0:
;;   vpaddd xmm8, xmm8, [r14+rsi]  ; MemoryOutOfBounds
;;   add esi, 0xFFFFFFF0
;;   jne L0
;;   movaps xmm0, xmm8
;;   return
;; $call
;;   movups [rbp-0x10], xmm0
;;   vpxor xmm1, xmm0, [0xffffffffffffffffffffffffffffffff]
;;   movups [rbp-0x20], xmm1
;;   call $callee
;;   vpaddb xmm0, xmm0, [rbp-0x20]
;;   return
;;   ud2  ; StackOverflow
