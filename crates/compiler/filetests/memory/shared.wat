;; A shared memory of the module's own is behind a pointer; waiting and waking are the host's.
(module
  (memory 1 4 shared)
  (func $size (result i32) (memory.size))
  (func $grow (param i32) (result i32) (memory.grow (local.get 0)))
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $copy (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func $wait (param i32 i32 i64) (result i32) (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func $wait_offset (param i32 i64) (result i32)
    (memory.atomic.wait64 offset=16 (local.get 0) (local.get 1) (i64.const -1)))
  (func $notify (param i32) (result i32) (memory.atomic.notify (local.get 0) (i32.const 1)))
  (func $notify_constant (memory.atomic.notify offset=4 (i32.const 4) (i32.const 1)) (drop))
  (func $notify_never (result i32) (memory.atomic.notify offset=8 (i32.const -4) (i32.const 1))))
;;! x64
;; $size
;;   mov r11, [memory0]
;;   mov rax, [r11+memory.length]
;;   shr rax, 0x10
;;   return
;; $grow
;;   mov [rbp-8], edx
;;   mov rsi, rdx
;;   mov rdi, r15
;;   xor edx, edx
;;   call libcall(MemoryGrow)
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $load
;;   mov eax, [r14+rdx]  ; MemoryOutOfBounds
;;   return
;; $copy
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov [rbp-0x18], r8d
;;   mov eax, r8d
;;   mov esi, ecx
;;   mov edi, edx
;;   lea r9, [rsi+rax]
;;   mov r11, [memory0]
;;   cmp r9, [r11+memory.length]
;;   ja L0
;;   lea r9, [rdi+rax]
;;   mov r11, [memory0]
;;   cmp r9, [r11+memory.length]
;;   ja L0
;;   add rsi, r14
;;   add rdi, r14
;;   mov rcx, rax
;;   mov rdx, rsi
;;   mov rsi, rdi
;;   mov rdi, r15
;;   call libcall(MemoryCopy)
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $wait
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov [rbp-0x18], r8
;;   mov rdi, r15
;;   xor esi, esi
;;   mov edx, [rbp-8]
;;   mov ecx, [rbp-0x10]
;;   mov r8, [rbp-0x18]
;;   call libcall(AtomicWait32)
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $wait_offset
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], rcx
;;   mov eax, [rbp-8]
;;   add eax, 0x10
;;   cmp eax, 0x10
;;   jb L0
;;   mov rdx, rax
;;   mov rdi, r15
;;   xor esi, esi
;;   mov rcx, [rbp-0x10]
;;   mov r8, 0xFFFFFFFFFFFFFFFF
;;   call libcall(AtomicWait64)
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $notify
;;   mov [rbp-8], edx
;;   mov rdi, r15
;;   xor esi, esi
;;   mov edx, [rbp-8]
;;   mov ecx, 1
;;   call libcall(AtomicNotify)
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $notify_constant
;;   mov rdi, r15
;;   xor esi, esi
;;   mov edx, 8
;;   mov ecx, 1
;;   call libcall(AtomicNotify)
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $notify_never
;;   jmp L0
;;   mov rdi, r15
;;   xor esi, esi
;;   mov edx, 0xFFFFFFFC
;;   mov ecx, 1
;;   call libcall(AtomicNotify)
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; MemoryOutOfBounds
