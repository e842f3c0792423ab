;; Operators of f32x4 that the other files leave out: each on its own.
(module
  (func $f32x4_abs (param v128) (result v128) (f32x4.abs (local.get 0)))
  (func $f32x4_add (param v128 v128) (result v128) (f32x4.add (local.get 0) (local.get 1)))
  (func $f32x4_ceil (param v128) (result v128) (f32x4.ceil (local.get 0)))
  (func $f32x4_convert_i32x4_s (param v128) (result v128) (f32x4.convert_i32x4_s (local.get 0)))
  (func $f32x4_convert_i32x4_u (param v128) (result v128) (f32x4.convert_i32x4_u (local.get 0)))
  (func $f32x4_demote_f64x2_zero (param v128) (result v128) (f32x4.demote_f64x2_zero (local.get 0)))
  (func $f32x4_div (param v128 v128) (result v128) (f32x4.div (local.get 0) (local.get 1)))
  (func $f32x4_eq (param v128 v128) (result v128) (f32x4.eq (local.get 0) (local.get 1)))
  (func $f32x4_floor (param v128) (result v128) (f32x4.floor (local.get 0)))
  (func $f32x4_ge (param v128 v128) (result v128) (f32x4.ge (local.get 0) (local.get 1)))
  (func $f32x4_gt (param v128 v128) (result v128) (f32x4.gt (local.get 0) (local.get 1)))
  (func $f32x4_le (param v128 v128) (result v128) (f32x4.le (local.get 0) (local.get 1)))
  (func $f32x4_lt (param v128 v128) (result v128) (f32x4.lt (local.get 0) (local.get 1)))
  (func $f32x4_max (param v128 v128) (result v128) (f32x4.max (local.get 0) (local.get 1)))
  (func $f32x4_ne (param v128 v128) (result v128) (f32x4.ne (local.get 0) (local.get 1)))
  (func $f32x4_nearest (param v128) (result v128) (f32x4.nearest (local.get 0)))
  (func $f32x4_neg (param v128) (result v128) (f32x4.neg (local.get 0)))
  (func $f32x4_pmax (param v128 v128) (result v128) (f32x4.pmax (local.get 0) (local.get 1)))
  (func $f32x4_pmin (param v128 v128) (result v128) (f32x4.pmin (local.get 0) (local.get 1)))
  (func $f32x4_sub (param v128 v128) (result v128) (f32x4.sub (local.get 0) (local.get 1)))
  (func $f32x4_trunc (param v128) (result v128) (f32x4.trunc (local.get 0))))
