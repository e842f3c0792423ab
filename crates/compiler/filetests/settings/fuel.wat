;; settings: fuel
;; Fuel is counted at entries and where control may go two ways.
(module
  (func $loop (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
;;! x64
;; $loop
;;   mov rsi, rdx
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 1
;;   jge L3
;; L0:
;;   padding
;; L1:
;;   mov r11, [store]
;;   cmp qword ptr [r11+store.fuel], 0
;;   jge L4
;; L2:
;;   add esi, 0xFFFFFFFF
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 5
;;   test esi, esi
;;   jne L1
;;   return
;; L3:
;;   mov [rbp-0x10], rsi
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   mov rsi, [rbp-0x10]
;;   jmp L0
;; L4:
;;   mov [rbp-0x10], rsi
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   mov rsi, [rbp-0x10]
;;   jmp L2
;;   ud2  ; StackOverflow
