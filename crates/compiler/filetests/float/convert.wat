;; Conversions, with the cases that x86 lacks.
(module
  (func $f64_i32_s (param i32) (result f64) (f64.convert_i32_s (local.get 0)))
  (func $f64_i32_u (param i32) (result f64) (f64.convert_i32_u (local.get 0)))
  (func $f32_i64_u (param i64) (result f32) (f32.convert_i64_u (local.get 0)))
  (func $i32_f64_s (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func $i64_f64_sat_u (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0)))
  (func $promote (param f32) (result f64) (f64.promote_f32 (local.get 0)))
  (func $bits (param f64) (result i64) (i64.reinterpret_f64 (local.get 0))))
;;! x64
;; $f64_i32_s
;;   xorps xmm0, xmm0
;;   cvtsi2sd xmm0, edx
;;   return
;; $f64_i32_u
;;   xorps xmm0, xmm0
;;   cvtsi2sd xmm0, rdx
;;   return
;; $f32_i64_u
;;   xorps xmm0, xmm0
;;   test rdx, rdx
;;   js L0
;;   cvtsi2ss xmm0, rdx
;;   jmp L1
;; L0:
;;   mov rax, rdx
;;   mov r11d, edx
;;   shr rax, 1
;;   and r11d, 1
;;   or rax, r11
;;   cvtsi2ss xmm0, rax
;;   addss xmm0, xmm0
;; L1:
;;   return
;; $i32_f64_s
;;   movaps xmm8, xmm0
;;   cvttsd2si rax, xmm8
;;   movsxd r11, eax
;;   cmp r11, rax
;;   mov eax, eax
;;   je L0
;;   ucomisd xmm8, xmm8
;;   jp L1
;;   jmp L2
;; L0:
;;   return
;; L1:
;;   ud2  ; BadConversionToInteger
;; L2:
;;   ud2  ; IntegerOverflow
;; $i64_f64_sat_u
;;   movaps xmm8, xmm0
;;   cvttsd2si rax, xmm8
;;   test rax, rax
;;   jns L0
;;   mov r11, 0xC3E0000000000000
;;   movq xmm0, r11
;;   addsd xmm0, xmm8
;;   cvttsd2si rax, xmm0
;;   btc rax, 0x3F
;;   test rax, rax
;;   js L0
;;   xorps xmm15, xmm15
;;   xor eax, eax
;;   ucomisd xmm8, xmm15
;;   mov r11, 0xFFFFFFFFFFFFFFFF
;;   cmova rax, r11
;; L0:
;;   return
;; $promote
;;   movaps xmm8, xmm0
;;   xorps xmm1, xmm1
;;   cvtss2sd xmm1, xmm8
;;   movaps xmm0, xmm1
;;   return
;; $bits
;;   movaps xmm8, xmm0
;;   movq rax, xmm8
;;   return
