;; Tables: elements of functions are filled in on first use, others are as they are. An import is behind a pointer, and
;; the host's routines are told whose it is.
(module
  (import "" "table" (table $import 1 funcref))
  (table $own 4 8 externref)
  (table $fixed i64 4 4 funcref)
  (func $get_import (param i32) (result funcref) (table.get $import (local.get 0)))
  (func $get (param i32) (result externref) (table.get $own (local.get 0)))
  (func $get_fixed (param i64) (result funcref) (table.get $fixed (local.get 0)))
  (func $set (param i32 funcref) (table.set $import (local.get 0) (local.get 1)))
  (func $size (result i32) (table.size $import))
  (func $grow (param i32) (result i32) (table.grow $import (ref.null func) (local.get 0))))
;;! x64
;; $get_import
;;   mov [rbp-8], edx
;;   mov r11, [table0]
;;   cmp rdx, [r11+table.length]
;;   jae L2
;;   mov r11, [table0]
;;   mov rax, [r11+table.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov rax, [rax+r11*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   return
;; L1:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   xor esi, esi
;;   call libcall(TableGetLazy)
;;   mov r11, rax
;;   mov rdx, [rbp-0x10]
;;   mov rax, r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; TableOutOfBounds
;; $get
;;   mov [rbp-8], edx
;;   cmp rdx, [table1.length]
;;   jae L0
;;   mov rax, [table1.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov eax, [rax+r11*4]
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; TableOutOfBounds
;; $get_fixed
;;   mov [rbp-8], rdx
;;   cmp rdx, 4
;;   jae L2
;;   mov rax, [table2.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov rax, [rax+r11*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   return
;; L1:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   mov esi, 2
;;   call libcall(TableGetLazy)
;;   mov r11, rax
;;   mov rdx, [rbp-0x10]
;;   mov rax, r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; TableOutOfBounds
;; $set
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   or rax, 1
;;   mov r11, [table0]
;;   cmp rsi, [r11+table.length]
;;   jae L0
;;   mov r11, [table0]
;;   mov rcx, [r11+table.base]
;;   mov r11d, 0
;;   cmovb r11, rsi
;;   mov [rcx+r11*8], rax
;;   return
;; L0:
;;   ud2  ; TableOutOfBounds
;; $size
;;   mov r11, [table0]
;;   mov rax, [r11+table.length]
;;   return
;; $grow
;;   mov [rbp-8], edx
;;   mov qword ptr [rbp-0x10], 0
;;   mov [rbp-0x18], edx
;;   mov rdi, [table0.owner]
;;   mov esi, [table0.index]
;;   mov edx, [rbp-0x18]
;;   call libcall(TableGrow)
;;   mov eax, eax
;;   cmp eax, 0xFFFFFFFF
;;   je L0
;;   mov [rbp-0x20], eax
;;   mov rdx, rax
;;   mov rcx, [rbp-0x10]
;;   mov r8d, [rbp-0x18]
;;   call routine(TableFill { table: 0 })
;;   mov eax, [rbp-0x20]
;; L0:
;;   return
;;   ud2  ; StackOverflow
