;; Floats to i32: what traps, what saturates, what only moves.
(module
  (func $i32_reinterpret_f32 (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
  (func $i32_trunc_f32_s (param f32) (result i32) (i32.trunc_f32_s (local.get 0)))
  (func $i32_trunc_f32_u (param f32) (result i32) (i32.trunc_f32_u (local.get 0)))
  (func $i32_trunc_f64_u (param f64) (result i32) (i32.trunc_f64_u (local.get 0)))
  (func $i32_trunc_sat_f32_s (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))
  (func $i32_trunc_sat_f32_u (param f32) (result i32) (i32.trunc_sat_f32_u (local.get 0)))
  (func $i32_trunc_sat_f64_u (param f64) (result i32) (i32.trunc_sat_f64_u (local.get 0))))
;;! x64
;; $i32_reinterpret_f32
;;   movaps xmm8, xmm0
;;   movd eax, xmm8
;;   return
;; $i32_trunc_f32_s
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   movsxd r11, eax
;;   cmp r11, rax
;;   mov eax, eax
;;   je L0
;;   ucomiss xmm8, xmm8
;;   jp L1
;;   jmp L2
;; L0:
;;   return
;; L1:
;;   ud2  ; BadConversionToInteger
;; L2:
;;   ud2  ; IntegerOverflow
;; $i32_trunc_f32_u
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   mov r11d, eax
;;   cmp r11, rax
;;   je L0
;;   ucomiss xmm8, xmm8
;;   jp L1
;;   jmp L2
;; L0:
;;   return
;; L1:
;;   ud2  ; BadConversionToInteger
;; L2:
;;   ud2  ; IntegerOverflow
;; $i32_trunc_f64_u
;;   movaps xmm8, xmm0
;;   cvttsd2si rax, xmm8
;;   mov r11d, eax
;;   cmp r11, rax
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
;; $i32_trunc_sat_f32_s
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   movsxd r11, eax
;;   cmp r11, rax
;;   mov eax, eax
;;   je L0
;;   xorps xmm15, xmm15
;;   ucomiss xmm8, xmm15
;;   mov eax, 0x80000000
;;   mov r11d, 0x7FFFFFFF
;;   cmova eax, r11d
;;   mov r11d, 0
;;   cmovp eax, r11d
;; L0:
;;   return
;; $i32_trunc_sat_f32_u
;;   movaps xmm8, xmm0
;;   cvttss2si rax, xmm8
;;   mov r11d, eax
;;   cmp r11, rax
;;   je L0
;;   xorps xmm15, xmm15
;;   xor eax, eax
;;   ucomiss xmm8, xmm15
;;   mov r11d, 0xFFFFFFFF
;;   cmova eax, r11d
;; L0:
;;   return
;; $i32_trunc_sat_f64_u
;;   movaps xmm8, xmm0
;;   cvttsd2si rax, xmm8
;;   mov r11d, eax
;;   cmp r11, rax
;;   je L0
;;   xorps xmm15, xmm15
;;   xor eax, eax
;;   ucomisd xmm8, xmm15
;;   mov r11d, 0xFFFFFFFF
;;   cmova eax, r11d
;; L0:
;;   return
