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
;;! x64
;; $add
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   lea rax, [rsi+8]
;;   cmp rax, [memory0.length]
;;   ja L1
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov ecx, edi
;;   lock xadd [r14+rax-4], ecx  ; MemoryOutOfBounds
;;   mov eax, ecx
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; L1:
;;   ud2  ; MemoryOutOfBounds
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
;;   cmp rcx, [memory1.length]
;;   ja L1
;;   mov r11d, 8
;;   cmova rcx, r11
;;   mov rdx, [memory1.base]
;;   lock cmpxchg [rdx+rcx-8], r8  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; L1:
;;   ud2  ; MemoryOutOfBounds
;; $or
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L1
;;   mov ecx, 4
;;   add rcx, rsi
;;   cmp rcx, rsi
;;   jb L2
;;   cmp rcx, [memory1.length]
;;   ja L2
;;   mov r11d, 4
;;   cmova rcx, r11
;;   mov rdx, [memory1.base]
;;   mov eax, [rdx+rcx-4]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   or r11d, edi
;;   lock cmpxchg [rdx+rcx-4], r11d  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; L2:
;;   ud2  ; MemoryOutOfBounds
;; $store
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov eax, 4
;;   add rax, rsi
;;   cmp rax, rsi
;;   jb L1
;;   cmp rax, [memory1.length]
;;   ja L1
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov rcx, [memory1.base]
;;   mov r11d, edi
;;   xchg [rcx+rax-4], r11d  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; L1:
;;   ud2  ; MemoryOutOfBounds
