;; Calls inside a module pass arguments in registers; what lives across one is in a preserved register or a slot.
(module
  (memory 1)
  (func $callee (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
  (func $swap (param i32 i32) (result i32) (call $callee (local.get 1) (local.get 0)))
  (func $across (param i32 i32) (result i32)
    (i32.add (call $callee (local.get 0) (i32.const 1)) (i32.add (local.get 0) (local.get 1))))
  (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $tail (param i32 i32) (result i32) (return_call $callee (local.get 1) (i32.const 3)))
  (func $many (result i64)
    (call $nine (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7)
                (i64.const 8) (i64.const 9)))
  ;; The address and the constant wait for the calls: neither is in a register or a slot before.
  (func $pending (param i32) (result i32)
    (i32.store (local.get 0) (call $swap (local.get 0) (i32.const 1)))
    (i32.add (i32.const 5) (call $swap (i32.const 2) (local.get 0))))
  ;; The load goes to the register of the argument.
  (func $loaded (param i32 i32) (result i32) (call $callee (local.get 0) (i32.load (local.get 1))))
  (func $nine (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64) (i64.add (local.get 0) (local.get 8))))
;;! x64
;; $callee
;;   mov eax, edx
;;   sub eax, ecx
;;   return
;; $swap
;;   mov [rbp-0x10], edx
;;   mov [rbp-8], ecx
;;   mov r11, rcx
;;   mov rcx, rdx
;;   mov rdx, r11
;;   call $callee
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $across
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov ecx, 1
;;   call $callee
;;   mov eax, eax
;;   mov ecx, [rbp-8]
;;   add ecx, [rbp-0x10]
;;   add eax, ecx
;;   return
;;   ud2  ; StackOverflow
;; $fib
;;   mov rbx, rdx
;;   cmp ebx, 2
;;   jae L0
;;   mov eax, ebx
;;   jmp L1
;; L0:
;;   lea edx, [rbx-1]
;;   call $fib
;;   mov eax, eax
;;   lea edx, [rbx-2]
;;   mov [rbp-0x10], eax
;;   call $fib
;;   mov r11d, [rbp-0x10]
;;   add eax, r11d
;; L1:
;;   return
;;   mov eax, edx
;;   ret
;;   ud2  ; StackOverflow
;; $tail
;;   mov rsi, rcx
;;   mov rdx, rsi
;;   mov ecx, 3
;;   leave
;;   jmp $callee
;; $many
;;   mov qword ptr [rsp+0x10], 9
;;   mov qword ptr [rsp+8], 8
;;   mov qword ptr [rsp], 7
;;   mov edx, 1
;;   mov ecx, 2
;;   mov r8d, 3
;;   mov r9d, 4
;;   mov edi, 5
;;   mov esi, 6
;;   call $nine
;;   lea rsp, [rsp-0x20]
;;   return
;;   ud2  ; StackOverflow
;; $pending
;;   mov rbx, rdx
;;   mov rdx, rbx
;;   mov ecx, 1
;;   call $swap
;;   mov eax, eax
;;   mov [r14+rbx], eax  ; MemoryOutOfBounds
;;   mov rcx, rbx
;;   mov edx, 2
;;   call $swap
;;   add eax, 5
;;   return
;;   ud2  ; StackOverflow
;; $loaded
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov eax, [r14+rcx]  ; MemoryOutOfBounds
;;   mov rcx, rax
;;   call $callee
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $nine
;;   mov rsi, rdx
;;   mov rdi, [rbp+0x20]
;;   lea rax, [rsi+rdi]
;;   return
