;; A table of labels, one entry a target, and what few targets become.
(module
  (func $five (param i32) (result i32)
    (block (block (block (block (block
      (br_table 0 1 2 3 4 (local.get 0)))
      (return (i32.const 10))) (return (i32.const 11))) (return (i32.const 12))) (return (i32.const 13)))
    (i32.const 14))
  (func $two (param i32) (result i32)
    (block (block (br_table 0 1 (local.get 0))) (return (i32.const 10))) (i32.const 11))
  (func $one (param i32) (block (br_table 0 0 0 (local.get 0)))))
;; x64:
;; $five
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 4
;;   cmp eax, ecx
;;   cmova eax, ecx
;;   lea rcx, [0x2A]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;;   adc al, 0
;;   add [rax], al
;;   (bad)
;;   add [rax], al
;;   sub [rax], al
;;   add [rax], al
;;   xor al, [rax]
;;   add [rax], al
;;   cmp al, 0
;;   add [rax], al
;;   mov eax, 0xA
;;   jmp L0
;;   mov eax, 0xB
;;   jmp L0
;;   mov eax, 0xC
;;   jmp L0
;;   mov eax, 0xD
;;   jmp L0
;;   mov eax, 0xE
;; L0:
;;   leave
;;   ret
;; $two
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 1
;;   cmp eax, ecx
;;   cmova eax, ecx
;;   lea rcx, [0x9A]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;;   or [rax], al
;;   add [rax], al
;;   adc al, [rax]
;;   add [rax], al
;;   mov eax, 0xA
;;   jmp L0
;;   mov eax, 0xB
;; L0:
;;   leave
;;   ret
;; $one
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 2
;;   cmp eax, ecx
;;   cmova eax, ecx
;;   lea rcx, [0xEA]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;;   or al, 0
;;   add [rax], al
;;   or al, 0
;;   add [rax], al
;;   or al, 0
;;   add [rax], al
;;   leave
;;   ret
