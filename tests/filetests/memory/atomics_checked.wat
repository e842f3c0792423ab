;; settings: checks
;; Atomic accesses with bounds checks, of memories with 64-bit addresses, and of a second one.
(module
  (memory 1)
  (memory $wide i64 1)
  (func $add (param i32 i32) (result i32) (i32.atomic.rmw.add offset=4 (local.get 0) (local.get 1)))
  (func $cmpxchg (param i64 i64 i64) (result i64)
    (i64.atomic.rmw.cmpxchg $wide offset=8 (local.get 0) (local.get 1) (local.get 2)))
  (func $or (param i64 i32) (result i32) (i32.atomic.rmw.or $wide (local.get 0) (local.get 1)))
  (func $store (param i64 i32) (i32.atomic.store $wide (local.get 0) (local.get 1))))
;; x64:
;; $add
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   lea rax, [rsi+8]
;;   cmp rax, [r15+0x48]
;;   ja L1
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov ecx, edi
;;   lock xadd [r14+rax-4], ecx
;;   mov eax, ecx
;;   leave
;;   ret
;; L0:
;;   ud2
;; L1:
;;   ud2
;; $cmpxchg
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   test sil, 7
;;   jne L0
;;   mov ecx, 0x10
;;   add rcx, rsi
;;   cmp rcx, rsi
;;   jb L1
;;   cmp rcx, [r15+0x58]
;;   ja L1
;;   mov r11d, 8
;;   cmova rcx, r11
;;   mov rdx, [r15+0x50]
;;   lock cmpxchg [rdx+rcx-8], r8
;;   leave
;;   ret
;; L0:
;;   ud2
;; L1:
;;   ud2
;; $or
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L1
;;   mov ecx, 4
;;   add rcx, rsi
;;   cmp rcx, rsi
;;   jb L2
;;   cmp rcx, [r15+0x58]
;;   ja L2
;;   mov r11d, 4
;;   cmova rcx, r11
;;   mov rdx, [r15+0x50]
;;   mov eax, [rdx+rcx-4]
;; L0:
;;   mov r11d, eax
;;   or r11d, edi
;;   lock cmpxchg [rdx+rcx-4], r11d
;;   jne L0
;;   leave
;;   ret
;; L1:
;;   ud2
;; L2:
;;   ud2
;; $store
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov eax, 4
;;   add rax, rsi
;;   cmp rax, rsi
;;   jb L1
;;   cmp rax, [r15+0x58]
;;   ja L1
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov rcx, [r15+0x50]
;;   mov r11d, edi
;;   xchg [rcx+rax-4], r11d
;;   leave
;;   ret
;; L0:
;;   ud2
;; L1:
;;   ud2
