;; Relaxed operators, each on its own.
(module
  (func $i8x16_relaxed_laneselect (param v128 v128 v128) (result v128)
    (i8x16.relaxed_laneselect (local.get 0) (local.get 1) (local.get 2)))
  (func $i64x2_relaxed_laneselect (param v128 v128 v128) (result v128)
    (i64x2.relaxed_laneselect (local.get 0) (local.get 1) (local.get 2)))
  (func $i16x8_relaxed_q15mulr_s (param v128 v128) (result v128) (i16x8.relaxed_q15mulr_s (local.get 0) (local.get 1)))
  (func $i16x8_relaxed_dot (param v128 v128) (result v128) (i16x8.relaxed_dot_i8x16_i7x16_s (local.get 0) (local.get 1)))
  (func $i32x4_relaxed_trunc_f64x2_s_zero (param v128) (result v128)
    (i32x4.relaxed_trunc_f64x2_s_zero (local.get 0)))
  (func $f32x4_relaxed_max (param v128 v128) (result v128) (f32x4.relaxed_max (local.get 0) (local.get 1)))
  (func $f32x4_relaxed_nmadd (param v128 v128 v128) (result v128) (f32x4.relaxed_nmadd (local.get 0) (local.get 1) (local.get 2)))
  (func $f64x2_relaxed_madd (param v128 v128 v128) (result v128) (f64x2.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))
  (func $f64x2_relaxed_max (param v128 v128) (result v128) (f64x2.relaxed_max (local.get 0) (local.get 1)))
  (func $f64x2_relaxed_min (param v128 v128) (result v128) (f64x2.relaxed_min (local.get 0) (local.get 1)))
  (func $i16x8_relaxed_laneselect (param v128 v128 v128) (result v128) (i16x8.relaxed_laneselect (local.get 0) (local.get 1) (local.get 2)))
  (func $i32x4_relaxed_trunc_f32x4_u (param v128) (result v128) (i32x4.relaxed_trunc_f32x4_u (local.get 0)))
  (func $i32x4_relaxed_trunc_f64x2_u_zero (param v128) (result v128) (i32x4.relaxed_trunc_f64x2_u_zero (local.get 0))))
;;! x64
;; $i8x16_relaxed_laneselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   pxor xmm15, xmm15
;;   pcmpgtb xmm15, xmm10
;;   movaps xmm0, xmm8
;;   pxor xmm0, xmm9
;;   pand xmm0, xmm15
;;   pxor xmm0, xmm9
;;   return
;; $i64x2_relaxed_laneselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   pshufd xmm15, xmm10, 0xF5
;;   psrad xmm15, 0x1F
;;   movaps xmm0, xmm8
;;   pxor xmm0, xmm9
;;   pand xmm0, xmm15
;;   pxor xmm0, xmm9
;;   return
;; $i16x8_relaxed_q15mulr_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmulhrsw xmm0, xmm9
;;   return
;; $i16x8_relaxed_dot
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   pmaddubsw xmm0, xmm8
;;   return
;; $i32x4_relaxed_trunc_f64x2_s_zero
;;   movaps xmm8, xmm0
;;   cvttpd2dq xmm0, xmm8
;;   return
;; $f32x4_relaxed_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   maxps xmm0, xmm8
;;   return
;; $f32x4_relaxed_nmadd
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   movaps xmm15, xmm8
;;   xorps xmm15, [0x80000000800000008000000080000000]
;;   mulps xmm15, xmm9
;;   movaps xmm0, xmm15
;;   addps xmm0, xmm10
;;   return
;; $f64x2_relaxed_madd
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   movaps xmm15, xmm8
;;   mulpd xmm15, xmm9
;;   movaps xmm0, xmm15
;;   addpd xmm0, xmm10
;;   return
;; $f64x2_relaxed_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   maxpd xmm0, xmm8
;;   return
;; $f64x2_relaxed_min
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   minpd xmm0, xmm8
;;   return
;; $i16x8_relaxed_laneselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   movaps xmm0, xmm8
;;   pxor xmm0, xmm9
;;   pand xmm0, xmm10
;;   pxor xmm0, xmm9
;;   return
;; $i32x4_relaxed_trunc_f32x4_u
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
;; $i32x4_relaxed_trunc_f64x2_u_zero
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   movaps xmm0, xmm8
;;   maxpd xmm0, xmm15
;;   minpd xmm0, [0x41efffffffe0000041efffffffe00000]
;;   roundpd xmm0, xmm0, 0xB
;;   addpd xmm0, [0x43300000000000004330000000000000]
;;   shufps xmm0, xmm15, 0x88
;;   return
;;! x64 avx avx2 fma
;; $i8x16_relaxed_laneselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   vpblendvb xmm0, xmm9, xmm8, xmm10
;;   return
;; $i64x2_relaxed_laneselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   vblendvpd xmm0, xmm9, xmm8, xmm10
;;   return
;; $i16x8_relaxed_q15mulr_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmulhrsw xmm0, xmm8, xmm9
;;   return
;; $i16x8_relaxed_dot
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaddubsw xmm0, xmm9, xmm8
;;   return
;; $i32x4_relaxed_trunc_f64x2_s_zero
;;   movaps xmm8, xmm0
;;   vcvttpd2dq xmm0, xmm8
;;   return
;; $f32x4_relaxed_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmaxps xmm0, xmm9, xmm8
;;   return
;; $f32x4_relaxed_nmadd
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   movaps xmm0, xmm8
;;   vfnmadd213ps xmm0, xmm9, xmm10
;;   return
;; $f64x2_relaxed_madd
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   movaps xmm0, xmm8
;;   vfmadd213pd xmm0, xmm9, xmm10
;;   return
;; $f64x2_relaxed_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmaxpd xmm0, xmm9, xmm8
;;   return
;; $f64x2_relaxed_min
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vminpd xmm0, xmm9, xmm8
;;   return
;; $i16x8_relaxed_laneselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   vpxor xmm0, xmm8, xmm9
;;   vpand xmm0, xmm0, xmm10
;;   vpxor xmm0, xmm0, xmm9
;;   return
;; $i32x4_relaxed_trunc_f32x4_u
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
;; $i32x4_relaxed_trunc_f64x2_u_zero
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vmaxpd xmm0, xmm8, xmm15
;;   vminpd xmm0, xmm0, [0x41efffffffe0000041efffffffe00000]
;;   vroundpd xmm0, xmm0, 0xB
;;   vaddpd xmm0, xmm0, [0x43300000000000004330000000000000]
;;   vshufps xmm0, xmm0, xmm15, 0x88
;;   return
