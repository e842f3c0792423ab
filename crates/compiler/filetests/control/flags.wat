;; What comes between a compare and the branch or choice by it keeps the flags, zeros too.
(module
  (func $zero (param i32 i32) (result i32)
    (block (result i32)
      (i32.const 0)
      (br_if 0 (i32.lt_s (local.get 0) (local.get 1)))
      (drop) (i32.const 1)))
  (func $zero_float (param i64 i64) (result f64)
    (block (result f64)
      (f64.const 0)
      (br_if 0 (i64.gt_u (local.get 0) (local.get 1)))
      (drop) (f64.const 1)))
  (func $zero_vector (param f32 f32) (result v128)
    (block (result v128)
      (v128.const i64x2 0 0)
      (br_if 0 (f32.eq (local.get 0) (local.get 1)))
      (drop) (v128.const i64x2 -1 -1)))
  (func $select_zero (param i32 i32) (result i32)
    (select (local.get 0) (i32.const 0) (i32.ge_s (local.get 0) (local.get 1))))
  (func $select_float (param i32 i32 f32) (result f32)
    (select (f32.const 0) (local.get 2) (i32.ge_u (local.get 0) (local.get 1))))
  (func $several (param i32 i32) (result i32 i64)
    (block (result i32 i64)
      (i32.const 0)
      (i64.const 0x1234567812345678)
      (br_if 0 (i32.ne (local.get 0) (local.get 1)))))
  (func $if_below (param i32 i32) (result i32)
    (i32.const 0)
    (i32.sub (local.get 0) (local.get 1))
    (if (i32.eq (local.get 0) (local.get 1)) (then (return (i32.const 3))))
    (i32.add))
  ;; The flags of the difference tell whether what was written is zero, behind the store to a slot as well.
  (func $tee (param i32 i32) (result i32)
    (if (local.tee 0 (i32.sub (local.get 0) (local.get 1))) (then (return (local.get 0))))
    (i32.const -1))
  (func $set_in_loop (param i32) (result i32)
    (local i32)
    (loop
      (local.set 1 (i32.add (local.get 1) (i32.const 3)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))
;;! x64
;; $zero
;;   cmp edx, ecx
;;   mov eax, 0
;;   jl L0
;;   mov eax, 1
;; L0:
;;   return
;; $zero_float
;;   cmp rdx, rcx
;;   xorps xmm0, xmm0
;;   ja L0
;;   mov r11, 0x3FF0000000000000
;;   movq xmm0, r11
;; L0:
;;   return
;; $zero_vector
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   ucomiss xmm8, xmm9
;;   xorps xmm0, xmm0
;;   jp L0
;;   je L1
;; L0:
;;   pcmpeqd xmm0, xmm0
;; L1:
;;   return
;; $select_zero
;;   cmp edx, ecx
;;   mov eax, 0
;;   mov esi, edx
;;   cmovl esi, eax
;;   mov eax, esi
;;   return
;; $select_float
;;   movaps xmm8, xmm0
;;   cmp edx, ecx
;;   xorps xmm0, xmm0
;;   jae L0
;;   movaps xmm0, xmm8
;; L0:
;;   return
;; $several
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   mov dword ptr [rbp-8], 0
;;   mov r11, 0x1234567812345678
;;   mov [rbp-0x10], r11
;;   jne L0
;; L0:
;;   mov eax, [rbp-8]
;;   mov rcx, [rbp-0x10]
;;   return
;; $if_below
;;   mov eax, edx
;;   sub eax, ecx
;;   cmp edx, ecx
;;   mov dword ptr [rbp-8], 0
;;   mov [rbp-0x10], eax
;;   jne L0
;;   mov eax, 3
;;   jmp L1
;; L0:
;;   mov eax, [rbp-8]
;;   mov r11d, [rbp-0x10]
;;   add eax, r11d
;; L1:
;;   return
;; $tee
;;   sub edx, ecx
;;   je L0
;;   mov eax, edx
;;   jmp L1
;; L0:
;;   mov eax, 0xFFFFFFFF
;; L1:
;;   return
;; $set_in_loop
;;   mov rdi, rdx
;;   xor esi, esi
;; L0:
;;   add esi, 3
;;   add edi, 0xFFFFFFFF
;;   jne L0
;;   mov eax, esi
;;   return
