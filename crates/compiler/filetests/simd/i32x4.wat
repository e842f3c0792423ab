;; Operators of i32x4 that the other files leave out: each on its own.
(module
  (func $i32x4_abs (param v128) (result v128) (i32x4.abs (local.get 0)))
  (func $i32x4_bitmask (param v128) (result i32) (i32x4.bitmask (local.get 0)))
  (func $i32x4_dot_i16x8_s (param v128 v128) (result v128) (i32x4.dot_i16x8_s (local.get 0) (local.get 1)))
  (func $i32x4_eq (param v128 v128) (result v128) (i32x4.eq (local.get 0) (local.get 1)))
  (func $i32x4_extadd_pairwise_i16x8_s (param v128) (result v128) (i32x4.extadd_pairwise_i16x8_s (local.get 0)))
  (func $i32x4_extadd_pairwise_i16x8_u (param v128) (result v128) (i32x4.extadd_pairwise_i16x8_u (local.get 0)))
  (func $i32x4_extmul_high_i16x8_s (param v128 v128) (result v128) (i32x4.extmul_high_i16x8_s (local.get 0) (local.get 1)))
  (func $i32x4_extmul_high_i16x8_u (param v128 v128) (result v128) (i32x4.extmul_high_i16x8_u (local.get 0) (local.get 1)))
  (func $i32x4_extmul_low_i16x8_s (param v128 v128) (result v128) (i32x4.extmul_low_i16x8_s (local.get 0) (local.get 1)))
  (func $i32x4_extmul_low_i16x8_u (param v128 v128) (result v128) (i32x4.extmul_low_i16x8_u (local.get 0) (local.get 1)))
  (func $i32x4_extend_high_i16x8_s (param v128) (result v128) (i32x4.extend_high_i16x8_s (local.get 0)))
  (func $i32x4_extend_high_i16x8_u (param v128) (result v128) (i32x4.extend_high_i16x8_u (local.get 0)))
  (func $i32x4_extend_low_i16x8_s (param v128) (result v128) (i32x4.extend_low_i16x8_s (local.get 0)))
  (func $i32x4_extend_low_i16x8_u (param v128) (result v128) (i32x4.extend_low_i16x8_u (local.get 0)))
  (func $i32x4_ge_s (param v128 v128) (result v128) (i32x4.ge_s (local.get 0) (local.get 1)))
  (func $i32x4_ge_u (param v128 v128) (result v128) (i32x4.ge_u (local.get 0) (local.get 1)))
  (func $i32x4_gt_s (param v128 v128) (result v128) (i32x4.gt_s (local.get 0) (local.get 1)))
  (func $i32x4_gt_u (param v128 v128) (result v128) (i32x4.gt_u (local.get 0) (local.get 1)))
  (func $i32x4_le_s (param v128 v128) (result v128) (i32x4.le_s (local.get 0) (local.get 1)))
  (func $i32x4_le_u (param v128 v128) (result v128) (i32x4.le_u (local.get 0) (local.get 1)))
  (func $i32x4_lt_u (param v128 v128) (result v128) (i32x4.lt_u (local.get 0) (local.get 1)))
  (func $i32x4_max_s (param v128 v128) (result v128) (i32x4.max_s (local.get 0) (local.get 1)))
  (func $i32x4_max_u (param v128 v128) (result v128) (i32x4.max_u (local.get 0) (local.get 1)))
  (func $i32x4_min_s (param v128 v128) (result v128) (i32x4.min_s (local.get 0) (local.get 1)))
  (func $i32x4_min_u (param v128 v128) (result v128) (i32x4.min_u (local.get 0) (local.get 1)))
  (func $i32x4_mul (param v128 v128) (result v128) (i32x4.mul (local.get 0) (local.get 1)))
  (func $i32x4_ne (param v128 v128) (result v128) (i32x4.ne (local.get 0) (local.get 1)))
  (func $i32x4_shr_s (param v128 i32) (result v128) (i32x4.shr_s (local.get 0) (local.get 1)))
  (func $i32x4_shr_u (param v128 i32) (result v128) (i32x4.shr_u (local.get 0) (local.get 1)))
  (func $i32x4_sub (param v128 v128) (result v128) (i32x4.sub (local.get 0) (local.get 1)))
  (func $i32x4_trunc_sat_f32x4_s (param v128) (result v128) (i32x4.trunc_sat_f32x4_s (local.get 0)))
  (func $i32x4_trunc_sat_f32x4_u (param v128) (result v128) (i32x4.trunc_sat_f32x4_u (local.get 0)))
  (func $i32x4_trunc_sat_f64x2_s_zero (param v128) (result v128) (i32x4.trunc_sat_f64x2_s_zero (local.get 0)))
  (func $i32x4_trunc_sat_f64x2_u_zero (param v128) (result v128) (i32x4.trunc_sat_f64x2_u_zero (local.get 0))))
