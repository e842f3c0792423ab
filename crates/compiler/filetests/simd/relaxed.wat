;; Relaxed operators: an accumulator stays in its place, a mask is taken by its highest bits.
(module
  (func $madd (param v128 v128 v128) (result v128)
    (local.set 2 (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))
    (f64x2.relaxed_nmadd (local.get 2) (local.get 1) (local.get 0)))
  (func $laneselect (param v128 v128 v128) (result v128)
    (i32x4.relaxed_laneselect (local.get 0) (local.get 1) (local.get 2)))
  (func $others (param v128 v128) (result v128)
    (f32x4.relaxed_min (i8x16.relaxed_swizzle (local.get 0) (local.get 1)) (i32x4.relaxed_trunc_f32x4_s (local.get 0))))
  (func $dot (param v128 v128 v128) (result v128)
    (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get 0) (local.get 1) (local.get 2))))
;;! x64 avx avx2 fma
;; $madd
;;   movaps xmm8, xmm2
;;   movaps xmm9, xmm0
;;   movaps xmm10, xmm1
;;   vfmadd231ps xmm8, xmm9, xmm10
;;   movaps xmm0, xmm8
;;   vfnmadd213pd xmm0, xmm10, xmm9
;;   return
;; $laneselect
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   vblendvps xmm0, xmm9, xmm8, xmm10
;;   return
;; $others
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufb xmm0, xmm8, xmm9
;;   vcvttps2dq xmm1, xmm8
;;   vminps xmm0, xmm1, xmm0
;;   return
;; $dot
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm10, xmm2
;;   vpmaddubsw xmm15, xmm9, xmm8
;;   vpmaddwd xmm15, xmm15, [0x00010001000100010001000100010001]
;;   vpaddd xmm0, xmm15, xmm10
;;   return
