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
;;   mov eax, [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $load8_s
;;   movsx rax, byte ptr [r14+rdx]  ; MemoryOutOfBounds
;;   return
;; $load_const_address
;;   mov eax, [r14+0x400]  ; MemoryOutOfBounds
;;   return
;; $store
;;   mov [r14+rdx+0x10], rcx  ; MemoryOutOfBounds
;;   return
;; $store_const
;;   mov dword ptr [r14+rdx], 7  ; MemoryOutOfBounds
;;   return
;; $load_op
;;   mov eax, edx
;;   add eax, [r14+rcx]  ; MemoryOutOfBounds
;;   return
;; $update
;;   mov eax, [r14+rdx]  ; MemoryOutOfBounds
;;   add eax, 1
;;   mov [r14+rdx], eax  ; MemoryOutOfBounds
;;   return
;; $float
;;   movsd xmm0, [r14+rdx+0x18]  ; MemoryOutOfBounds
;;   return
;; $large_offset
;;   mov eax, 0x80000004
;;   add rax, rdx
;;   cmp rax, [memory0.length]
;;   ja L0
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov eax, [r14+rax-4]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; MemoryOutOfBounds
