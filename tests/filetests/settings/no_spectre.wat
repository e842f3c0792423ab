;; settings: checks no-spectre
;; Without guards an index is used as it was checked.
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
;; x64:
;; $load
;;   mov rsi, rdx
;;   lea rax, [rsi+0xC]
;;   cmp rax, [r15+0x48]
;;   ja L0
;;   mov eax, [r14+rax-4]
;;   leave
;;   ret
;; L0:
;;   ud2
;; $store_large
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, 6
;;   add rax, rsi
;;   cmp rax, rsi
;;   jb L0
;;   cmp rax, [r15+0x58]
;;   ja L0
;;   mov rcx, [r15+0x50]
;;   mov [rcx+rax-1], dil
;;   leave
;;   ret
;; L0:
;;   ud2
;; $add
;;   mov rsi, rdx
;;   test sil, 3
;;   jne L0
;;   lea rax, [rsi+4]
;;   cmp rax, [r15+0x48]
;;   ja L1
;;   lock add dword ptr [r14+rax-4], 1
;;   leave
;;   ret
;; L0:
;;   ud2
;; L1:
;;   ud2
;; $get
;;   mov [rbp-8], edx
;;   cmp rdx, [r15+0x68]
;;   jae L2
;;   mov rax, [r15+0x60]
;;   mov rax, [rax+rdx*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   leave
;;   ret
;; L1:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   xor esi, esi
;;   call elsewhere
;;   mov r11, rax
;;   mov rdx, [rbp-0x10]
;;   mov rax, r11
;;   jmp L0
;;   ud2
;; L2:
;;   ud2
;; $get_object
;;   mov [rbp-8], rdx
;;   cmp rdx, [r15+0x88]
;;   jae L0
;;   mov rax, [r15+0x80]
;;   mov eax, [rax+rdx*4]
;;   leave
;;   ret
;;   ud2
;; L0:
;;   ud2
;; $set
;;   mov rsi, rdx
;;   mov eax, 0
;;   or rax, 1
;;   cmp rsi, 4
;;   jae L0
;;   mov rcx, [r15+0x70]
;;   mov [rcx+rsi*8], rax
;;   leave
;;   ret
;; L0:
;;   ud2
;; $call
;;   mov [rbp-8], edx
;;   cmp rdx, 4
;;   jae L2
;;   mov rax, [r15+0x70]
;;   mov rax, [rax+rdx*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   mov rcx, [r15+0x28]
;;   mov ecx, [rcx+0x18]
;;   cmp ecx, [rax+0x10]
;;   jne L3
;;   mov rdi, [rax+0x18]
;;   mov rsi, r15
;;   mov rax, [rax+8]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   call rax
;;   mov r14, [r15+0x40]
;;   leave
;;   ret
;; L1:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   mov esi, 1
;;   call elsewhere
;;   mov r11, rax
;;   mov rdx, [rbp-0x10]
;;   mov rax, r11
;;   jmp L0
;;   ud2
;; L2:
;;   ud2
;; L3:
;;   ud2
