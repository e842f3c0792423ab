;; settings: eager-tables
;; Where tables are filled before anything runs, an element is what it is.
(module
  (type $t (func (param i32)))
  (table 4 8 funcref)
  (func $get (param i32) (result funcref) (table.get 0 (local.get 0)))
  (func $call (param i32) (call_indirect (type $t) (i32.const 1) (local.get 0))))
;;! x64
;; $get
;;   mov [rbp-8], edx
;;   cmp rdx, [table0.length]
;;   jae L0
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov rax, [rax+r11*8]
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; TableOutOfBounds
;; $call
;;   mov [rbp-8], edx
;;   cmp rdx, [table0.length]
;;   jae L0
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov rax, [rax+r11*8]
;;   mov rcx, [type_ids]
;;   mov ecx, [rcx+id($t)]
;;   cmp ecx, [rax+func.type]  ; IndirectCallToNull
;;   jne L1
;;   mov edx, 1
;;   mov rdi, [rax+func.context]
;;   mov rsi, r15
;;   mov rax, [rax+func.code]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   call rax
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; TableOutOfBounds
;; L1:
;;   ud2  ; BadSignature
