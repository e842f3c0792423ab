;; Division by registers leaves zero to the hardware; by constants it needs no divide or no check.
(module
  (func $div_s (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $div_u (param i64 i64) (result i64) (i64.div_u (local.get 0) (local.get 1)))
  (func $rem_s (param i32 i32) (result i32) (i32.rem_s (local.get 0) (local.get 1)))
  (func $div_u_8 (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 8)))
  (func $rem_u_16 (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 16)))
  (func $div_s_7 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 7))))
;;! x64
;; $div_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, esi
;;   cmp edi, 0xFFFFFFFF
;;   jne L0
;;   mov r11d, 0x80000000
;;   cmp eax, r11d
;;   je L1
;; L0:
;;   cdq
;;   idiv edi  ; IntegerDivisionByZero
;;   return
;; L1:
;;   ud2  ; IntegerOverflow
;; $div_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rsi
;;   xor edx, edx
;;   div rdi  ; IntegerDivisionByZero
;;   return
;; $rem_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, esi
;;   cmp edi, 0xFFFFFFFF
;;   jne L0
;;   xor edx, edx
;;   jmp L1
;; L0:
;;   cdq
;;   idiv edi  ; IntegerDivisionByZero
;; L1:
;;   mov eax, edx
;;   return
;; $div_u_8
;;   mov rsi, rdx
;;   mov eax, esi
;;   shr eax, 3
;;   return
;; $rem_u_16
;;   mov rsi, rdx
;;   mov eax, esi
;;   and eax, 0xF
;;   return
;; $div_s_7
;;   mov rsi, rdx
;;   mov ecx, 0x92492493
;;   movsxd rax, esi
;;   imul rax, rcx
;;   mov rcx, rax
;;   sar rcx, 0x3F
;;   sar rax, 0x22
;;   sub eax, ecx
;;   return
