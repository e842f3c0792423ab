;; Null checks and branches on null.
(module
  (type $t (func))
  (func $as_non_null (param (ref null $t)) (result (ref $t)) (ref.as_non_null (local.get 0)))
  (func $is_null (param externref) (result i32) (ref.is_null (local.get 0)))
  (func $on_null (param i32 (ref null $t)) (result i32)
    (block (result i32) (br_on_null 0 (local.get 0) (local.get 1)) (drop) (drop) (i32.const 1)))
  (func $on_non_null (param (ref null $t)) (result (ref null $t))
    (block (result (ref $t)) (br_on_non_null 0 (local.get 0)) (return (ref.null $t)))))
;;! x64
;; $as_non_null
;;   mov rsi, rdx
;;   test rsi, rsi
;;   je L0
;;   mov rax, rsi
;;   return
;; L0:
;;   ud2  ; NullReference
;; $is_null
;;   mov rsi, rdx
;;   test esi, esi
;;   sete al
;;   movzx eax, al
;;   return
;; $on_null
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test rdi, rdi
;;   mov eax, esi
;;   je L0
;;   mov eax, 1
;; L0:
;;   return
;; $on_non_null
;;   mov rsi, rdx
;;   test rsi, rsi
;;   mov rax, rsi
;;   jne L0
;;   mov eax, 0
;;   jmp L0
;; L0:
;;   return
