;; Operators of f64 that the other files leave out: each on its own.
(module
  (func $f64_abs (param f64) (result f64) (f64.abs (local.get 0)))
  (func $f64_ceil (param f64) (result f64) (f64.ceil (local.get 0)))
  (func $f64_convert_i64_s (param i64) (result f64) (f64.convert_i64_s (local.get 0)))
  (func $f64_convert_i64_u (param i64) (result f64) (f64.convert_i64_u (local.get 0)))
  (func $f64_ge (param f64 f64) (result i32) (f64.ge (local.get 0) (local.get 1)))
  (func $f64_gt (param f64 f64) (result i32) (f64.gt (local.get 0) (local.get 1)))
  (func $f64_le (param f64 f64) (result i32) (f64.le (local.get 0) (local.get 1)))
  (func $f64_max (param f64 f64) (result f64) (f64.max (local.get 0) (local.get 1)))
  (func $f64_ne (param f64 f64) (result i32) (f64.ne (local.get 0) (local.get 1)))
  (func $f64_nearest (param f64) (result f64) (f64.nearest (local.get 0)))
  (func $f64_reinterpret_i64 (param i64) (result f64) (f64.reinterpret_i64 (local.get 0)))
  (func $f64_trunc (param f64) (result f64) (f64.trunc (local.get 0))))
;;! x64
;; $f64_abs
;;   movaps xmm8, xmm0
;;   pcmpeqd xmm0, xmm0
;;   psrlq xmm0, 1
;;   andps xmm0, xmm8
;;   return
;; $f64_ceil
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundsd xmm0, xmm8, 0xA
;;   return
;; $f64_convert_i64_s
;;   xorps xmm0, xmm0
;;   cvtsi2sd xmm0, rdx
;;   return
;; $f64_convert_i64_u
;;   xorps xmm0, xmm0
;;   test rdx, rdx
;;   js L0
;;   cvtsi2sd xmm0, rdx
;;   jmp L1
;; L0:
;;   mov rax, rdx
;;   mov r11d, edx
;;   shr rax, 1
;;   and r11d, 1
;;   or rax, r11
;;   cvtsi2sd xmm0, rax
;;   addsd xmm0, xmm0
;; L1:
;;   return
;; $f64_ge
;;   movaps xmm8, xmm0
;;   ucomisd xmm8, xmm1
;;   setae al
;;   movzx eax, al
;;   return
;; $f64_gt
;;   movaps xmm8, xmm0
;;   ucomisd xmm8, xmm1
;;   seta al
;;   movzx eax, al
;;   return
;; $f64_le
;;   movaps xmm8, xmm0
;;   ucomisd xmm1, xmm8
;;   setae al
;;   movzx eax, al
;;   return
;; $f64_max
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   ucomisd xmm8, xmm1
;;   jne L1
;;   jp L0
;;   andps xmm0, xmm1
;;   jmp L2
;; L0:
;;   addsd xmm0, xmm1
;;   jmp L2
;; L1:
;;   maxsd xmm0, xmm1
;; L2:
;;   return
;; $f64_ne
;;   movaps xmm8, xmm0
;;   ucomisd xmm8, xmm1
;;   setp r11b
;;   setne al
;;   or eax, r11d
;;   movzx eax, al
;;   return
;; $f64_nearest
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundsd xmm0, xmm8, 8
;;   return
;; $f64_reinterpret_i64
;;   movq xmm0, rdx
;;   return
;; $f64_trunc
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundsd xmm0, xmm8, 0xB
;;   return
