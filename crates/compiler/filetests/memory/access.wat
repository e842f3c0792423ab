;; Loads and stores by [base + index + offset]; constants are stored as immediates.
(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.load offset=8 (local.get 0)))
  (func $load8_s (param i32) (result i64) (i64.load8_s (local.get 0)))
  (func $load_const_address (result i32) (i32.load (i32.const 1024)))
  (func $store (param i32 i64) (i64.store offset=16 (local.get 0) (local.get 1)))
  (func $store_const (param i32) (i32.store (local.get 0) (i32.const 7)))
  (func $load_op (param i32 i32) (result i32) (i32.add (local.get 0) (i32.load (local.get 1))))
  (func $update (param i32) (i32.store (local.get 0) (i32.add (i32.load (local.get 0)) (i32.const 1))))
  (func $float (param i32) (result f64) (f64.load offset=24 (local.get 0)))
  (func $large_offset (param i32) (result i32) (i32.load offset=0x80000000 (local.get 0))))
;;! x64
;; $load
;;   mov rsi, rdx
;;   mov eax, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $load8_s
;;   mov rsi, rdx
;;   movsx rax, byte ptr [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; $load_const_address
;;   mov eax, [r14+0x400]  ; MemoryOutOfBounds
;;   return
;; $store
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov [r14+rsi+0x10], rdi  ; MemoryOutOfBounds
;;   return
;; $store_const
;;   mov rsi, rdx
;;   mov dword ptr [r14+rsi], 7  ; MemoryOutOfBounds
;;   return
;; $load_op
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, esi
;;   add eax, [r14+rdi]  ; MemoryOutOfBounds
;;   return
;; $update
;;   mov rsi, rdx
;;   mov eax, [r14+rsi]  ; MemoryOutOfBounds
;;   add eax, 1
;;   mov [r14+rsi], eax  ; MemoryOutOfBounds
;;   return
;; $float
;;   mov rsi, rdx
;;   movsd xmm0, [r14+rsi+0x18]  ; MemoryOutOfBounds
;;   return
;; $large_offset
;;   mov rsi, rdx
;;   mov eax, 0x80000004
;;   add rax, rsi
;;   cmp rax, [memory0.length]
;;   ja L0
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov eax, [r14+rax-4]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; MemoryOutOfBounds
