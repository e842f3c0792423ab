;; Atomic operators of i64 that the other files leave out: each on its own.
(module
  (memory 1)
  (func $i64_atomic_load16_u (param i32) (result i64) (i64.atomic.load16_u offset=8 (local.get 0)))
  (func $i64_atomic_load8_u (param i32) (result i64) (i64.atomic.load8_u offset=8 (local.get 0)))
  (func $i64_atomic_rmw16_add_u (param i32 i64) (result i64) (i64.atomic.rmw16.add_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw16_and_u (param i32 i64) (result i64) (i64.atomic.rmw16.and_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw16_cmpxchg_u (param i32 i64 i64) (result i64) (i64.atomic.rmw16.cmpxchg_u offset=8 (local.get 0) (local.get 1) (local.get 2)))
  (func $i64_atomic_rmw16_or_u (param i32 i64) (result i64) (i64.atomic.rmw16.or_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw16_sub_u (param i32 i64) (result i64) (i64.atomic.rmw16.sub_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw16_xchg_u (param i32 i64) (result i64) (i64.atomic.rmw16.xchg_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw16_xor_u (param i32 i64) (result i64) (i64.atomic.rmw16.xor_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw32_add_u (param i32 i64) (result i64) (i64.atomic.rmw32.add_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw32_and_u (param i32 i64) (result i64) (i64.atomic.rmw32.and_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw32_or_u (param i32 i64) (result i64) (i64.atomic.rmw32.or_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw32_sub_u (param i32 i64) (result i64) (i64.atomic.rmw32.sub_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw32_xchg_u (param i32 i64) (result i64) (i64.atomic.rmw32.xchg_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw32_xor_u (param i32 i64) (result i64) (i64.atomic.rmw32.xor_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw8_add_u (param i32 i64) (result i64) (i64.atomic.rmw8.add_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw8_cmpxchg_u (param i32 i64 i64) (result i64) (i64.atomic.rmw8.cmpxchg_u offset=8 (local.get 0) (local.get 1) (local.get 2)))
  (func $i64_atomic_rmw8_or_u (param i32 i64) (result i64) (i64.atomic.rmw8.or_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw8_sub_u (param i32 i64) (result i64) (i64.atomic.rmw8.sub_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw8_xchg_u (param i32 i64) (result i64) (i64.atomic.rmw8.xchg_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw8_xor_u (param i32 i64) (result i64) (i64.atomic.rmw8.xor_u offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw_or (param i32 i64) (result i64) (i64.atomic.rmw.or offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw_xchg (param i32 i64) (result i64) (i64.atomic.rmw.xchg offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_rmw_xor (param i32 i64) (result i64) (i64.atomic.rmw.xor offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_store (param i32 i64) (i64.atomic.store offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_store32 (param i32 i64) (i64.atomic.store32 offset=8 (local.get 0) (local.get 1)))
  (func $i64_atomic_store8 (param i32 i64) (i64.atomic.store8 offset=8 (local.get 0) (local.get 1))))
;;! x64
;; $i64_atomic_load16_u
;;   mov rsi, rdx
;;   test sil, 1
;;   jne L0
;;   movzx eax, word ptr [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_load8_u
;;   mov rsi, rdx
;;   movzx eax, byte ptr [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $i64_atomic_rmw16_add_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L0
;;   mov rax, rdi
;;   lock xadd [r14+rsi+8], ax  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw16_and_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L1
;;   movzx eax, word ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   and r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11w  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw16_cmpxchg_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   test sil, 1
;;   jne L0
;;   lock cmpxchg [r14+rsi+8], r8w  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw16_or_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L1
;;   movzx eax, word ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   or r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11w  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw16_sub_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L0
;;   mov rax, rdi
;;   neg eax
;;   lock xadd [r14+rsi+8], ax  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw16_xchg_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L0
;;   mov rax, rdi
;;   xchg [r14+rsi+8], ax  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw16_xor_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L1
;;   movzx eax, word ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   xor r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11w  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw32_add_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov rax, rdi
;;   lock xadd [r14+rsi+8], eax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw32_and_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L1
;;   mov eax, [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   and r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11d  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw32_or_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L1
;;   mov eax, [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   or r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11d  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw32_sub_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov rax, rdi
;;   neg eax
;;   lock xadd [r14+rsi+8], eax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw32_xchg_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov rax, rdi
;;   xchg [r14+rsi+8], eax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw32_xor_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L1
;;   mov eax, [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   xor r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11d  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw8_add_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   lock xadd [r14+rsi+8], al  ; MemoryOutOfBounds
;;   movzx eax, al
;;   return
;; $i64_atomic_rmw8_cmpxchg_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   lock cmpxchg [r14+rsi+8], r8b  ; MemoryOutOfBounds
;;   movzx eax, al
;;   return
;; $i64_atomic_rmw8_or_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   movzx eax, byte ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   or r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11b  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; $i64_atomic_rmw8_sub_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   neg eax
;;   lock xadd [r14+rsi+8], al  ; MemoryOutOfBounds
;;   movzx eax, al
;;   return
;; $i64_atomic_rmw8_xchg_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   xchg [r14+rsi+8], al  ; MemoryOutOfBounds
;;   movzx eax, al
;;   return
;; $i64_atomic_rmw8_xor_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   movzx eax, byte ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   xor r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11b  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; $i64_atomic_rmw_or
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 7
;;   jne L1
;;   mov rax, [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11, rax
;;   or r11, rdi
;;   lock cmpxchg [r14+rsi+8], r11  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw_xchg
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 7
;;   jne L0
;;   mov rax, rdi
;;   xchg [r14+rsi+8], rax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_rmw_xor
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 7
;;   jne L1
;;   mov rax, [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11, rax
;;   xor r11, rdi
;;   lock cmpxchg [r14+rsi+8], r11  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_store
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 7
;;   jne L0
;;   mov r11, rdi
;;   xchg [r14+rsi+8], r11  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_store32
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov r11, rdi
;;   xchg [r14+rsi+8], r11d  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i64_atomic_store8
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov r11, rdi
;;   xchg [r14+rsi+8], r11b  ; MemoryOutOfBounds
;;   return
