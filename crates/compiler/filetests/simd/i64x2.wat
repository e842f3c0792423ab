;; Operators of i64x2 that the other files leave out: each on its own.
(module
  (func $i64x2_abs (param v128) (result v128) (i64x2.abs (local.get 0)))
  (func $i64x2_add (param v128 v128) (result v128) (i64x2.add (local.get 0) (local.get 1)))
  (func $i64x2_all_true (param v128) (result i32) (i64x2.all_true (local.get 0)))
  (func $i64x2_bitmask (param v128) (result i32) (i64x2.bitmask (local.get 0)))
  (func $i64x2_eq (param v128 v128) (result v128) (i64x2.eq (local.get 0) (local.get 1)))
  (func $i64x2_extmul_high_i32x4_s (param v128 v128) (result v128) (i64x2.extmul_high_i32x4_s (local.get 0) (local.get 1)))
  (func $i64x2_extmul_high_i32x4_u (param v128 v128) (result v128) (i64x2.extmul_high_i32x4_u (local.get 0) (local.get 1)))
  (func $i64x2_extmul_low_i32x4_s (param v128 v128) (result v128) (i64x2.extmul_low_i32x4_s (local.get 0) (local.get 1)))
  (func $i64x2_extmul_low_i32x4_u (param v128 v128) (result v128) (i64x2.extmul_low_i32x4_u (local.get 0) (local.get 1)))
  (func $i64x2_extend_high_i32x4_s (param v128) (result v128) (i64x2.extend_high_i32x4_s (local.get 0)))
  (func $i64x2_extend_high_i32x4_u (param v128) (result v128) (i64x2.extend_high_i32x4_u (local.get 0)))
  (func $i64x2_extend_low_i32x4_s (param v128) (result v128) (i64x2.extend_low_i32x4_s (local.get 0)))
  (func $i64x2_extend_low_i32x4_u (param v128) (result v128) (i64x2.extend_low_i32x4_u (local.get 0)))
  (func $i64x2_ge_s (param v128 v128) (result v128) (i64x2.ge_s (local.get 0) (local.get 1)))
  (func $i64x2_gt_s (param v128 v128) (result v128) (i64x2.gt_s (local.get 0) (local.get 1)))
  (func $i64x2_le_s (param v128 v128) (result v128) (i64x2.le_s (local.get 0) (local.get 1)))
  (func $i64x2_lt_s (param v128 v128) (result v128) (i64x2.lt_s (local.get 0) (local.get 1)))
  (func $i64x2_mul (param v128 v128) (result v128) (i64x2.mul (local.get 0) (local.get 1)))
  (func $i64x2_ne (param v128 v128) (result v128) (i64x2.ne (local.get 0) (local.get 1)))
  (func $i64x2_neg (param v128) (result v128) (i64x2.neg (local.get 0)))
  (func $i64x2_shl (param v128 i32) (result v128) (i64x2.shl (local.get 0) (local.get 1)))
  (func $i64x2_shr_s (param v128 i32) (result v128) (i64x2.shr_s (local.get 0) (local.get 1)))
  (func $i64x2_shr_u (param v128 i32) (result v128) (i64x2.shr_u (local.get 0) (local.get 1)))
  (func $i64x2_sub (param v128 v128) (result v128) (i64x2.sub (local.get 0) (local.get 1))))
