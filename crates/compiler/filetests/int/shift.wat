;; Shifts by constants, by cl, and of results.
(module
  (func $shl_const (param i32) (result i32) (i32.shl (local.get 0) (i32.const 5)))
  (func $shl (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func $shr_s (param i64 i64) (result i64) (i64.shr_s (local.get 0) (local.get 1)))
  (func $rotl_const (param i32) (result i32) (i32.rotl (local.get 0) (i32.const 7)))
  (func $rotr (param i64 i64) (result i64) (i64.rotr (local.get 0) (local.get 1))))
;;! x64
;; $shl_const
;;   mov eax, edx
;;   shl eax, 5
;;   return
;; $shl
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov ecx, edi
;;   mov eax, esi
;;   shl eax, cl
;;   return
;; $shr_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rcx, rdi
;;   mov rax, rsi
;;   sar rax, cl
;;   return
;; $rotl_const
;;   mov eax, edx
;;   rol eax, 7
;;   return
;; $rotr
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rcx, rdi
;;   mov rax, rsi
;;   ror rax, cl
;;   return
