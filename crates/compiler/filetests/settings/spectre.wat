;; settings: checks left-to-judge
;; A checked access uses an index that a conditional move has chosen by the flags of the check.
(module
  (memory 1)
  (memory $large i64 1)
  (table $functions 3 9 funcref)
  (table $fixed 4 4 funcref)
  (table $objects i64 3 i31ref)
  (func $load (param i32) (result i32) (i32.load offset=8 (local.get 0)))
  (func $store_large (param i64 i32) (i32.store8 $large offset=5 (local.get 0) (local.get 1)))
  (func $add (param i32) (drop (i32.atomic.rmw.add (local.get 0) (i32.const 1))))
  (func $get (param i32) (result funcref) (table.get $functions (local.get 0)))
  (func $get_object (param i64) (result i31ref) (table.get $objects (local.get 0)))
  (func $set (param i32) (table.set $fixed (local.get 0) (ref.null func)))
  (func $call (param i32) (call_indirect $fixed (local.get 0))))
;;! x64
;; $load
;;   lea rax, [rdx+0xC]
;;   cmp rax, [memory0.length]
;;   ja L0
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov eax, [r14+rax-4]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $store_large
;;   mov eax, 6
;;   add rax, rdx
;;   cmp rax, rdx
;;   jb L0
;;   cmp rax, [memory1.length]
;;   ja L0
;;   mov r11d, 1
;;   cmova rax, r11
;;   mov rsi, [memory1.base]
;;   mov [rsi+rax-1], cl  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $add
;;   mov rsi, rdx
;;   test sil, 3
;;   jne L0
;;   lea rax, [rsi+4]
;;   cmp rax, [memory0.length]
;;   ja L1
;;   mov r11d, 4
;;   cmova rax, r11
;;   lock add dword ptr [r14+rax-4], 1  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; L1:
;;   ud2  ; MemoryOutOfBounds
;; $get
;;   mov [rbp-8], edx
;;   cmp rdx, [table0.length]
;;   jae L2
;;   mov rax, [table0.base]
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
;; $get_object
;;   mov [rbp-8], rdx
;;   cmp rdx, [table2.length]
;;   jae L0
;;   mov rax, [table2.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov eax, [rax+r11*4]
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; TableOutOfBounds
;; $set
;;   mov rsi, rdx
;;   mov eax, 0
;;   or rax, 1
;;   cmp rsi, 4
;;   jae L0
;;   mov rcx, [table1.base]
;;   mov r11d, 0
;;   cmovb r11, rsi
;;   mov [rcx+r11*8], rax
;;   return
;; L0:
;;   ud2  ; TableOutOfBounds
;; $call
;;   mov [rbp-8], edx
;;   cmp rdx, 4
;;   jae L2
;;   mov rax, [table1.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov rax, [rax+r11*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   mov rcx, [type_ids]
;;   mov ecx, [rcx+id(5)]
;;   cmp ecx, [rax+func.type]  ; IndirectCallToNull
;;   jne L3
;;   mov rdi, [rax+func.context]
;;   mov rsi, r15
;;   mov rax, [rax+func.code]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   call rax
;;   mov r14, [memory0.base]
;;   return
;; L1:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   mov esi, 1
;;   call libcall(TableGetLazy)
;;   mov r11, rax
;;   mov rdx, [rbp-0x10]
;;   mov rax, r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; TableOutOfBounds
;; L3:
;;   ud2  ; BadSignature
