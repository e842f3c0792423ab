;; A call through a typed reference needs no check but the fault at null; tail calls likewise.
(module
  (type $t (func (param i32) (result i32)))
  (func $call (param i32 (ref null $t)) (result i32) (call_ref $t (local.get 0) (local.get 1)))
  (func $tail (param i32 (ref null $t)) (result i32) (return_call_ref $t (local.get 0) (local.get 1))))
;;! x64
;; $call
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], rcx
;;   mov rax, rcx
;;   mov rdi, [rax+func.context]  ; NullReference
;;   mov rsi, r15
;;   mov rax, [rax+func.code]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   call rax
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $tail
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   mov rdx, rsi
;;   mov rdi, [rax+func.context]  ; NullReference
;;   mov rsi, r15
;;   mov rax, [rax+func.code]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   leave
;;   jmp rax
;;   ud2  ; StackOverflow