;;! x64
;; $f32x4_abs
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   andps xmm0, [0x7fffffff7fffffff7fffffff7fffffff]
;;   return
;; $f32x4_add
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   addps xmm0, xmm9
;;   return
;; $f32x4_ceil
;;   movaps xmm8, xmm0
;;   roundps xmm0, xmm8, 0xA
;;   return
;; $f32x4_convert_i32x4_s
;;   movaps xmm8, xmm0
;;   cvtdq2ps xmm0, xmm8
;;   return
;; $f32x4_convert_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm15, xmm8
;;   pblendw xmm15, [0x4b0000004b0000004b0000004b000000], 0xAA
;;   movaps xmm0, xmm8
;;   psrld xmm0, 0x10
;;   pblendw xmm0, [0x53000000530000005300000053000000], 0xAA
;;   subps xmm0, [0x53000080530000805300008053000080]
;;   addps xmm0, xmm15
;;   return
;; $f32x4_demote_f64x2_zero
;;   movaps xmm8, xmm0
;;   cvtpd2ps xmm0, xmm8
;;   return
;; $f32x4_div
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   divps xmm0, xmm9
;;   return
;; $f32x4_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmpeqps xmm0, xmm9
;;   return
;; $f32x4_floor
;;   movaps xmm8, xmm0
;;   roundps xmm0, xmm8, 9
;;   return
;; $f32x4_ge
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   cmpleps xmm0, xmm8
;;   return
;; $f32x4_gt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   cmpltps xmm0, xmm8
;;   return
;; $f32x4_le
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmpleps xmm0, xmm9
;;   return
;; $f32x4_lt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmpltps xmm0, xmm9
;;   return
;; $f32x4_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   maxps xmm15, xmm8
;;   movaps xmm0, xmm8
;;   maxps xmm0, xmm9
;;   andps xmm0, xmm15
;;   movaps xmm15, xmm8
;;   cmpunordps xmm15, xmm9
;;   orps xmm0, xmm15
;;   psrld xmm15, 0xA
;;   andnps xmm15, xmm0
;;   movaps xmm0, xmm15
;;   return
;; $f32x4_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   cmpneqps xmm0, xmm9
;;   return
;; $f32x4_nearest
;;   movaps xmm8, xmm0
;;   roundps xmm0, xmm8, 8
;;   return
;; $f32x4_neg
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   xorps xmm0, [0x80000000800000008000000080000000]
;;   return
;; $f32x4_pmax
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   maxps xmm0, xmm8
;;   return
;; $f32x4_pmin
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   minps xmm0, xmm8
;;   return
;; $f32x4_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   subps xmm0, xmm9
;;   return
;; $f32x4_trunc
;;   movaps xmm8, xmm0
;;   roundps xmm0, xmm8, 0xB
;;   return
;;! x64 avx avx2
;; $f32x4_abs
;;   movaps xmm8, xmm0
;;   vandps xmm0, xmm8, [0x7fffffff7fffffff7fffffff7fffffff]
;;   return
;; $f32x4_add
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vaddps xmm0, xmm8, xmm9
;;   return
;; $f32x4_ceil
;;   movaps xmm8, xmm0
;;   vroundps xmm0, xmm8, 0xA
;;   return
;; $f32x4_convert_i32x4_s
;;   movaps xmm8, xmm0
;;   vcvtdq2ps xmm0, xmm8
;;   return
;; $f32x4_convert_i32x4_u
;;   movaps xmm8, xmm0
;;   vpblendw xmm15, xmm8, [0x4b0000004b0000004b0000004b000000], 0xAA
;;   vpsrld xmm0, xmm8, 0x10
;;   vpblendw xmm0, xmm0, [0x53000000530000005300000053000000], 0xAA
;;   vsubps xmm0, xmm0, [0x53000080530000805300008053000080]
;;   vaddps xmm0, xmm0, xmm15
;;   return
;; $f32x4_demote_f64x2_zero
;;   movaps xmm8, xmm0
;;   vcvtpd2ps xmm0, xmm8
;;   return
;; $f32x4_div
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vdivps xmm0, xmm8, xmm9
;;   return
;; $f32x4_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpeqps xmm0, xmm8, xmm9
;;   return
;; $f32x4_floor
;;   movaps xmm8, xmm0
;;   vroundps xmm0, xmm8, 9
;;   return
;; $f32x4_ge
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpleps xmm0, xmm9, xmm8
;;   return
;; $f32x4_gt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpltps xmm0, xmm9, xmm8
;;   return
;; $f32x4_le
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpleps xmm0, xmm8, xmm9
;;   return
;; $f32x4_lt
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpltps xmm0, xmm8, xmm9
;;   return
;; $f32x4_max
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmaxps xmm15, xmm9, xmm8
;;   vmaxps xmm0, xmm8, xmm9
;;   vandps xmm0, xmm0, xmm15
;;   vcmpunordps xmm15, xmm8, xmm9
;;   vblendvps xmm0, xmm0, [0x7fc000007fc000007fc000007fc00000], xmm15
;;   return
;; $f32x4_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vcmpneqps xmm0, xmm8, xmm9
;;   return
;; $f32x4_nearest
;;   movaps xmm8, xmm0
;;   vroundps xmm0, xmm8, 8
;;   return
;; $f32x4_neg
;;   movaps xmm8, xmm0
;;   vxorps xmm0, xmm8, [0x80000000800000008000000080000000]
;;   return
;; $f32x4_pmax
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmaxps xmm0, xmm9, xmm8
;;   return
;; $f32x4_pmin
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vminps xmm0, xmm9, xmm8
;;   return
;; $f32x4_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vsubps xmm0, xmm8, xmm9
;;   return
;; $f32x4_trunc
;;   movaps xmm8, xmm0
;;   vroundps xmm0, xmm8, 0xB
;;   return
