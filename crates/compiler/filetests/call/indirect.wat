;; An indirect call checks bounds, null and type, and takes the private entry of its own instance's functions.
(module
  (type $t (func (param i32) (result i32)))
  (table 4 4 funcref)
  (func $indirect (param i32 i32) (result i32) (call_indirect (type $t) (local.get 0) (local.get 1)))
  (func $import_like (param i32) (result i32) (return_call_indirect (type $t) (local.get 0) (i32.const 2))))
;;! x64
;; $indirect
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   cmp rcx, 4
;;   jae L2
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rcx
;;   mov rax, [rax+r11*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   mov rsi, [type_ids]
;;   mov esi, [rsi+id($t)]
;;   cmp esi, [rax+func.type]  ; IndirectCallToNull
;;   jne L3
;;   mov rdi, [rax+func.context]
;;   mov rsi, r15
;;   mov rax, [rax+func.code]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   call rax
;;   mov eax, eax
;;   return
;; L1:
;;   mov [rbp-0x18], rcx
;;   mov [rbp-0x20], rdx
;;   mov rdx, rcx
;;   mov rdi, r15
;;   xor esi, esi
;;   call libcall(TableGetLazy)
;;   mov r11, rax
;;   mov rcx, [rbp-0x18]
;;   mov rdx, [rbp-0x20]
;;   mov rax, r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; TableOutOfBounds
;; L3:
;;   ud2  ; BadSignature
;; $import_like
;;   mov [rbp-8], edx
;;   mov ecx, 2
;;   cmp rcx, 4
;;   jae L2
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rcx
;;   mov rax, [rax+r11*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   mov rcx, [type_ids]
;;   mov ecx, [rcx+id($t)]
;;   cmp ecx, [rax+func.type]  ; IndirectCallToNull
;;   jne L3
;;   mov rdi, [rax+func.context]
;;   mov rsi, r15
;;   mov rax, [rax+func.code]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   leave
;;   jmp rax
;; L1:
;;   mov [rbp-0x10], rcx
;;   mov [rbp-0x18], rdx
;;   mov rdx, rcx
;;   mov rdi, r15
;;   xor esi, esi
;;   call libcall(TableGetLazy)
;;   mov r11, rax
;;   mov rcx, [rbp-0x10]
;;   mov rdx, [rbp-0x18]
;;   mov rax, r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; TableOutOfBounds
;; L3:
;;   ud2  ; BadSignature
