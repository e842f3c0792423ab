;; settings: checks
;; Without guard pages each access is checked against the length.
(module
  (memory 1)
  (func $load (param i32) (result i32) (i32.load offset=8 (local.get 0)))
  (func $store (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))
;;! x64
;; $load
;;   lea rax, [rdx+0xC]
;;   cmp rax, [memory0.length]
;;   ja L0
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov eax, [r14+rax-4]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $store
;;   lea rax, [rdx+1]
;;   cmp rax, [memory0.length]
;;   ja L0
;;   mov r11d, 1
;;   cmova rax, r11
;;   mov [r14+rax-1], cl  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; MemoryOutOfBounds
