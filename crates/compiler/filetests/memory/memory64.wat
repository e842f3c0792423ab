;; 64-bit indices are always checked.
(module
  (memory i64 1)
  (func $load (param i64) (result i64) (i64.load offset=8 (local.get 0)))
  (func $size (result i64) (memory.size)))
;;! x64
;; $load
;;   mov eax, 0x10
;;   add rax, rdx
;;   cmp rax, rdx
;;   jb L0
;;   cmp rax, [memory0.length]
;;   ja L0
;;   mov r11d, 8
;;   cmova rax, r11
;;   mov rax, [r14+rax-8]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $size
;;   mov rax, [memory0.length]
;;   shr rax, 0x10
;;   return
