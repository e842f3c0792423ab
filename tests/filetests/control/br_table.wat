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
;;   cmp eax, 4
;;   jae L0
;;   lea rcx, [0x29]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;;   adc [rax], al
;;   add [rax], al
;;   sbb al, [rax]
;;   add [rax], al
;;   and al, 0
;;   add [rax], al
;;   add [rax], al
;;   add [rax+0xA], bh
;;   jmp L1
;;   mov eax, 0xB
;;   jmp L1
;;   mov eax, 0xC
;;   jmp L1
;;   mov eax, 0xD
;;   jmp L1
;; L0:
;;   mov eax, 0xE
;; L1:
;;   leave
;;   ret
;; $two
;;   mov rsi, rdx
;;   mov eax, esi
;;   cmp eax, 1
;;   jae L0
;;   lea rcx, [0x99]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;;   add al, 0
;;   add [rax], al
;;   mov eax, 0xA
;;   jmp L1
;; L0:
;;   mov eax, 0xB
;; L1:
;;   leave
;;   ret
;; $one
;;   mov rsi, rdx
;;   mov eax, esi
;;   cmp eax, 2
;;   jae L0
;;   lea rcx, [0xD9]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;;   or [rax], al
;;   add [rax], al
;;   or [rax], al
;;   add [rax], al
;; L0:
;;   leave
;;   ret
