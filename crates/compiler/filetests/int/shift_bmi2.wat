;; With BMI2 a shift's count need not be in rcx.
(module
  (func $shl (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func $shr_u (param i64 i64) (result i64) (i64.shr_u (local.get 0) (local.get 1)))
  (func $rotl_const (param i64) (result i64) (i64.rotl (local.get 0) (i64.const 9))))
;;! x64 bmi2
;; $shl
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   shlx eax, esi, edi
;;   return
;; $shr_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   shrx rax, rsi, rdi
;;   return
;; $rotl_const
;;   rorx rax, rdx, 0x37
;;   return
