;; Loops that call nothing and have many locals: one more of them keeps its register where no operator needs more than three
;; at once, and what is in a slot that was stored to lately is loaded ahead of the instruction that reads it.
(module
  (memory 1)
  (func $one_more (param i32) (local i32 i32 i32 i32 i32 i32 i32 i32)
    (loop
      (local.set 1 (i32.xor (local.get 1) (local.get 2)))
      (local.set 2 (i32.xor (local.get 2) (local.get 3)))
      (local.set 3 (i32.xor (local.get 3) (local.get 4)))
      (local.set 4 (i32.xor (local.get 4) (local.get 5)))
      (local.set 5 (i32.xor (local.get 5) (local.get 6)))
      (local.set 6 (i32.xor (local.get 6) (local.get 7)))
      (local.set 7 (i32.xor (local.get 7) (i32.mul (local.get 8) (i32.load (local.get 0)))))
      (br_if 0 (select (local.get 1) (local.get 2) (i32.eqz (local.get 8))))))
  (func $divides (param i32) (local i32 i32 i32 i32 i32 i32 i32 i32)
    (loop
      (local.set 1 (i32.xor (local.get 1) (local.get 2)))
      (local.set 2 (i32.xor (local.get 2) (local.get 3)))
      (local.set 3 (i32.xor (local.get 3) (local.get 4)))
      (local.set 4 (i32.xor (local.get 4) (local.get 5)))
      (local.set 5 (i32.xor (local.get 5) (local.get 6)))
      (local.set 6 (i32.xor (local.get 6) (local.get 7)))
      (local.set 7 (i32.xor (local.get 7) (i32.div_u (local.get 8) (i32.load (local.get 0)))))
      (br_if 0 (local.get 1))))
  ;; A rotation wants its count in a certain register, beside the two locals and the result: the function is emitted once more.
  (func $rotates (param i32 i32 i32) (local i32 i32 i32 i32 i32 i32 i32 i32)
    (loop
      (local.set 3 (i32.xor (local.get 3) (local.get 4)))
      (local.set 4 (i32.xor (local.get 4) (local.get 5)))
      (local.set 5 (i32.xor (local.get 5) (local.get 6)))
      (local.set 6 (i32.xor (local.get 6) (local.get 7)))
      (local.set 7 (i32.xor (local.get 7) (local.get 8)))
      (local.set 8 (i32.xor (local.get 8) (local.get 9)))
      (local.set 9 (i32.xor (local.get 9) (local.get 10)))
      (local.set 10 (i32.xor (local.get 10) (local.get 3)))
      (i32.store (local.get 0) (i32.const 0))
      (i32.store (local.get 1) (i32.const 0))
      (i32.store (local.get 2) (i32.const 0))
      (br_if 0 (i32.rotl (local.get 0) (local.get 2)))))
  ;; The three registers that are left hold what the choice reads.
  (func $three_at_once (param i32 i32 i32) (local i32 i32 i32 i32 i32 i32 i32 i32)
    (loop
      (local.set 3 (i32.xor (local.get 3) (local.get 4)))
      (local.set 4 (i32.xor (local.get 4) (local.get 5)))
      (local.set 5 (i32.xor (local.get 5) (local.get 6)))
      (local.set 6 (i32.xor (local.get 6) (local.get 7)))
      (local.set 7 (i32.xor (local.get 7) (local.get 8)))
      (local.set 8 (i32.xor (local.get 8) (local.get 9)))
      (local.set 9 (i32.xor (local.get 9) (local.get 10)))
      (local.set 10 (i32.xor (local.get 10) (local.get 3)))
      (i32.store (i32.const 0) (local.get 0))
      (i32.store (i32.const 0) (local.get 1))
      (i32.store (i32.const 0) (local.get 2))
      (br_if 0 (select (local.get 0) (local.get 1) (local.get 2)))))
  (func $fresh (param i32 i32) (result i32)
    (i32.load (local.get 0))
    (i32.load offset=4 (local.get 0))
    (block $b (br_if $b (local.get 1)))
    (i32.add)
    (i32.load offset=8 (local.get 0))
    (block $c (br_if $c (local.get 1)))
    (i32.mul)))
