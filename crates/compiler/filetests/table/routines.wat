;; settings: routines
;; What goes over a table is a routine, made once for the module.
(module
  (table $a 4 8 funcref)
  (table $b 4 8 externref)
  (elem $elem func $fill $copy)
  (func $fill (param i32 externref i32) (table.fill $b (local.get 0) (local.get 1) (local.get 2)))
  (func $copy (param i32 i32 i32) (table.copy $a $a (local.get 0) (local.get 1) (local.get 2)))
  (func $init (param i32 i32 i32) (table.init $a $elem (local.get 0) (local.get 1) (local.get 2)))
  (func $drop (elem.drop $elem)))
;;! x64
;; $fill
;;   mov [rbp-8], edx
;;   mov [rbp-0x18], ecx
;;   mov [rbp-0x10], r8d
;;   call routine(TableFill { table: 1 })
;;   return
;;   ud2  ; StackOverflow
;; $copy
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov [rbp-0x18], r8d
;;   call routine(TableCopy { to: 0, from: 0 })
;;   return
;;   ud2  ; StackOverflow
;; $init
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov [rbp-0x18], r8d
;;   call routine(TableInit { table: 0, segment: 0 })
;;   return
;;   ud2  ; StackOverflow
;; $drop
;;   mov rdi, r15
;;   xor esi, esi
;;   call libcall(ElemDrop)
;;   return
;;   ud2  ; StackOverflow
;; routine(TableFill { table: 1 })
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   lea rdx, [rbx+r13]
;;   cmp rdx, rbx
;;   jb L2
;;   cmp rdx, [table1.length]
;;   ja L2
;;   test r13, r13
;;   je L1
;; L0:
;;   mov rcx, r12
;;   cmp rbx, [table1.length]
;;   jae L2
;;   mov r8, [table1.base]
;;   mov r11d, 0
;;   cmovb r11, rbx
;;   mov [r8+r11*4], ecx
;;   add rbx, 1
;;   add r13, 0xFFFFFFFFFFFFFFFF
;;   test r13, r13
;;   jne L0
;; L1:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;; L2:
;;   ud2  ; TableOutOfBounds
;; routine(TableCopy { to: 0, from: 0 })
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   lea rdx, [r12+r13]
;;   cmp rdx, r12
;;   jb L4
;;   cmp rdx, [table0.length]
;;   ja L4
;;   lea rdx, [rbx+r13]
;;   cmp rdx, rbx
;;   jb L4
;;   cmp rdx, [table0.length]
;;   ja L4
;;   test r13, r13
;;   je L3
;;   mov qword ptr [rbp-0x20], 1
;;   cmp rbx, r12
;;   jbe L0
;;   mov qword ptr [rbp-0x20], 0xFFFFFFFFFFFFFFFF
;;   lea rbx, [rbx+r13-1]
;;   lea r12, [r12+r13-1]
;; L0:
;;   cmp r12, [table0.length]
;;   jae L4
;;   mov r8, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, r12
;;   mov rcx, [r8+r11*8]
;;   test rcx, rcx
;;   jne L1
;;   mov rdx, r12
;;   xor esi, esi
;;   mov rdi, r15
;;   call libcall(TableGetLazy)
;;   mov rcx, rax
;;   jmp L2
;; L1:
;;   and rcx, 0xFFFFFFFFFFFFFFFE
;; L2:
;;   or rcx, 1
;;   cmp rbx, [table0.length]
;;   jae L4
;;   mov r8, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rbx
;;   mov [r8+r11*8], rcx
;;   mov rdx, [rbp-0x20]
;;   add rbx, rdx
;;   add r12, rdx
;;   add r13, 0xFFFFFFFFFFFFFFFF
;;   test r13, r13
;;   jne L0
;; L3:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;; L4:
;;   ud2  ; TableOutOfBounds
;; routine(TableInit { table: 0, segment: 0 })
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   xor esi, esi
;;   mov rdi, r15
;;   call libcall(ElemLength)
;;   lea rdx, [r12+r13]
;;   cmp rdx, r12
;;   jb L2
;;   cmp rdx, rax
;;   ja L2
;;   mov r11d, 0
;;   cmova r12, r11
;;   lea rdx, [rbx+r13]
;;   cmp rdx, rbx
;;   jb L2
;;   cmp rdx, [table0.length]
;;   ja L2
;;   test r13, r13
;;   je L1
;;   xor esi, esi
;;   mov rdi, r15
;;   call libcall(ElemBase)
;;   shl r12, 4
;;   add r12, rax
;; L0:
;;   mov rcx, [r12]
;;   or rcx, 1
;;   cmp rbx, [table0.length]
;;   jae L2
;;   mov r8, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rbx
;;   mov [r8+r11*8], rcx
;;   add rbx, 1
;;   add r12, 0x10
;;   add r13, 0xFFFFFFFFFFFFFFFF
;;   test r13, r13
;;   jne L0
;; L1:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;; L2:
;;   ud2  ; TableOutOfBounds
