;; settings: no-signals
;; Without signals every trap is checked for and raised by a call.
(module
  (memory 1)
  (func $div (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $unreachable unreachable))
;;! x64
;; $div
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov eax, esi
;;   test edi, edi
;;   je L1
;;   cmp edi, 0xFFFFFFFF
;;   jne L0
;;   mov r11d, 0x80000000
;;   cmp eax, r11d
;;   je L2
;; L0:
;;   cdq
;;   idiv edi  ; IntegerDivisionByZero
;;   return
;; L1:
;;   mov rdi, r15
;;   mov esi, 6
;;   call libcall(Trap)
;; L2:
;;   mov rdi, r15
;;   mov esi, 5
;;   call libcall(Trap)
;; $load
;;   lea rax, [rdx+4]
;;   cmp rax, [memory0.length]
;;   ja L0
;;   mov r11d, 4
;;   cmova rax, r11
;;   mov eax, [r14+rax-4]  ; MemoryOutOfBounds
;;   return
;; L0:
;;   mov rdi, r15
;;   mov esi, 1
;;   call libcall(Trap)
;; $unreachable
;;   mov rdi, r15
;;   mov esi, 8
;;   call libcall(Trap)
