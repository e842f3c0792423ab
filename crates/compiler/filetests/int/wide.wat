;; Wide arithmetic: one add or subtract with carry, one multiplication.
(module
  (func $add128 (param i64 i64 i64 i64) (result i64 i64)
    (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func $mul_wide (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1))))
;;! x64
;; $add128
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   mov rcx, rsi
;;   add rcx, r8
;;   adc rax, r9
;;   mov [rbp-8], rcx
;;   mov [rbp-0x10], rax
;;   mov rax, [rbp-8]
;;   mov rcx, [rbp-0x10]
;;   return
;; $mul_wide
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rsi
;;   mul rdi
;;   mov [rbp-8], rax
;;   mov [rbp-0x10], rdx
;;   mov rax, [rbp-8]
;;   mov rcx, [rbp-0x10]
;;   return
