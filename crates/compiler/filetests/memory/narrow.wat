;; Loads and stores of parts of a number, and of floats.
(module
  (memory 1)
  (func $f32_load (param i32) (result f32) (f32.load offset=8 (local.get 0)))
  (func $f32_store (param i32 f32) (f32.store offset=8 (local.get 0) (local.get 1)))
  (func $i32_load16_u (param i32) (result i32) (i32.load16_u offset=8 (local.get 0)))
  (func $i32_load8_s (param i32) (result i32) (i32.load8_s offset=8 (local.get 0)))
  (func $i32_store16 (param i32 i32) (i32.store16 offset=8 (local.get 0) (local.get 1)))
  (func $i64_load16_s (param i32) (result i64) (i64.load16_s offset=8 (local.get 0)))
  (func $i64_load16_u (param i32) (result i64) (i64.load16_u offset=8 (local.get 0)))
  (func $i64_load32_u (param i32) (result i64) (i64.load32_u offset=8 (local.get 0)))
  (func $i64_load8_u (param i32) (result i64) (i64.load8_u offset=8 (local.get 0)))
  (func $i64_store16 (param i32 i64) (i64.store16 offset=8 (local.get 0) (local.get 1)))
  (func $i64_store32 (param i32 i64) (i64.store32 offset=8 (local.get 0) (local.get 1)))
  (func $i64_store8 (param i32 i64) (i64.store8 offset=8 (local.get 0) (local.get 1))))
;;! x64
;; $f32_load
;;   movss xmm0, [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $f32_store
;;   movaps xmm8, xmm0
;;   movss [r14+rdx+8], xmm8  ; MemoryOutOfBounds
;;   return
;; $i32_load16_u
;;   movzx eax, word ptr [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $i32_load8_s
;;   movsx eax, byte ptr [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $i32_store16
;;   mov [r14+rdx+8], cx  ; MemoryOutOfBounds
;;   return
;; $i64_load16_s
;;   movsx rax, word ptr [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $i64_load16_u
;;   movzx eax, word ptr [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $i64_load32_u
;;   mov eax, [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $i64_load8_u
;;   movzx eax, byte ptr [r14+rdx+8]  ; MemoryOutOfBounds
;;   return
;; $i64_store16
;;   mov [r14+rdx+8], cx  ; MemoryOutOfBounds
;;   return
;; $i64_store32
;;   mov [r14+rdx+8], ecx  ; MemoryOutOfBounds
;;   return
;; $i64_store8
;;   mov [r14+rdx+8], cl  ; MemoryOutOfBounds
;;   return
