;; Operators of f64x2 that the other files leave out: each on its own.
(module
  (func $f64x2_abs (param v128) (result v128) (f64x2.abs (local.get 0)))
  (func $f64x2_add (param v128 v128) (result v128) (f64x2.add (local.get 0) (local.get 1)))
  (func $f64x2_ceil (param v128) (result v128) (f64x2.ceil (local.get 0)))
  (func $f64x2_convert_low_i32x4_s (param v128) (result v128) (f64x2.convert_low_i32x4_s (local.get 0)))
  (func $f64x2_convert_low_i32x4_u (param v128) (result v128) (f64x2.convert_low_i32x4_u (local.get 0)))
  (func $f64x2_div (param v128 v128) (result v128) (f64x2.div (local.get 0) (local.get 1)))
  (func $f64x2_eq (param v128 v128) (result v128) (f64x2.eq (local.get 0) (local.get 1)))
  (func $f64x2_floor (param v128) (result v128) (f64x2.floor (local.get 0)))
  (func $f64x2_ge (param v128 v128) (result v128) (f64x2.ge (local.get 0) (local.get 1)))
  (func $f64x2_gt (param v128 v128) (result v128) (f64x2.gt (local.get 0) (local.get 1)))
  (func $f64x2_le (param v128 v128) (result v128) (f64x2.le (local.get 0) (local.get 1)))
  (func $f64x2_lt (param v128 v128) (result v128) (f64x2.lt (local.get 0) (local.get 1)))
  (func $f64x2_max (param v128 v128) (result v128) (f64x2.max (local.get 0) (local.get 1)))
  (func $f64x2_min (param v128 v128) (result v128) (f64x2.min (local.get 0) (local.get 1)))
  (func $f64x2_mul (param v128 v128) (result v128) (f64x2.mul (local.get 0) (local.get 1)))
  (func $f64x2_ne (param v128 v128) (result v128) (f64x2.ne (local.get 0) (local.get 1)))
  (func $f64x2_nearest (param v128) (result v128) (f64x2.nearest (local.get 0)))
  (func $f64x2_pmax (param v128 v128) (result v128) (f64x2.pmax (local.get 0) (local.get 1)))
  (func $f64x2_pmin (param v128 v128) (result v128) (f64x2.pmin (local.get 0) (local.get 1)))
  (func $f64x2_promote_low_f32x4 (param v128) (result v128) (f64x2.promote_low_f32x4 (local.get 0)))
  (func $f64x2_sqrt (param v128) (result v128) (f64x2.sqrt (local.get 0)))
  (func $f64x2_sub (param v128 v128) (result v128) (f64x2.sub (local.get 0) (local.get 1)))
  (func $f64x2_trunc (param v128) (result v128) (f64x2.trunc (local.get 0))))