;;! x64
;; $one_more
;;   mov [rbp-0x28], edx
;;   xor edi, edi
;;   xor esi, esi
;;   xor r8d, r8d
;;   xor r9d, r9d
;;   xor ebx, ebx
;;   xor r12d, r12d
;;   xor r13d, r13d
;;   mov dword ptr [rbp-0x20], 0
;;   mov r10d, [rbp-0x20]
;;   padding
;; L0:
;;   xor edi, esi
;;   xor esi, r8d
;;   xor r8d, r9d
;;   xor r9d, ebx
;;   xor ebx, r12d
;;   xor r12d, r13d
;;   mov eax, [rbp-0x28]
;;   mov ecx, r10d
;;   imul ecx, [r14+rax]  ; MemoryOutOfBounds
;;   xor r13d, ecx
;;   test r10d, r10d
;;   mov ecx, edi
;;   cmovne ecx, esi
;;   test ecx, ecx
;;   jne L0
;;   return
;; $divides
;;   mov [rbp-0x28], edx
;;   xor esi, esi
;;   xor edi, edi
;;   xor r8d, r8d
;;   xor r9d, r9d
;;   xor ebx, ebx
;;   xor r12d, r12d
;;   xor r13d, r13d
;;   mov dword ptr [rbp-0x20], 0
;;   padding
;; L0:
;;   xor esi, edi
;;   xor edi, r8d
;;   xor r8d, r9d
;;   xor r9d, ebx
;;   xor ebx, r12d
;;   xor r12d, r13d
;;   mov eax, [rbp-0x28]
;;   mov ecx, [r14+rax]  ; MemoryOutOfBounds
;;   mov eax, [rbp-0x20]
;;   xor edx, edx
;;   div ecx  ; IntegerDivisionByZero
;;   xor r13d, eax
;;   test esi, esi
;;   jne L0
;;   return
;; $rotates
;;   mov [rbp-0x28], edx
;;   mov [rbp-0x30], ecx
;;   mov [rbp-0x38], r8d
;;   xor esi, esi
;;   xor edi, edi
;;   xor r8d, r8d
;;   xor r9d, r9d
;;   xor ebx, ebx
;;   xor r12d, r12d
;;   xor r13d, r13d
;;   mov dword ptr [rbp-0x20], 0
;;   padding
;; L0:
;;   xor esi, edi
;;   xor edi, r8d
;;   xor r8d, r9d
;;   xor r9d, ebx
;;   xor ebx, r12d
;;   xor r12d, r13d
;;   mov r11d, [rbp-0x20]
;;   xor r13d, r11d
;;   mov eax, [rbp-0x20]
;;   xor eax, esi
;;   mov ecx, [rbp-0x28]
;;   mov dword ptr [r14+rcx], 0  ; MemoryOutOfBounds
;;   mov edx, [rbp-0x30]
;;   mov dword ptr [r14+rdx], 0  ; MemoryOutOfBounds
;;   mov r10d, [rbp-0x38]
;;   mov dword ptr [r14+r10], 0  ; MemoryOutOfBounds
;;   mov edx, ecx
;;   mov ecx, r10d
;;   rol edx, cl
;;   test edx, edx
;;   mov [rbp-0x20], eax
;;   jne L0
;;   return
;; $three_at_once
;;   mov [rbp-0x28], edx
;;   mov [rbp-0x30], ecx
;;   mov [rbp-0x38], r8d
;;   xor esi, esi
;;   xor edi, edi
;;   xor r8d, r8d
;;   xor r9d, r9d
;;   xor ebx, ebx
;;   xor r12d, r12d
;;   xor r13d, r13d
;;   mov dword ptr [rbp-0x20], 0
;;   mov r10d, [rbp-0x20]
;;   padding
;; L0:
;;   xor esi, edi
;;   xor edi, r8d
;;   xor r8d, r9d
;;   xor r9d, ebx
;;   xor ebx, r12d
;;   xor r12d, r13d
;;   xor r13d, r10d
;;   xor r10d, esi
;;   mov [rbp-0x20], r10d
;;   mov eax, [rbp-0x28]
;;   mov [r14], eax  ; MemoryOutOfBounds
;;   mov eax, [rbp-0x30]
;;   mov [r14], eax  ; MemoryOutOfBounds
;;   mov eax, [rbp-0x38]
;;   mov [r14], eax  ; MemoryOutOfBounds
;;   cmp dword ptr [rbp-0x38], 0
;;   mov eax, [rbp-0x30]
;;   mov ecx, [rbp-0x28]
;;   cmove ecx, eax
;;   test ecx, ecx
;;   jne L0
;;   return
;; $fresh
;;   mov eax, [r14+rdx]  ; MemoryOutOfBounds
;;   mov esi, [r14+rdx+4]  ; MemoryOutOfBounds
;;   mov [rbp-8], eax
;;   mov [rbp-0x10], esi
;;   test ecx, ecx
;;   jne L0
;; L0:
;;   mov eax, [rbp-8]
;;   mov r11d, [rbp-0x10]
;;   add eax, r11d
;;   mov esi, [r14+rdx+8]  ; MemoryOutOfBounds
;;   mov [rbp-8], eax
;;   mov [rbp-0x10], esi
;;   test ecx, ecx
;;   jne L1
;; L1:
;;   mov eax, [rbp-8]
;;   mov r11d, [rbp-0x10]
;;   imul eax, r11d
;;   return
