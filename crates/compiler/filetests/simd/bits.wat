;; Vectors as 128 bits.
(module
  (func $v128_and (param v128 v128) (result v128) (v128.and (local.get 0) (local.get 1)))
  (func $v128_any_true (param v128) (result i32) (v128.any_true (local.get 0)))
  (func $v128_or (param v128 v128) (result v128) (v128.or (local.get 0) (local.get 1))))
;;! x64
;; $v128_and
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pand xmm0, xmm9
;;   return
;; $v128_any_true
;;   movaps xmm8, xmm0
;;   ptest xmm8, xmm8
;;   setne al
;;   movzx eax, al
;;   return
;; $v128_or
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   por xmm0, xmm9
;;   return
;;! x64 avx avx2
;; $v128_and
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpand xmm0, xmm8, xmm9
;;   return
;; $v128_any_true
;;   movaps xmm8, xmm0
;;   vptest xmm8, xmm8
;;   setne al
;;   movzx eax, al
;;   return
;; $v128_or
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpor xmm0, xmm8, xmm9
;;   return
