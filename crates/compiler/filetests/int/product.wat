;; A product of 128 bits by products of halves becomes one instruction; what only looks like one stays what it is.
(module
  (type $product (func (param i32 i64 i64 i64 i64)))
  (memory 1)
  (func $halves (type $product) (local i64)
    local.get 0 local.get 4 local.get 1 i64.mul local.get 2 local.get 3 i64.mul i64.add local.get 3
    i64.const 0x20 i64.shr_u local.tee 2 local.get 1 i64.const 0x20 i64.shr_u local.tee 4 i64.mul i64.add
    local.get 3 i64.const 0xffffffff i64.and local.tee 3 local.get 1 i64.const 0xffffffff i64.and
    local.tee 1 i64.mul local.tee 5 i64.const 0x20 i64.shr_u local.get 3 local.get 4 i64.mul i64.add
    local.tee 3 i64.const 0x20 i64.shr_u i64.add local.get 3 i64.const 0xffffffff i64.and local.get 2
    local.get 1 i64.mul i64.add local.tee 1 i64.const 0x20 i64.shr_u i64.add i64.store offset=8 local.get 0
    local.get 1 i64.const 0x20 i64.shl local.get 5 i64.const 0xffffffff i64.and i64.or i64.store)
  (func $carries (type $product) (local i64 i64 i64 i64 i64 i64)
    local.get 0 local.get 3 i64.const 0xffffffff i64.and local.tee 5 local.get 1 i64.const 0xffffffff
    i64.and local.tee 6 i64.mul local.tee 7 local.get 3 i64.const 0x20 i64.shr_u local.tee 8 local.get 6
    i64.mul local.tee 6 local.get 5 local.get 1 i64.const 0x20 i64.shr_u local.tee 9 i64.mul i64.add
    local.tee 5 i64.const 0x20 i64.shl i64.add local.tee 10 i64.store local.get 0 local.get 8 local.get 9
    i64.mul local.get 5 local.get 6 i64.lt_u i64.extend_i32_u i64.const 0x20 i64.shl local.get 5
    i64.const 0x20 i64.shr_u i64.or i64.add local.get 10 local.get 7 i64.lt_u i64.extend_i32_u i64.add
    local.get 4 local.get 1 i64.mul local.get 3 local.get 2 i64.mul i64.add i64.add i64.store offset=8)
  (func $other_mask (type $product) (local i64)
    local.get 0 local.get 4 local.get 1 i64.mul local.get 2 local.get 3 i64.mul i64.add local.get 3
    i64.const 0x20 i64.shr_u local.tee 2 local.get 1 i64.const 0x20 i64.shr_u local.tee 4 i64.mul i64.add
    local.get 3 i64.const 0xffffffff i64.and local.tee 3 local.get 1 i64.const 0xffffffff i64.and
    local.tee 1 i64.mul local.tee 5 i64.const 0x20 i64.shr_u local.get 3 local.get 4 i64.mul i64.add
    local.tee 3 i64.const 0x20 i64.shr_u i64.add local.get 3 i64.const 0xffffffff i64.and local.get 2
    local.get 1 i64.mul i64.add local.tee 1 i64.const 0x20 i64.shr_u i64.add i64.store offset=8 local.get 0
    local.get 1 i64.const 0x20 i64.shl local.get 5 i64.const 0xfffffffe i64.and i64.or i64.store))
;;! x64
;; $halves
;;   mov [rbp-8], rcx
;;   mov rsi, rdx
;;   mov rax, rcx
;;   mul r9
;;   mov r10, rcx
;;   imul r10, rdi
;;   add rdx, r10
;;   mov r10, r8
;;   imul r10, r9
;;   lea r9, [rdx+r10]
;;   mov [r14+rsi+8], r9  ; MemoryOutOfBounds
;;   mov [r14+rsi], rax  ; MemoryOutOfBounds
;;   return
;; $carries
;;   mov [rbp-8], rcx
;;   mov rsi, rdx
;;   mov rax, rcx
;;   mul r9
;;   mov r10, rcx
;;   imul r10, rdi
;;   add rdx, r10
;;   mov r10, r8
;;   imul r10, r9
;;   lea r9, [rdx+r10]
;;   mov [r14+rsi], rax  ; MemoryOutOfBounds
;;   mov [r14+rsi+8], r9  ; MemoryOutOfBounds
;;   return
;; $other_mask
;;   mov [rbp-8], edx
;;   mov rsi, rcx
;;   mov rax, rdi
;;   imul rax, rsi
;;   mov rcx, r8
;;   imul rcx, r9
;;   add rax, rcx
;;   mov r8, r9
;;   shr r8, 0x20
;;   mov rdi, rsi
;;   shr rdi, 0x20
;;   mov rcx, r8
;;   imul rcx, rdi
;;   add rax, rcx
;;   mov r9d, r9d
;;   mov esi, esi
;;   mov rcx, r9
;;   imul rcx, rsi
;;   mov r10, rcx
;;   shr r10, 0x20
;;   mov rdx, r9
;;   imul rdx, rdi
;;   lea r9, [r10+rdx]
;;   mov rdx, r9
;;   shr rdx, 0x20
;;   add rax, rdx
;;   mov edx, r9d
;;   mov r10, r8
;;   imul r10, rsi
;;   lea rsi, [rdx+r10]
;;   mov rdx, rsi
;;   shr rdx, 0x20
;;   add rax, rdx
;;   mov edx, [rbp-8]
;;   mov [r14+rdx+8], rax  ; MemoryOutOfBounds
;;   mov rax, rsi
;;   shl rax, 0x20
;;   mov r10d, 0xFFFFFFFE
;;   mov rdx, rcx
;;   and rdx, r10
;;   or rax, rdx
;;   mov edx, [rbp-8]
;;   mov [r14+rdx], rax  ; MemoryOutOfBounds
;;   return
