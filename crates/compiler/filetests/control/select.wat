;; A choice takes its condition from the flags, whether or not it names its type, as long as nothing is between.
(module
  (func $select (param i32 i32) (result i32) (select (i32.const 1) (local.get 0) (i32.lt_s (local.get 0) (local.get 1))))
  (func $typed (param i32 i32) (result i32)
    (select (result i32) (i32.const 1) (local.get 0) (i32.lt_s (local.get 0) (local.get 1))))
  (func $references (param externref externref i32) (result externref)
    (select (result externref) (local.get 0) (local.get 1) (i32.eqz (local.get 2))))
  (func $nothing_between (param i32 i32) (result i32)
    (i32.lt_s (local.get 0) (local.get 1)) (nop) (if (result i32) (then (i32.const 1)) (else (i32.const 2)))))
;;! x64
;; $select
;;   cmp edx, ecx
;;   mov eax, 1
;;   cmovge eax, edx
;;   return
;; $typed
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   mov eax, 1
;;   cmovge eax, esi
;;   return
;; $references
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test r8d, r8d
;;   mov eax, esi
;;   cmovne eax, edi
;;   return
;; $nothing_between
;;   cmp edx, ecx
;;   setl al
;;   movzx eax, al
;;   test eax, eax
;;   je L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   mov eax, 2
;; L1:
;;   return
