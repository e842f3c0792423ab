;; Operators of i64 that the other files leave out: each on its own, with both operands in homes.
(module
  (func $i64_and (param i64 i64) (result i64) (i64.and (local.get 0) (local.get 1)))
  (func $i64_clz (param i64) (result i64) (i64.clz (local.get 0)))
  (func $i64_div_s (param i64 i64) (result i64) (i64.div_s (local.get 0) (local.get 1)))
  (func $i64_eq (param i64 i64) (result i32) (i64.eq (local.get 0) (local.get 1)))
  (func $i64_extend16_s (param i64) (result i64) (i64.extend16_s (local.get 0)))
  (func $i64_extend32_s (param i64) (result i64) (i64.extend32_s (local.get 0)))
  (func $i64_extend8_s (param i64) (result i64) (i64.extend8_s (local.get 0)))
  (func $i64_ge_s (param i64 i64) (result i32) (i64.ge_s (local.get 0) (local.get 1)))
  (func $i64_ge_u (param i64 i64) (result i32) (i64.ge_u (local.get 0) (local.get 1)))
  (func $i64_gt_s (param i64 i64) (result i32) (i64.gt_s (local.get 0) (local.get 1)))
  (func $i64_gt_u (param i64 i64) (result i32) (i64.gt_u (local.get 0) (local.get 1)))
  (func $i64_le_s (param i64 i64) (result i32) (i64.le_s (local.get 0) (local.get 1)))
  (func $i64_le_u (param i64 i64) (result i32) (i64.le_u (local.get 0) (local.get 1)))
  (func $i64_lt_s (param i64 i64) (result i32) (i64.lt_s (local.get 0) (local.get 1)))
  (func $i64_lt_u (param i64 i64) (result i32) (i64.lt_u (local.get 0) (local.get 1)))
  (func $i64_mul_wide_s (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1)))
  (func $i64_or (param i64 i64) (result i64) (i64.or (local.get 0) (local.get 1)))
  (func $i64_popcnt (param i64) (result i64) (i64.popcnt (local.get 0)))
  (func $i64_rem_s (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
  (func $i64_rem_u (param i64 i64) (result i64) (i64.rem_u (local.get 0) (local.get 1)))
  (func $i64_shl (param i64 i64) (result i64) (i64.shl (local.get 0) (local.get 1)))
  (func $i64_sub128 (param i64 i64 i64 i64) (result i64 i64) (i64.sub128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
;;! x64
;; $i64_and
;;   mov rax, rdx
;;   and rax, rcx
;;   return
;; $i64_clz
;;   bsr rax, rdx
;;   mov r11d, 0x7F
;;   cmove eax, r11d
;;   xor eax, 0x3F
;;   return
;; $i64_div_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rsi
;;   cmp rdi, 0xFFFFFFFFFFFFFFFF
;;   jne L0
;;   mov r11, 0x8000000000000000
;;   cmp rax, r11
;;   je L1
;; L0:
;;   cqo
;;   idiv rdi  ; IntegerDivisionByZero
;;   return
;; L1:
;;   ud2  ; IntegerOverflow
;; $i64_eq
;;   cmp rdx, rcx
;;   sete al
;;   movzx eax, al
;;   return
;; $i64_extend16_s
;;   movsx rax, dx
;;   return
;; $i64_extend32_s
;;   movsxd rax, edx
;;   return
;; $i64_extend8_s
;;   movsx rax, dl
;;   return
;; $i64_ge_s
;;   cmp rdx, rcx
;;   setge al
;;   movzx eax, al
;;   return
;; $i64_ge_u
;;   cmp rdx, rcx
;;   setae al
;;   movzx eax, al
;;   return
;; $i64_gt_s
;;   cmp rdx, rcx
;;   setg al
;;   movzx eax, al
;;   return
;; $i64_gt_u
;;   cmp rdx, rcx
;;   seta al
;;   movzx eax, al
;;   return
;; $i64_le_s
;;   cmp rdx, rcx
;;   setle al
;;   movzx eax, al
;;   return
;; $i64_le_u
;;   cmp rdx, rcx
;;   setbe al
;;   movzx eax, al
;;   return
;; $i64_lt_s
;;   cmp rdx, rcx
;;   setl al
;;   movzx eax, al
;;   return
;; $i64_lt_u
;;   cmp rdx, rcx
;;   setb al
;;   movzx eax, al
;;   return
;; $i64_mul_wide_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rsi
;;   imul rdi
;;   mov [rbp-8], rax
;;   mov [rbp-0x10], rdx
;;   mov rax, [rbp-8]
;;   mov rcx, [rbp-0x10]
;;   return
;; $i64_or
;;   mov rax, rdx
;;   or rax, rcx
;;   return
;; $i64_popcnt
;;   xor eax, eax
;;   popcnt rax, rdx
;;   return
;; $i64_rem_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rsi
;;   cmp rdi, 0xFFFFFFFFFFFFFFFF
;;   jne L0
;;   xor edx, edx
;;   jmp L1
;; L0:
;;   cqo
;;   idiv rdi  ; IntegerDivisionByZero
;; L1:
;;   mov rax, rdx
;;   return
;; $i64_rem_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rsi
;;   xor edx, edx
;;   div rdi  ; IntegerDivisionByZero
;;   mov rax, rdx
;;   return
;; $i64_shl
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rcx, rdi
;;   mov rax, rsi
;;   shl rax, cl
;;   return
;; $i64_sub128
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   mov rcx, rsi
;;   sub rcx, r8
;;   sbb rax, r9
;;   mov [rbp-8], rcx
;;   mov [rbp-0x10], rax
;;   mov rax, [rbp-8]
;;   mov rcx, [rbp-0x10]
;;   return
