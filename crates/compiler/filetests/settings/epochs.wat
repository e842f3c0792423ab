;; settings: epochs
;; The epoch is looked at at entries and loop headers.
(module
  (func $loop (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
;;! x64
;; $loop
;;   mov rsi, rdx
;;   mov rax, [epoch]
;;   mov rax, [rax]
;;   mov r11, [store]
;;   cmp rax, [r11+store.epoch_deadline]
;;   jae L3
;; L0:
;;   padding
;; L1:
;;   mov rax, [epoch]
;;   mov rax, [rax]
;;   mov r11, [store]
;;   cmp rax, [r11+store.epoch_deadline]
;;   jae L4
;; L2:
;;   add esi, 0xFFFFFFFF
;;   jne L1
;;   return
;; L3:
;;   mov [rbp-0x10], rsi
;;   mov rdi, r15
;;   call libcall(NewEpoch)
;;   mov rsi, [rbp-0x10]
;;   jmp L0
;; L4:
;;   mov [rbp-0x10], rsi
;;   mov rdi, r15
;;   call libcall(NewEpoch)
;;   mov rsi, [rbp-0x10]
;;   jmp L2
;;   ud2  ; StackOverflow
