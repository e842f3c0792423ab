;; 64-bit indices are always checked.
(module
  (memory i64 1)
  (func $load (param i64) (result i64) (i64.load offset=8 (local.get 0)))
  (func $size (result i64) (memory.size)))
;; x64:
;; $load
;;   mov rsi, rdx
;;   mov eax, 0x10
;;   add rax, rsi
;;   cmp rax, rsi
;;   jb L0
;;   cmp rax, [r15+0x40]
;;   ja L0
;;   mov r11d, 8
;;   cmova rax, r11
;;   mov rax, [r14+rax-8]
;;   leave
;;   ret
;; L0:
;;   ud2
;; $size
;;   mov rax, [r15+0x40]
;;   shr rax, 0x10
;;   leave
;;   ret
