;; With AVX the left operand survives.
(module
  (func $both (param f64 f64) (result f64)
    (f64.div (f64.add (local.get 0) (local.get 1)) (f64.sub (local.get 0) (local.get 1)))))
;;! x64 avx
;; $both
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vaddsd xmm0, xmm9, xmm8
;;   vsubsd xmm1, xmm8, xmm9
;;   vdivsd xmm0, xmm0, xmm1
;;   return
