;; Bulk operators: bounds first, then one call.
(module
  (memory 1)
  (func $fill (param i32 i32) (memory.fill (local.get 0) (i32.const 0) (local.get 1)))
  (func $fill_16 (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const 16)))
  (func $copy_16 (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 16)))
  (func $grow (param i32) (result i32) (memory.grow (local.get 0))))
;;! x64
;; $fill
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov eax, ecx
;;   mov esi, 0
;;   mov edi, edx
;;   lea r8, [rdi+rax]
;;   cmp r8, [memory0.length]
;;   ja L0
;;   add rdi, r14
;;   mov rcx, rax
;;   mov rdx, rsi
;;   mov rsi, rdi
;;   mov rdi, r15
;;   call libcall(MemoryFill)
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $fill_16
;;   mov rsi, rdx
;;   xorps xmm15, xmm15
;;   movups [r14+rsi], xmm15  ; MemoryOutOfBounds
;;   return
;; $copy_16
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   movups xmm0, [r14+rdi]  ; MemoryOutOfBounds
;;   movups [r14+rsi], xmm0  ; MemoryOutOfBounds
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