;;! x64
;; $i64x2_abs
;;   movaps xmm8, xmm0
;;   pshufd xmm15, xmm8, 0xF5
;;   psrad xmm15, 0x1F
;;   movaps xmm0, xmm8
;;   pxor xmm0, xmm15
;;   psubq xmm0, xmm15
;;   return
;; $i64x2_add
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   paddq xmm0, xmm9
;;   return
;; $i64x2_all_true
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   pcmpeqq xmm15, xmm8
;;   ptest xmm15, xmm15
;;   sete al
;;   movzx eax, al
;;   return
;; $i64x2_bitmask
;;   movaps xmm8, xmm0
;;   movmskpd eax, xmm8
;;   return
;; $i64x2_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqq xmm0, xmm9
;;   return
;; $i64x2_extmul_high_i32x4_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pshufd xmm15, xmm9, 0xFA
;;   pshufd xmm0, xmm8, 0xFA
;;   pmuldq xmm0, xmm15
;;   return
;; $i64x2_extmul_high_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pshufd xmm15, xmm9, 0xFA
;;   pshufd xmm0, xmm8, 0xFA
;;   pmuludq xmm0, xmm15
;;   return
;; $i64x2_extmul_low_i32x4_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pshufd xmm15, xmm9, 0x50
;;   pshufd xmm0, xmm8, 0x50
;;   pmuldq xmm0, xmm15
;;   return
;; $i64x2_extmul_low_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pshufd xmm15, xmm9, 0x50
;;   pshufd xmm0, xmm8, 0x50
;;   pmuludq xmm0, xmm15
;;   return
;; $i64x2_extend_high_i32x4_s
;;   movaps xmm8, xmm0
;;   pshufd xmm0, xmm8, 0xEE
;;   pmovsxdq xmm0, xmm0
;;   return
;; $i64x2_extend_high_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   punpckhdq xmm0, [0x00000000000000000000000000000000]
;;   return
;; $i64x2_extend_low_i32x4_s
;;   movaps xmm8, xmm0
;;   pmovsxdq xmm0, xmm8
;;   return
;; $i64x2_extend_low_i32x4_u
;;   movaps xmm8, xmm0
;;   pmovzxdq xmm0, xmm8
;;   return
;; $i64x2_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   pcmpgtq xmm0, xmm8
;;   pxor xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i64x2_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpgtq xmm0, xmm9
;;   return
;; $i64x2_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpgtq xmm0, xmm9
;;   pxor xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i64x2_lt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   pcmpgtq xmm0, xmm8
;;   return
;; $i64x2_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   psrlq xmm15, 0x20
;;   pmuludq xmm15, xmm9
;;   movaps xmm0, xmm9
;;   psrlq xmm0, 0x20
;;   pmuludq xmm0, xmm8
;;   paddq xmm15, xmm0
;;   psllq xmm15, 0x20
;;   movaps xmm0, xmm8
;;   pmuludq xmm0, xmm9
;;   paddq xmm0, xmm15
;;   return
;; $i64x2_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqq xmm0, xmm9
;;   pxor xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i64x2_neg
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   psubq xmm15, xmm8
;;   movaps xmm0, xmm15
;;   return
;; $i64x2_shl
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x3F
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   psllq xmm0, xmm15
;;   return
;; $i64x2_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x3F
;;   movd xmm15, r11d
;;   pcmpeqd xmm0, xmm0
;;   psllq xmm0, 0x3F
;;   psrlq xmm0, xmm15
;;   movaps xmm1, xmm8
;;   psrlq xmm1, xmm15
;;   pxor xmm1, xmm0
;;   psubq xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i64x2_shr_u
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x3F
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   psrlq xmm0, xmm15
;;   return
;; $i64x2_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubq xmm0, xmm9
;;   return
;;! x64 avx avx2
;; $i64x2_abs
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpsubq xmm15, xmm15, xmm8
;;   vblendvpd xmm0, xmm8, xmm15, xmm8
;;   return
;; $i64x2_add
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpaddq xmm0, xmm8, xmm9
;;   return
;; $i64x2_all_true
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpcmpeqq xmm15, xmm15, xmm8
;;   vptest xmm15, xmm15
;;   sete al
;;   movzx eax, al
;;   return
;; $i64x2_bitmask
;;   movaps xmm8, xmm0
;;   vmovmskpd eax, xmm8
;;   return
;; $i64x2_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqq xmm0, xmm8, xmm9
;;   return
;; $i64x2_extmul_high_i32x4_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufd xmm15, xmm9, 0xFA
;;   vpshufd xmm0, xmm8, 0xFA
;;   vpmuldq xmm0, xmm0, xmm15
;;   return
;; $i64x2_extmul_high_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufd xmm15, xmm9, 0xFA
;;   vpshufd xmm0, xmm8, 0xFA
;;   vpmuludq xmm0, xmm0, xmm15
;;   return
;; $i64x2_extmul_low_i32x4_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufd xmm15, xmm9, 0x50
;;   vpshufd xmm0, xmm8, 0x50
;;   vpmuldq xmm0, xmm0, xmm15
;;   return
;; $i64x2_extmul_low_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufd xmm15, xmm9, 0x50
;;   vpshufd xmm0, xmm8, 0x50
;;   vpmuludq xmm0, xmm0, xmm15
;;   return
;; $i64x2_extend_high_i32x4_s
;;   movaps xmm8, xmm0
;;   vpshufd xmm0, xmm8, 0xEE
;;   vpmovsxdq xmm0, xmm0
;;   return
;; $i64x2_extend_high_i32x4_u
;;   movaps xmm8, xmm0
;;   vpunpckhdq xmm0, xmm8, [0x00000000000000000000000000000000]
;;   return
;; $i64x2_extend_low_i32x4_s
;;   movaps xmm8, xmm0
;;   vpmovsxdq xmm0, xmm8
;;   return
;; $i64x2_extend_low_i32x4_u
;;   movaps xmm8, xmm0
;;   vpmovzxdq xmm0, xmm8
;;   return
;; $i64x2_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtq xmm0, xmm9, xmm8
;;   vpxor xmm0, xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i64x2_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtq xmm0, xmm8, xmm9
;;   return
;; $i64x2_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtq xmm0, xmm8, xmm9
;;   vpxor xmm0, xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i64x2_lt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtq xmm0, xmm9, xmm8
;;   return
;; $i64x2_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsrlq xmm15, xmm8, 0x20
;;   vpmuludq xmm15, xmm15, xmm9
;;   vpsrlq xmm0, xmm9, 0x20
;;   vpmuludq xmm0, xmm0, xmm8
;;   vpaddq xmm15, xmm15, xmm0
;;   vpsllq xmm15, xmm15, 0x20
;;   vpmuludq xmm0, xmm8, xmm9
;;   vpaddq xmm0, xmm0, xmm15
;;   return
;; $i64x2_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqq xmm0, xmm8, xmm9
;;   vpxor xmm0, xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i64x2_neg
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpsubq xmm0, xmm15, xmm8
;;   return
;; $i64x2_shl
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x3F
;;   vmovd xmm15, r11d
;;   vpsllq xmm0, xmm8, xmm15
;;   return
;; $i64x2_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x3F
;;   vmovd xmm15, r11d
;;   vpcmpeqd xmm0, xmm0, xmm0
;;   vpsllq xmm0, xmm0, 0x3F
;;   vpsrlq xmm0, xmm0, xmm15
;;   vpsrlq xmm1, xmm8, xmm15
;;   vpxor xmm1, xmm1, xmm0
;;   vpsubq xmm1, xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i64x2_shr_u
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x3F
;;   vmovd xmm15, r11d
;;   vpsrlq xmm0, xmm8, xmm15
;;   return
;; $i64x2_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubq xmm0, xmm8, xmm9
;;   return
