;; Loads of which only matters whether they are zero are compared in memory.
(module
  (memory 1)
  (func $byte (param i32) (result i32)
    (if (i32.load8_u offset=3 (local.get 0)) (then (return (i32.const 5))))
    (i32.const 6))
  (func $half_is_zero (param i32) (result i32)
    (if (i32.eqz (i32.load16_s (local.get 0))) (then (return (i32.const 5))))
    (i32.const 6))
  (func $word (param i32) (result i32)
    (block (br_if 0 (i32.load (local.get 0))) (return (i32.const 7)))
    (i32.const 8))
  (func $quad_is_zero (param i32) (result i32)
    (block (br_if 0 (i64.eqz (i64.load (local.get 0)))) (return (i32.const 7)))
    (i32.const 8))
  (func $narrow_of_64 (param i32) (result i32)
    (select (local.get 0) (i32.const 4) (i64.eqz (i64.load32_s (local.get 0)))))
  (func $kept (param i32) (result i32)
    (i32.eqz (i32.load (local.get 0))))
)
;;! x64
;; $byte
;;   cmp byte ptr [r14+rdx+3], 0  ; MemoryOutOfBounds
;;   je L0
;;   mov eax, 5
;;   jmp L1
;; L0:
;;   mov eax, 6
;; L1:
;;   return
;; $half_is_zero
;;   cmp word ptr [r14+rdx], 0  ; MemoryOutOfBounds
;;   jne L0
;;   mov eax, 5
;;   jmp L1
;; L0:
;;   mov eax, 6
;; L1:
;;   return
;; $word
;;   cmp dword ptr [r14+rdx], 0  ; MemoryOutOfBounds
;;   jne L0
;;   mov eax, 7
;;   jmp L1
;; L0:
;;   mov eax, 8
;; L1:
;;   return
;; $quad_is_zero
;;   cmp qword ptr [r14+rdx], 0  ; MemoryOutOfBounds
;;   je L0
;;   mov eax, 7
;;   jmp L1
;; L0:
;;   mov eax, 8
;; L1:
;;   return
;; $narrow_of_64
;;   cmp dword ptr [r14+rdx], 0  ; MemoryOutOfBounds
;;   mov eax, 4
;;   mov ecx, edx
;;   cmovne ecx, eax
;;   mov eax, ecx
;;   return
;; $kept
;;   mov eax, [r14+rdx]  ; MemoryOutOfBounds
;;   test eax, eax
;;   sete al
;;   movzx eax, al
;;   return