;;! x64
;; $f64x2_abs
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   andps xmm0, [0x7fffffffffffffff7fffffffffffffff]
;;   return
;; $f64x2_add
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   addpd xmm0, xmm9
;;   return
;; $f64x2_ceil
;;   movaps xmm8, xmm0
;;   roundpd xmm0, xmm8, 0xA
;;   return
;; $f64x2_convert_low_i32x4_s
;;   movaps xmm8, xmm0
;;   cvtdq2pd xmm0, xmm8
;;   return
;; $f64x2_convert_low_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   unpcklps xmm0, [0x43300000433000004330000043300000]
;;   subpd xmm0, [0x43300000000000004330000000000000]
;;   return
;; $f64x2_div
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   divpd xmm0, xmm9
;;   return
;; $f64x2_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmpeqpd xmm0, xmm9
;;   return
;; $f64x2_floor
;;   movaps xmm8, xmm0
;;   roundpd xmm0, xmm8, 9
;;   return
;; $f64x2_ge
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   cmplepd xmm0, xmm8
;;   return
;; $f64x2_gt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   cmpltpd xmm0, xmm8
;;   return
;; $f64x2_le
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmplepd xmm0, xmm9
;;   return
;; $f64x2_lt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmpltpd xmm0, xmm9
;;   return
;; $f64x2_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   maxpd xmm15, xmm8
;;   movaps xmm0, xmm8
;;   maxpd xmm0, xmm9
;;   andps xmm0, xmm15
;;   movaps xmm15, xmm8
;;   cmpunordpd xmm15, xmm9
;;   orps xmm0, xmm15
;;   psrlq xmm15, 0xD
;;   andnps xmm15, xmm0
;;   movaps xmm0, xmm15
;;   return
;; $f64x2_min
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   minpd xmm15, xmm8
;;   movaps xmm0, xmm8
;;   minpd xmm0, xmm9
;;   orps xmm0, xmm15
;;   movaps xmm15, xmm8
;;   cmpunordpd xmm15, xmm9
;;   orps xmm0, xmm15
;;   psrlq xmm15, 0xD
;;   andnps xmm15, xmm0
;;   movaps xmm0, xmm15
;;   return
;; $f64x2_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   mulpd xmm0, xmm9
;;   return
;; $f64x2_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmpneqpd xmm0, xmm9
;;   return
;; $f64x2_nearest
;;   movaps xmm8, xmm0
;;   roundpd xmm0, xmm8, 8
;;   return
;; $f64x2_pmax
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   maxpd xmm0, xmm8
;;   return
;; $f64x2_pmin
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   minpd xmm0, xmm8
;;   return
;; $f64x2_promote_low_f32x4
;;   movaps xmm8, xmm0
;;   cvtps2pd xmm0, xmm8
;;   return
;; $f64x2_sqrt
;;   movaps xmm8, xmm0
;;   sqrtpd xmm0, xmm8
;;   return
;; $f64x2_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   subpd xmm0, xmm9
;;   return
;; $f64x2_trunc
;;   movaps xmm8, xmm0
;;   roundpd xmm0, xmm8, 0xB
;;   return
;;! x64 avx avx2
;; $f64x2_abs
;;   movaps xmm8, xmm0
;;   vandps xmm0, xmm8, [0x7fffffffffffffff7fffffffffffffff]
;;   return
;; $f64x2_add
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vaddpd xmm0, xmm8, xmm9
;;   return
;; $f64x2_ceil
;;   movaps xmm8, xmm0
;;   vroundpd xmm0, xmm8, 0xA
;;   return
;; $f64x2_convert_low_i32x4_s
;;   movaps xmm8, xmm0
;;   vcvtdq2pd xmm0, xmm8
;;   return
;; $f64x2_convert_low_i32x4_u
;;   movaps xmm8, xmm0
;;   vunpcklps xmm0, xmm8, [0x43300000433000004330000043300000]
;;   vsubpd xmm0, xmm0, [0x43300000000000004330000000000000]
;;   return
;; $f64x2_div
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vdivpd xmm0, xmm8, xmm9
;;   return
;; $f64x2_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpeqpd xmm0, xmm8, xmm9
;;   return
;; $f64x2_floor
;;   movaps xmm8, xmm0
;;   vroundpd xmm0, xmm8, 9
;;   return
;; $f64x2_ge
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmplepd xmm0, xmm9, xmm8
;;   return
;; $f64x2_gt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpltpd xmm0, xmm9, xmm8
;;   return
;; $f64x2_le
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmplepd xmm0, xmm8, xmm9
;;   return
;; $f64x2_lt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpltpd xmm0, xmm8, xmm9
;;   return
;; $f64x2_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmaxpd xmm15, xmm9, xmm8
;;   vmaxpd xmm0, xmm8, xmm9
;;   vandps xmm0, xmm0, xmm15
;;   vcmpunordpd xmm15, xmm8, xmm9
;;   vblendvpd xmm0, xmm0, [0x7ff80000000000007ff8000000000000], xmm15
;;   return
;; $f64x2_min
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vminpd xmm15, xmm9, xmm8
;;   vminpd xmm0, xmm8, xmm9
;;   vorps xmm0, xmm0, xmm15
;;   vcmpunordpd xmm15, xmm8, xmm9
;;   vblendvpd xmm0, xmm0, [0x7ff80000000000007ff8000000000000], xmm15
;;   return
;; $f64x2_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmulpd xmm0, xmm8, xmm9
;;   return
;; $f64x2_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpneqpd xmm0, xmm8, xmm9
;;   return
;; $f64x2_nearest
;;   movaps xmm8, xmm0
;;   vroundpd xmm0, xmm8, 8
;;   return
;; $f64x2_pmax
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmaxpd xmm0, xmm9, xmm8
;;   return
;; $f64x2_pmin
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vminpd xmm0, xmm9, xmm8
;;   return
;; $f64x2_promote_low_f32x4
;;   movaps xmm8, xmm0
;;   vcvtps2pd xmm0, xmm8
;;   return
;; $f64x2_sqrt
;;   movaps xmm8, xmm0
;;   vsqrtpd xmm0, xmm8
;;   return
;; $f64x2_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vsubpd xmm0, xmm8, xmm9
;;   return
;; $f64x2_trunc
;;   movaps xmm8, xmm0
;;   vroundpd xmm0, xmm8, 0xB
;;   return
