;; settings: epochs
;; The epoch is looked at at entries and loop headers.
(module
  (func $loop (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
;; x64:
;; $loop
;;   mov rsi, rdx
;;   mov rax, [r15+0x18]
;;   mov rax, [rax]
;;   mov r11, [r15+8]
;;   cmp rax, [r11+8]
;;   jae L3
;; L0:
;;   nop [rax+rax]
;;   nop [rax]
;; L1:
;;   mov rax, [r15+0x18]
;;   mov rax, [rax]
;;   mov r11, [r15+8]
;;   cmp rax, [r11+8]
;;   jae L4
;; L2:
;;   add esi, 0xFFFFFFFF
;;   jne L1
;;   leave
;;   ret
;; L3:
;;   mov [rbp-0x10], rsi
;;   mov rdi, r15
;;   call elsewhere
;;   mov rsi, [rbp-0x10]
;;   jmp L0
;; L4:
;;   mov [rbp-0x10], rsi
;;   mov rdi, r15
;;   call elsewhere
;;   mov rsi, [rbp-0x10]
;;   jmp L2
;;   ud2
