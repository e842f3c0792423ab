;; settings: fuel costs
;; What operators cost, and what their work does, is added up; nothing, `loop` and `end` are as others are.
(module
  (memory 1)
  (memory $wide i64 1)
  (func $loop (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) nop)
  (func $few
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 25)))
  (func $many
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 26)))
  (func $unknown (param i32)
    (memory.fill (i32.const 0) (i32.const 0) (local.get 0)))
  (func $wide (param i64) (result i64)
    (memory.grow $wide (local.get 0))))
;;! x64
;; $loop
;;   mov rsi, rdx
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 1
;;   jge L3
;; L0:
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 3
;;   padding
;; L1:
;;   mov r11, [store]
;;   cmp qword ptr [r11+store.fuel], 0
;;   jge L4
;; L2:
;;   add esi, 0xFFFFFFFF
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0xF
;;   test esi, esi
;;   jne L1
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0x64
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0x67
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
;; $few
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 1
;;   jge L1
;; L0:
;;   xorps xmm15, xmm15
;;   movups [r14+9], xmm15  ; MemoryOutOfBounds
;;   movups [r14], xmm15  ; MemoryOutOfBounds
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0xED
;;   return
;; L1:
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   jmp L0
;;   ud2  ; StackOverflow
;; $many
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 1
;;   jge L2
;; L0:
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0xC
;;   mov eax, 0x1A
;;   lea rax, [rax+rax*4]
;;   mov r11, [store]
;;   add [r11+store.fuel], rax
;;   mov r11, [store]
;;   cmp qword ptr [r11+store.fuel], 0
;;   jge L3
;; L1:
;;   xorps xmm15, xmm15
;;   movups [r14+0xA], xmm15  ; MemoryOutOfBounds
;;   movups [r14], xmm15  ; MemoryOutOfBounds
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0x64
;;   return
;; L2:
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   jmp L0
;; L3:
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   jmp L1
;;   ud2  ; StackOverflow
;; $unknown
;;   mov [rbp-8], edx
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 1
;;   jge L2
;; L0:
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0xC
;;   mov eax, edx
;;   lea rax, [rax+rax*4]
;;   mov r11, [store]
;;   add [r11+store.fuel], rax
;;   mov r11, [store]
;;   cmp qword ptr [r11+store.fuel], 0
;;   jge L3
;; L1:
;;   mov eax, edx
;;   mov ecx, 0
;;   mov esi, 0
;;   lea rdi, [rsi+rax]
;;   cmp rdi, [memory0.length]
;;   ja L4
;;   add rsi, r14
;;   mov rdx, rcx
;;   mov rcx, rax
;;   mov rdi, r15
;;   call libcall(MemoryFill)
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0x64
;;   return
;; L2:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   mov rdx, [rbp-0x10]
;;   jmp L0
;; L3:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   mov rdx, [rbp-0x10]
;;   jmp L1
;;   ud2  ; StackOverflow
;; L4:
;;   ud2  ; MemoryOutOfBounds
;; $wide
;;   mov [rbp-8], rdx
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 1
;;   jge L2
;; L0:
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 6
;;   mov rax, rdx
;;   mov r11, 0x1933333333333333
;;   cmp rax, r11
;;   cmova rax, r11
;;   lea rax, [rax+rax*4]
;;   mov r11, [store]
;;   add [r11+store.fuel], rax
;;   mov r11, [store]
;;   cmp qword ptr [r11+store.fuel], 0
;;   jge L3
;; L1:
;;   mov rsi, rdx
;;   mov rdi, r15
;;   mov edx, 1
;;   call libcall(MemoryGrow)
;;   mov r11, [store]
;;   add qword ptr [r11+store.fuel], 0x64
;;   return
;; L2:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   mov rdx, [rbp-0x10]
;;   jmp L0
;; L3:
;;   mov [rbp-0x10], rdx
;;   mov rdi, r15
;;   call libcall(OutOfGas)
;;   mov rdx, [rbp-0x10]
;;   jmp L1
;;   ud2  ; StackOverflow
