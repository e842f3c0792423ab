;; One vector is enough for wide slots, wherever it comes from.
(module
  (import "" "give" (func $give (result v128)))
  (global $g (mut v128) (v128.const i32x4 1 2 3 4))
  (memory 1)
  (func $nothing)
  (func $constant (call $nothing) (drop (v128.const i32x4 1 2 3 4)))
  (func $global (global.get $g) (call $nothing) (global.set $g))
  (func $result (call $give) (call $nothing) (drop))
  (func $indirect (param i32) (call_indirect (result v128) (local.get 0)) (call $nothing) (drop))
  (table 1 funcref)
  (func $splat (param i32) (i8x16.splat (local.get 0)) (call $nothing) (drop))
  (func $load (param i32) (v128.load8x8_s (local.get 0)) (call $nothing) (drop))
  (func $block (param i32) (result i32)
    (block (result v128) (v128.load (local.get 0)) (br_if 0 (local.get 0))) (call $nothing) (i32x4.extract_lane 0)))
;;! x64
;; $nothing
;;   return
;; $constant
;;   call $nothing
;;   return
;;   ud2  ; StackOverflow
;; $global
;;   movups xmm0, [global0]
;;   movups [rbp-0x10], xmm0
;;   call $nothing
;;   movups xmm0, [rbp-0x10]
;;   movups [global0], xmm0
;;   return
;;   ud2  ; StackOverflow
;; $result
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   movups [rbp-0x10], xmm0
;;   call $nothing
;;   return
;;   ud2  ; StackOverflow
;; $indirect
;;   mov [rbp-8], edx
;;   cmp rdx, [table0.length]
;;   jae L2
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rdx
;;   mov rax, [rax+r11*8]
;;   test rax, rax
;;   je L1
;;   and rax, 0xFFFFFFFFFFFFFFFE
;; L0:
;;   mov rcx, [type_ids]
;;   mov ecx, [rcx+id(0)]
;;   cmp ecx, [rax+func.type]  ; IndirectCallToNull
;;   jne L3
;;   mov rdi, [rax+func.context]
;;   mov rsi, r15
;;   mov rax, [rax+func.code]
;;   lea r11, [rax+5]
;;   cmp rdi, r15
;;   cmove rax, r11
;;   call rax
;;   movups [rbp-0x20], xmm0
;;   call $nothing
;;   return
;; L1:
;;   mov [rbp-0x30], rdx
;;   mov rdi, r15
;;   xor esi, esi
;;   call libcall(TableGetLazy)
;;   mov r11, rax
;;   mov rdx, [rbp-0x30]
;;   mov rax, r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; TableOutOfBounds
;; L3:
;;   ud2  ; BadSignature
;; $splat
;;   mov [rbp-8], edx
;;   movd xmm0, edx
;;   pxor xmm15, xmm15
;;   pshufb xmm0, xmm15
;;   movups [rbp-0x20], xmm0
;;   call $nothing
;;   return
;;   ud2  ; StackOverflow
;; $load
;;   mov [rbp-8], edx
;;   pmovsxbw xmm0, [r14+rdx]  ; MemoryOutOfBounds
;;   movups [rbp-0x20], xmm0
;;   call $nothing
;;   return
;;   ud2  ; StackOverflow
;; $block
;;   mov [rbp-8], edx
;;   movups xmm0, [r14+rdx]  ; MemoryOutOfBounds
;;   test edx, edx
;;   jne L0
;; L0:
;;   movups [rbp-0x20], xmm0
;;   call $nothing
;;   mov eax, [rbp-0x20]
;;   return
;;   ud2  ; StackOverflow
