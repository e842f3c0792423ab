;; Floats to i64: what traps, what saturates, what only moves.
(module
  (func $i64_trunc_f32_s (param f32) (result i64) (i64.trunc_f32_s (local.get 0)))
  (func $i64_trunc_f32_u (param f32) (result i64) (i64.trunc_f32_u (local.get 0)))
  (func $i64_trunc_f64_s (param f64) (result i64) (i64.trunc_f64_s (local.get 0)))
  (func $i64_trunc_f64_u (param f64) (result i64) (i64.trunc_f64_u (local.get 0)))
  (func $i64_trunc_sat_f32_s (param f32) (result i64) (i64.trunc_sat_f32_s (local.get 0)))
  (func $i64_trunc_sat_f32_u (param f32) (result i64) (i64.trunc_sat_f32_u (local.get 0)))
  (func $i64_trunc_sat_f64_s (param f64) (result i64) (i64.trunc_sat_f64_s (local.get 0))))
;;! x64
;; $i64_trunc_f32_s
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   cmp rax, 1
;;   jno L0
;;   ucomiss xmm8, xmm8
;;   jp L1
;;   xorps xmm15, xmm15
;;   cvtsi2ss xmm15, rax
;;   ucomiss xmm8, xmm15
;;   jne L2
;; L0:
;;   return
;; L1:
;;   ud2  ; BadConversionToInteger
;; L2:
;;   ud2  ; IntegerOverflow
;; $i64_trunc_f32_u
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   test rax, rax
;;   jns L0
;;   mov r11d, 0xDF000000
;;   movd xmm0, r11d
;;   addss xmm0, xmm8
;;   cvttss2si rax, xmm0
;;   btc rax, 0x3F
;;   test rax, rax
;;   js L0
;;   ucomiss xmm8, xmm8
;;   jp L1
;;   jmp L2
;; L0:
;;   return
;; L1:
;;   ud2  ; BadConversionToInteger
;; L2:
;;   ud2  ; IntegerOverflow
;; $i64_trunc_f64_s
;;   movaps xmm8, xmm0
;;   cvttsd2si rax, xmm8
;;   cmp rax, 1
;;   jno L0
;;   ucomisd xmm8, xmm8
;;   jp L1
;;   xorps xmm15, xmm15
;;   cvtsi2sd xmm15, rax
;;   ucomisd xmm8, xmm15
;;   jne L2
;; L0:
;;   return
;; L1:
;;   ud2  ; BadConversionToInteger
;; L2:
;;   ud2  ; IntegerOverflow
;; $i64_trunc_f64_u
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
;;   ucomisd xmm8, xmm8
;;   jp L1
;;   jmp L2
;; L0:
;;   return
;; L1:
;;   ud2  ; BadConversionToInteger
;; L2:
;;   ud2  ; IntegerOverflow
;; $i64_trunc_sat_f32_s
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   cmp rax, 1
;;   jno L0
;;   xorps xmm15, xmm15
;;   ucomiss xmm8, xmm15
;;   mov rax, 0x8000000000000000
;;   mov r11, 0x7FFFFFFFFFFFFFFF
;;   cmova rax, r11
;;   mov r11d, 0
;;   cmovp rax, r11
;; L0:
;;   return
;; $i64_trunc_sat_f32_u
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   test rax, rax
;;   jns L0
;;   mov r11d, 0xDF000000
;;   movd xmm0, r11d
;;   addss xmm0, xmm8
;;   cvttss2si rax, xmm0
;;   btc rax, 0x3F
;;   test rax, rax
;;   js L0
;;   xorps xmm15, xmm15
;;   xor eax, eax
;;   ucomiss xmm8, xmm15
;;   mov r11, 0xFFFFFFFFFFFFFFFF
;;   cmova rax, r11
;; L0:
;;   return
;; $i64_trunc_sat_f64_s
;;   movaps xmm8, xmm0
;;   cvttsd2si rax, xmm8
;;   cmp rax, 1
;;   jno L0
;;   xorps xmm15, xmm15
;;   ucomisd xmm8, xmm15
;;   mov rax, 0x8000000000000000
;;   mov r11, 0x7FFFFFFFFFFFFFFF
;;   cmova rax, r11
;;   mov r11d, 0
;;   cmovp rax, r11
;; L0:
;;   return
