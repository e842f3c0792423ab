;; settings: fuel
;; Fuel is counted at entries and where control may go two ways.
(module
  (func $loop (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
;; x64:
;; $loop
;;   mov rsi, rdx
;;   mov r11, [r15+8]
;;   add qword ptr [r11], 1
;;   jge L3
;; L0:
;;   nop [rax+rax]
;; L1:
;;   mov r11, [r15+8]
;;   cmp qword ptr [r11], 0
;;   jge L4
;; L2:
;;   add esi, 0xFFFFFFFF
;;   mov r11, [r15+8]
;;   add qword ptr [r11], 5
;;   test esi, esi
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
