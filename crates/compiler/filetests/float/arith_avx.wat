;; With AVX the left operand survives.
(module
  (func $both (param f64 f64) (result f64)
    (f64.div (f64.add (local.get 0) (local.get 1)) (f64.sub (local.get 0) (local.get 1)))))
;;! x64 avx
;; $both
;;   movaps xmm8, xmm0
;;   vaddsd xmm0, xmm8, xmm1
;;   vsubsd xmm2, xmm8, xmm1
;;   vdivsd xmm0, xmm0, xmm2
;;   return
