;; Atomic operators of i32 that the other files leave out: each on its own.
(module
  (memory 1)
  (func $i32_atomic_load16_u (param i32) (result i32) (i32.atomic.load16_u offset=8 (local.get 0)))
  (func $i32_atomic_rmw16_add_u (param i32 i32) (result i32) (i32.atomic.rmw16.add_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw16_and_u (param i32 i32) (result i32) (i32.atomic.rmw16.and_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw16_cmpxchg_u (param i32 i32 i32) (result i32) (i32.atomic.rmw16.cmpxchg_u offset=8 (local.get 0) (local.get 1) (local.get 2)))
  (func $i32_atomic_rmw16_xor_u (param i32 i32) (result i32) (i32.atomic.rmw16.xor_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw8_and_u (param i32 i32) (result i32) (i32.atomic.rmw8.and_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw8_or_u (param i32 i32) (result i32) (i32.atomic.rmw8.or_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw8_sub_u (param i32 i32) (result i32) (i32.atomic.rmw8.sub_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw8_xchg_u (param i32 i32) (result i32) (i32.atomic.rmw8.xchg_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw8_xor_u (param i32 i32) (result i32) (i32.atomic.rmw8.xor_u offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw_and (param i32 i32) (result i32) (i32.atomic.rmw.and offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_rmw_sub (param i32 i32) (result i32) (i32.atomic.rmw.sub offset=8 (local.get 0) (local.get 1)))
  (func $i32_atomic_store16 (param i32 i32) (i32.atomic.store16 offset=8 (local.get 0) (local.get 1))))
;;! x64
;; $i32_atomic_load16_u
;;   mov rsi, rdx
;;   test sil, 1
;;   jne L0
;;   movzx eax, word ptr [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i32_atomic_rmw16_add_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L0
;;   mov eax, edi
;;   lock xadd [r14+rsi+8], ax  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i32_atomic_rmw16_and_u
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
;; $i32_atomic_rmw16_cmpxchg_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, edi
;;   test sil, 1
;;   jne L0
;;   lock cmpxchg [r14+rsi+8], r8w  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i32_atomic_rmw16_xor_u
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
;; $i32_atomic_rmw8_and_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   movzx eax, byte ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   and r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11b  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; $i32_atomic_rmw8_or_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   movzx eax, byte ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   or r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11b  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; $i32_atomic_rmw8_sub_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, edi
;;   neg eax
;;   lock xadd [r14+rsi+8], al  ; MemoryOutOfBounds
;;   movzx eax, al
;;   return
;; $i32_atomic_rmw8_xchg_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, edi
;;   xchg [r14+rsi+8], al  ; MemoryOutOfBounds
;;   movzx eax, al
;;   return
;; $i32_atomic_rmw8_xor_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   movzx eax, byte ptr [r14+rsi+8]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   xor r11d, edi
;;   lock cmpxchg [r14+rsi+8], r11b  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; $i32_atomic_rmw_and
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
;; $i32_atomic_rmw_sub
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov eax, edi
;;   neg eax
;;   lock xadd [r14+rsi+8], eax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $i32_atomic_store16
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L0
;;   mov r11d, edi
;;   xchg [r14+rsi+8], r11w  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
