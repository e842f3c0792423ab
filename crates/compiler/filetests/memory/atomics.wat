;; Atomic accesses of every kind and width: the alignment is looked at first.
(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.atomic.load (local.get 0)))
  (func $load_offset (param i32) (result i64) (i64.atomic.load offset=12 (local.get 0)))
  (func $load8 (param i32) (result i32) (i32.atomic.load8_u offset=3 (local.get 0)))
  (func $load32 (param i32) (result i64) (i64.atomic.load32_u (local.get 0)))
  (func $load_constant (result i32) (i32.atomic.load offset=4 (i32.const 8)))
  (func $load_misaligned (result i32) (i32.atomic.load offset=4 (i32.const 6)))
  ;; Not folded, unlike a plain load.
  (func $load_add (param i32 i32) (result i32) (i32.add (local.get 1) (i32.atomic.load (local.get 0))))
  (func $store (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1)))
  (func $store_sum (param i32 i64) (i64.atomic.store16 (local.get 0) (i64.add (local.get 1) (i64.const 1))))
  (func $store_constant (param i32) (i32.atomic.store8 (local.get 0) (i32.const 7)))
  (func $add (param i32 i32) (result i32) (i32.atomic.rmw.add (local.get 0) (local.get 1)))
  (func $add_set (param i32) (result i32) (local.set 0 (i32.atomic.rmw.add offset=8 (local.get 0) (i32.const 1))) (local.get 0))
  (func $add_home (param i32) (result i32)
    (local i32)
    (local.set 1 (i32.atomic.rmw8.add_u (local.get 0) (i32.const 1)))
    (i32.add (local.get 0) (local.get 1)))
  (func $add_drop (param i32 i32) (drop (i32.atomic.rmw.add (local.get 0) (local.get 1))))
  (func $add_drop_constants (param i32)
    (drop (i32.atomic.rmw8.add_u (local.get 0) (i32.const 300)))
    (drop (i32.atomic.rmw16.sub_u (local.get 0) (i32.const 5)))
    (drop (i32.atomic.rmw16.or_u (local.get 0) (i32.const 0x1234)))
    (drop (i32.atomic.rmw.xor (local.get 0) (i32.const 0x12345678)))
    (drop (i64.atomic.rmw.and (local.get 0) (i64.const -2)))
    (drop (i64.atomic.rmw.add (local.get 0) (i64.const 0x123456789a))))
  (func $sub (param i32 i64) (result i64) (i64.atomic.rmw.sub (local.get 0) (local.get 1)))
  (func $sub_constant (param i32) (result i32) (i32.atomic.rmw16.sub_u (local.get 0) (i32.const 2)))
  (func $or (param i32 i32) (result i32) (i32.atomic.rmw.or (local.get 0) (local.get 1)))
  (func $and8 (param i32) (result i64) (i64.atomic.rmw8.and_u (local.get 0) (i64.const 15)))
  (func $xchg (param i32 i32) (result i32) (i32.atomic.rmw16.xchg_u (local.get 0) (local.get 1)))
  (func $xchg_drop (param i32 i32) (drop (i32.atomic.rmw.xchg (local.get 0) (local.get 1))))
  (func $cmpxchg (param i32 i32 i32) (result i32)
    (i32.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)))
  (func $cmpxchg8 (param i32) (result i32) (i32.atomic.rmw8.cmpxchg_u (local.get 0) (i32.const 0) (i32.const 1)))
  (func $cmpxchg32 (param i32 i64 i64) (result i64)
    (i64.atomic.rmw32.cmpxchg_u (local.get 0) (local.get 1) (local.get 2)))
  (func $fence (atomic.fence)))