;;! x64
;; $i32x4_abs
;;   movaps xmm8, xmm0
;;   pabsd xmm0, xmm8
;;   return
;; $i32x4_bitmask
;;   movaps xmm8, xmm0
;;   movmskps eax, xmm8
;;   return
;; $i32x4_dot_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmaddwd xmm0, xmm9
;;   return
;; $i32x4_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqd xmm0, xmm9
;;   return
;; $i32x4_extadd_pairwise_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pmaddwd xmm0, [0x00010001000100010001000100010001]
;;   return
;; $i32x4_extadd_pairwise_i16x8_u
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   pblendw xmm15, xmm8, 0x55
;;   movaps xmm0, xmm8
;;   psrld xmm0, 0x10
;;   paddd xmm0, xmm15
;;   return
;; $i32x4_extmul_high_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmulhw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pmullw xmm0, xmm9
;;   punpckhwd xmm0, xmm15
;;   return
;; $i32x4_extmul_high_i16x8_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmulhuw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pmullw xmm0, xmm9
;;   punpckhwd xmm0, xmm15
;;   return
;; $i32x4_extmul_low_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmulhw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pmullw xmm0, xmm9
;;   punpcklwd xmm0, xmm15
;;   return
;; $i32x4_extmul_low_i16x8_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmulhuw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pmullw xmm0, xmm9
;;   punpcklwd xmm0, xmm15
;;   return
;; $i32x4_extend_high_i16x8_s
;;   movaps xmm8, xmm0
;;   pshufd xmm0, xmm8, 0xEE
;;   pmovsxwd xmm0, xmm0
;;   return
;; $i32x4_extend_high_i16x8_u
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   punpckhwd xmm0, [0x00000000000000000000000000000000]
;;   return
;; $i32x4_extend_low_i16x8_s
;;   movaps xmm8, xmm0
;;   pmovsxwd xmm0, xmm8
;;   return
;; $i32x4_extend_low_i16x8_u
;;   movaps xmm8, xmm0
;;   pmovzxwd xmm0, xmm8
;;   return
;; $i32x4_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmaxsd xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqd xmm0, xmm15
;;   return
;; $i32x4_ge_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmaxud xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqd xmm0, xmm15
;;   return
;; $i32x4_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpgtd xmm0, xmm9
;;   return
;; $i32x4_gt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   pxor xmm15, [0x80000000800000008000000080000000]
;;   movaps xmm0, xmm8
;;   pxor xmm0, [0x80000000800000008000000080000000]
;;   pcmpgtd xmm0, xmm15
;;   return
;; $i32x4_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pminsd xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqd xmm0, xmm15
;;   return
;; $i32x4_le_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pminud xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqd xmm0, xmm15
;;   return
;; $i32x4_lt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pxor xmm15, [0x80000000800000008000000080000000]
;;   movaps xmm0, xmm9
;;   pxor xmm0, [0x80000000800000008000000080000000]
;;   pcmpgtd xmm0, xmm15
;;   return
;; $i32x4_max_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmaxsd xmm0, xmm9
;;   return
;; $i32x4_max_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmaxud xmm0, xmm9
;;   return
;; $i32x4_min_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pminsd xmm0, xmm9
;;   return
;; $i32x4_min_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pminud xmm0, xmm9
;;   return
;; $i32x4_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmulld xmm0, xmm9
;;   return
;; $i32x4_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqd xmm0, xmm9
;;   pxor xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i32x4_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x1F
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   psrad xmm0, xmm15
;;   return
;; $i32x4_shr_u
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x1F
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   psrld xmm0, xmm15
;;   return
;; $i32x4_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubd xmm0, xmm9
;;   return
;; $i32x4_trunc_sat_f32x4_s
;;   movaps xmm8, xmm0
;;   movaps xmm15, xmm8
;;   cmpeqps xmm15, xmm8
;;   movaps xmm0, xmm8
;;   andps xmm0, xmm15
;;   movaps xmm15, xmm0
;;   cmpnltps xmm15, [0x4f0000004f0000004f0000004f000000]
;;   cvttps2dq xmm0, xmm0
;;   pxor xmm0, xmm15
;;   return
;; $i32x4_trunc_sat_f32x4_u
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   movaps xmm1, xmm8
;;   maxps xmm1, xmm15
;;   movaps xmm0, xmm1
;;   subps xmm0, [0x4f0000004f0000004f0000004f000000]
;;   movaps xmm15, xmm0
;;   cmpnltps xmm15, [0x4f0000004f0000004f0000004f000000]
;;   cvttps2dq xmm1, xmm1
;;   cvttps2dq xmm0, xmm0
;;   pxor xmm0, xmm15
;;   pxor xmm15, xmm15
;;   pmaxsd xmm0, xmm15
;;   paddd xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i32x4_trunc_sat_f64x2_s_zero
;;   movaps xmm8, xmm0
;;   movaps xmm15, xmm8
;;   cmpeqpd xmm15, xmm8
;;   andps xmm15, [0x41dfffffffc0000041dfffffffc00000]
;;   movaps xmm0, xmm8
;;   minpd xmm0, xmm15
;;   cvttpd2dq xmm0, xmm0
;;   return
;; $i32x4_trunc_sat_f64x2_u_zero
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   movaps xmm0, xmm8
;;   maxpd xmm0, xmm15
;;   minpd xmm0, [0x41efffffffe0000041efffffffe00000]
;;   roundpd xmm0, xmm0, 0xB
;;   addpd xmm0, [0x43300000000000004330000000000000]
;;   shufps xmm0, xmm15, 0x88
;;   return
;;! x64 avx avx2
;; $i32x4_abs
;;   movaps xmm8, xmm0
;;   vpabsd xmm0, xmm8
;;   return
;; $i32x4_bitmask
;;   movaps xmm8, xmm0
;;   vmovmskps eax, xmm8
;;   return
;; $i32x4_dot_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaddwd xmm0, xmm8, xmm9
;;   return
;; $i32x4_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqd xmm0, xmm8, xmm9
;;   return
;; $i32x4_extadd_pairwise_i16x8_s
;;   movaps xmm8, xmm0
;;   vpmaddwd xmm0, xmm8, [0x00010001000100010001000100010001]
;;   return
;; $i32x4_extadd_pairwise_i16x8_u
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpblendw xmm15, xmm15, xmm8, 0x55
;;   vpsrld xmm0, xmm8, 0x10
;;   vpaddd xmm0, xmm0, xmm15
;;   return
;; $i32x4_extmul_high_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmulhw xmm15, xmm8, xmm9
;;   vpmullw xmm0, xmm8, xmm9
;;   vpunpckhwd xmm0, xmm0, xmm15
;;   return
;; $i32x4_extmul_high_i16x8_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmulhuw xmm15, xmm8, xmm9
;;   vpmullw xmm0, xmm8, xmm9
;;   vpunpckhwd xmm0, xmm0, xmm15
;;   return
;; $i32x4_extmul_low_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmulhw xmm15, xmm8, xmm9
;;   vpmullw xmm0, xmm8, xmm9
;;   vpunpcklwd xmm0, xmm0, xmm15
;;   return
;; $i32x4_extmul_low_i16x8_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmulhuw xmm15, xmm8, xmm9
;;   vpmullw xmm0, xmm8, xmm9
;;   vpunpcklwd xmm0, xmm0, xmm15
;;   return
;; $i32x4_extend_high_i16x8_s
;;   movaps xmm8, xmm0
;;   vpshufd xmm0, xmm8, 0xEE
;;   vpmovsxwd xmm0, xmm0
;;   return
;; $i32x4_extend_high_i16x8_u
;;   movaps xmm8, xmm0
;;   vpunpckhwd xmm0, xmm8, [0x00000000000000000000000000000000]
;;   return
;; $i32x4_extend_low_i16x8_s
;;   movaps xmm8, xmm0
;;   vpmovsxwd xmm0, xmm8
;;   return
;; $i32x4_extend_low_i16x8_u
;;   movaps xmm8, xmm0
;;   vpmovzxwd xmm0, xmm8
;;   return
;; $i32x4_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxsd xmm15, xmm8, xmm9
;;   vpcmpeqd xmm0, xmm8, xmm15
;;   return
;; $i32x4_ge_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxud xmm15, xmm8, xmm9
;;   vpcmpeqd xmm0, xmm8, xmm15
;;   return
;; $i32x4_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtd xmm0, xmm8, xmm9
;;   return
;; $i32x4_gt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpxor xmm15, xmm9, [0x80000000800000008000000080000000]
;;   vpxor xmm0, xmm8, [0x80000000800000008000000080000000]
;;   vpcmpgtd xmm0, xmm0, xmm15
;;   return
;; $i32x4_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminsd xmm15, xmm8, xmm9
;;   vpcmpeqd xmm0, xmm8, xmm15
;;   return
;; $i32x4_le_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminud xmm15, xmm8, xmm9
;;   vpcmpeqd xmm0, xmm8, xmm15
;;   return
;; $i32x4_lt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpxor xmm15, xmm8, [0x80000000800000008000000080000000]
;;   vpxor xmm0, xmm9, [0x80000000800000008000000080000000]
;;   vpcmpgtd xmm0, xmm0, xmm15
;;   return
;; $i32x4_max_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxsd xmm0, xmm8, xmm9
;;   return
;; $i32x4_max_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxud xmm0, xmm8, xmm9
;;   return
;; $i32x4_min_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminsd xmm0, xmm8, xmm9
;;   return
;; $i32x4_min_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminud xmm0, xmm8, xmm9
;;   return
;; $i32x4_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmulld xmm0, xmm8, xmm9
;;   return
;; $i32x4_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqd xmm0, xmm8, xmm9
;;   vpxor xmm0, xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i32x4_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x1F
;;   vmovd xmm15, r11d
;;   vpsrad xmm0, xmm8, xmm15
;;   return
;; $i32x4_shr_u
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0x1F
;;   vmovd xmm15, r11d
;;   vpsrld xmm0, xmm8, xmm15
;;   return
;; $i32x4_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubd xmm0, xmm8, xmm9
;;   return
;; $i32x4_trunc_sat_f32x4_s
;;   movaps xmm8, xmm0
;;   vcmpeqps xmm15, xmm8, xmm8
;;   vandps xmm0, xmm8, xmm15
;;   vcmpnltps xmm15, xmm0, [0x4f0000004f0000004f0000004f000000]
;;   vcvttps2dq xmm0, xmm0
;;   vpxor xmm0, xmm0, xmm15
;;   return
;; $i32x4_trunc_sat_f32x4_u
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vmaxps xmm1, xmm8, xmm15
;;   vsubps xmm0, xmm1, [0x4f0000004f0000004f0000004f000000]
;;   vcmpnltps xmm15, xmm0, [0x4f0000004f0000004f0000004f000000]
;;   vcvttps2dq xmm1, xmm1
;;   vcvttps2dq xmm0, xmm0
;;   vpxor xmm0, xmm0, xmm15
;;   vpxor xmm15, xmm15, xmm15
;;   vpmaxsd xmm0, xmm0, xmm15
;;   vpaddd xmm1, xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i32x4_trunc_sat_f64x2_s_zero
;;   movaps xmm8, xmm0
;;   vcmpeqpd xmm15, xmm8, xmm8
;;   vandps xmm15, xmm15, [0x41dfffffffc0000041dfffffffc00000]
;;   vminpd xmm0, xmm8, xmm15
;;   vcvttpd2dq xmm0, xmm0
;;   return
;; $i32x4_trunc_sat_f64x2_u_zero
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vmaxpd xmm0, xmm8, xmm15
;;   vminpd xmm0, xmm0, [0x41efffffffe0000041efffffffe00000]
;;   vroundpd xmm0, xmm0, 0xB
;;   vaddpd xmm0, xmm0, [0x43300000000000004330000000000000]
;;   vshufps xmm0, xmm0, xmm15, 0x88
;;   return
