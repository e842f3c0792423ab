;; settings: counting left-to-judge
;; Tables of references that are counted: the collector is told of what is read and written.
(module
  (table $t 1 8 anyref)
  (func $set (param i32 anyref) (table.set $t (local.get 0) (local.get 1)))
  (func $get (param i32) (result anyref) (table.get $t (local.get 0))))
;;! x64
;; $set
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   cmp rdx, [table0.length]
;;   jae L0
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   lea rax, [rax+r11*4]
;;   mov rdx, rax
;;   call routine(SetReference)
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; TableOutOfBounds
;; $get
;;   mov [rbp-8], edx
;;   cmp rdx, [table0.length]
;;   jae L2
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov eax, [rax+r11*4]
;;   test eax, eax
;;   je L0
;;   test al, 1
;;   jne L0
;;   mov r11, [store]
;;   mov rcx, [r11+store.heap]
;;   mov ecx, [rcx+rax]
;;   test cl, 1
;;   je L1
;; L0:
;;   return
;; L1:
;;   mov [rbp-0x18], rdx
;;   mov [rbp-0x10], eax
;;   mov rdx, rax
;;   call routine(Expose)  ; references at -16
;;   mov rdx, [rbp-0x18]
;;   mov eax, [rbp-0x10]
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; TableOutOfBounds