;;! x64
;; $load
;;   mov rsi, rdx
;;   test sil, 3
;;   jne L0
;;   mov eax, [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $load_offset
;;   mov rsi, rdx
;;   lea r11d, [rsi+4]
;;   test r11b, 7
;;   jne L0
;;   mov rax, [r14+rsi+0xC]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $load8
;;   mov rsi, rdx
;;   movzx eax, byte ptr [r14+rsi+3]  ; MemoryOutOfBounds
;;   return
;; $load32
;;   mov rsi, rdx
;;   test sil, 3
;;   jne L0
;;   mov eax, [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $load_constant
;;   mov eax, [r14+0xC]  ; MemoryOutOfBounds
;;   return
;; $load_misaligned
;;   jmp L0
;;   mov eax, [r14+0xA]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $load_add
;;   mov rsi, rcx
;;   mov rdi, rdx
;;   test dil, 3
;;   jne L0
;;   mov eax, [r14+rdi]  ; MemoryOutOfBounds
;;   lea ecx, [rsi+rax]
;;   mov eax, ecx
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $store
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov r11d, edi
;;   xchg [r14+rsi], r11d  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $store_sum
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   lea rax, [rdi+1]
;;   test sil, 1
;;   jne L0
;;   xchg [r14+rsi], ax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $store_constant
;;   mov rsi, rdx
;;   mov r11d, 7
;;   xchg [r14+rsi], r11b  ; MemoryOutOfBounds
;;   return
;; $add
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov eax, edi
;;   lock xadd [r14+rsi], eax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $add_set
;;   mov rsi, rdx
;;   test sil, 3
;;   jne L0
;;   mov eax, 1
;;   lock xadd [r14+rsi+8], eax  ; MemoryOutOfBounds
;;   mov esi, eax
;;   mov eax, esi
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $add_home
;;   mov rsi, rdx
;;   mov edi, 1
;;   lock xadd [r14+rsi], dil  ; MemoryOutOfBounds
;;   movzx edi, dil
;;   lea eax, [rsi+rdi]
;;   return
;; $add_drop
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   lock add [r14+rsi], edi  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $add_drop_constants
;;   mov rsi, rdx
;;   lock add byte ptr [r14+rsi], 0x2C  ; MemoryOutOfBounds
;;   test sil, 1
;;   jne L0
;;   lock sub word ptr [r14+rsi], 5  ; MemoryOutOfBounds
;;   test sil, 1
;;   jne L1
;;   lock or word ptr [r14+rsi], 0x1234  ; MemoryOutOfBounds
;;   test sil, 3
;;   jne L2
;;   lock xor dword ptr [r14+rsi], 0x12345678  ; MemoryOutOfBounds
;;   test sil, 7
;;   jne L3
;;   lock and qword ptr [r14+rsi], 0xFFFFFFFFFFFFFFFE  ; MemoryOutOfBounds
;;   mov rax, 0x123456789A
;;   test sil, 7
;;   jne L4
;;   lock add [r14+rsi], rax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; L1:
;;   ud2  ; HeapMisaligned
;; L2:
;;   ud2  ; HeapMisaligned
;; L3:
;;   ud2  ; HeapMisaligned
;; L4:
;;   ud2  ; HeapMisaligned
;; $sub
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 7
;;   jne L0
;;   mov rax, rdi
;;   neg rax
;;   lock xadd [r14+rsi], rax  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $sub_constant
;;   mov rsi, rdx
;;   test sil, 1
;;   jne L0
;;   mov eax, 0xFFFFFFFE
;;   lock xadd [r14+rsi], ax  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $or
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L1
;;   mov eax, [r14+rsi]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   or r11d, edi
;;   lock cmpxchg [r14+rsi], r11d  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; L1:
;;   ud2  ; HeapMisaligned
;; $and8
;;   mov rsi, rdx
;;   movzx eax, byte ptr [r14+rsi]  ; MemoryOutOfBounds
;; L0:
;;   mov r11d, eax
;;   and r11d, 0xF
;;   lock cmpxchg [r14+rsi], r11b  ; MemoryOutOfBounds
;;   jne L0
;;   return
;; $xchg
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 1
;;   jne L0
;;   mov eax, edi
;;   xchg [r14+rsi], ax  ; MemoryOutOfBounds
;;   movzx eax, ax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $xchg_drop
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test sil, 3
;;   jne L0
;;   mov r11d, edi
;;   xchg [r14+rsi], r11d  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $cmpxchg
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, edi
;;   test sil, 3
;;   jne L0
;;   lock cmpxchg [r14+rsi], r8d  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $cmpxchg8
;;   mov rsi, rdx
;;   mov eax, 0
;;   mov ecx, 1
;;   lock cmpxchg [r14+rsi], cl  ; MemoryOutOfBounds
;;   movzx eax, al
;;   return
;; $cmpxchg32
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rax, rdi
;;   test sil, 3
;;   jne L0
;;   lock cmpxchg [r14+rsi], r8d  ; MemoryOutOfBounds
;;   mov eax, eax
;;   return
;; L0:
;;   ud2  ; HeapMisaligned
;; $fence
;;   lock or dword ptr [rsp], 0
;;   return
