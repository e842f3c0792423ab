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
;;! x64
;; $five
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 4
;;   cmp eax, ecx
;;   cmova eax, ecx
;;   lea rcx, [L0]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;; L0:
;;   L1, L2, L3, L4, L5
;; L1:
;;   mov eax, 0xA
;;   jmp L6
;; L2:
;;   mov eax, 0xB
;;   jmp L6
;; L3:
;;   mov eax, 0xC
;;   jmp L6
;; L4:
;;   mov eax, 0xD
;;   jmp L6
;; L5:
;;   mov eax, 0xE
;; L6:
;;   return
;; $two
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 1
;;   cmp eax, ecx
;;   cmova eax, ecx
;;   lea rcx, [L0]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;; L0:
;;   L1, L2
;; L1:
;;   mov eax, 0xA
;;   jmp L3
;; L2:
;;   mov eax, 0xB
;; L3:
;;   return
;; $one
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 2
;;   cmp eax, ecx
;;   cmova eax, ecx
;;   lea rcx, [L0]
;;   movsxd rax, [rcx+rax*4]
;;   add rax, rcx
;;   jmp rax
;; L0:
;;   L1, L1, L1
;; L1:
;;   return
