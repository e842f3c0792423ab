;; Division by constants: multipliers that fit and that have one bit more, even divisors, powers of two, and what is
;; left to the machine.
(module
  (func $u32_10 (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 10)))
  (func $u32_7 (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 7)))
  (func $u32_rem_10 (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 10)))
  (func $u32_half (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0x80000001)))
  (func $u64_10 (param i64) (result i64) (i64.div_u (local.get 0) (i64.const 10)))
  (func $u64_7 (param i64) (result i64) (i64.div_u (local.get 0) (i64.const 7)))
  (func $u64_14 (param i64) (result i64) (i64.div_u (local.get 0) (i64.const 14)))
  (func $u64_rem_14 (param i64) (result i64) (i64.rem_u (local.get 0) (i64.const 14)))
  (func $s32_10 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 10)))
  (func $s32_rem_7 (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const 7)))
  (func $s32_-10 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -10)))
  (func $s64_10 (param i64) (result i64) (i64.div_s (local.get 0) (i64.const 10)))
  (func $s64_7 (param i64) (result i64) (i64.div_s (local.get 0) (i64.const -3)))
  (func $s64_rem_10 (param i64) (result i64) (i64.rem_s (local.get 0) (i64.const 10)))
  (func $s32_2 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 2)))
  (func $s32_8 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 8)))
  (func $s32_-8 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -8)))
  (func $s64_rem_2^40 (param i64) (result i64) (i64.rem_s (local.get 0) (i64.const 0x10000000000)))
  (func $s32_least (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const 0x80000000)))
  (func $s32_1 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 1)))
  (func $s32_rem_-1 (param i32) (result i32) (i32.rem_s (local.get 0) (i32.const -1)))
  (func $s32_-1 (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -1)))
  (func $u32_0 (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0)))
  (func $in_place (param i32 i32) (result i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (i32.rem_u (local.get 0) (i32.const 10))))
      (br_if $again (local.tee 0 (i32.div_u (local.get 0) (i32.const 10)))))
    (local.get 1)))
;;! x64
;; $u32_10
;;   mov rsi, rdx
;;   mov ecx, 0xCCCCCCCD
;;   mov rax, rsi
;;   imul rax, rcx
;;   shr rax, 0x23
;;   return
;; $u32_7
;;   mov rsi, rdx
;;   mov rax, 0x2492492492492493
;;   mul rsi
;;   mov eax, edx
;;   return
;; $u32_rem_10
;;   mov rsi, rdx
;;   mov ecx, 0xCCCCCCCD
;;   mov rax, rsi
;;   imul rax, rcx
;;   shr rax, 0x23
;;   imul eax, 0xA
;;   mov ecx, esi
;;   sub ecx, eax
;;   mov eax, ecx
;;   return
;; $u32_half
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 0x80000001
;;   xor edx, edx
;;   div ecx
;;   return
;; $u64_10
;;   mov rsi, rdx
;;   mov rax, 0xCCCCCCCCCCCCCCCD
;;   mul rsi
;;   shr rdx, 3
;;   mov rax, rdx
;;   return
;; $u64_7
;;   mov rsi, rdx
;;   mov rax, 0x2492492492492493
;;   mul rsi
;;   mov rax, rsi
;;   sub rax, rdx
;;   shr rax, 1
;;   add rdx, rax
;;   shr rdx, 2
;;   mov rax, rdx
;;   return
;; $u64_14
;;   mov rsi, rdx
;;   mov rax, rsi
;;   shr rax, 1
;;   mov rcx, rax
;;   mov rax, 0x4924924924924925
;;   mul rcx
;;   shr rdx, 1
;;   mov rax, rdx
;;   return
;; $u64_rem_14
;;   mov rsi, rdx
;;   mov rax, 0x2492492492492493
;;   mul rsi
;;   mov rax, rsi
;;   sub rax, rdx
;;   shr rax, 1
;;   add rdx, rax
;;   shr rdx, 3
;;   imul rdx, 0xE
;;   mov rax, rsi
;;   sub rax, rdx
;;   return
;; $s32_10
;;   mov rsi, rdx
;;   movsxd rax, esi
;;   imul rax, 0x66666667
;;   mov rcx, rax
;;   sar rcx, 0x3F
;;   sar rax, 0x22
;;   sub eax, ecx
;;   return
;; $s32_rem_7
;;   mov rsi, rdx
;;   mov ecx, 0x92492493
;;   movsxd rax, esi
;;   imul rax, rcx
;;   mov rcx, rax
;;   sar rcx, 0x3F
;;   sar rax, 0x22
;;   sub eax, ecx
;;   imul eax, 7
;;   mov ecx, esi
;;   sub ecx, eax
;;   mov eax, ecx
;;   return
;; $s32_-10
;;   mov rsi, rdx
;;   movsxd rax, esi
;;   imul rax, 0x66666667
;;   mov rcx, rax
;;   sar rcx, 0x3F
;;   sar rax, 0x22
;;   sub ecx, eax
;;   mov eax, ecx
;;   return
;; $s64_10
;;   mov rsi, rdx
;;   mov rax, 0x6666666666666667
;;   imul rsi
;;   mov rax, rdx
;;   sar rax, 0x3F
;;   sar rdx, 2
;;   sub rdx, rax
;;   mov rax, rdx
;;   return
;; $s64_7
;;   mov rsi, rdx
;;   mov rax, 0x5555555555555556
;;   imul rsi
;;   mov rax, rdx
;;   sar rax, 0x3F
;;   sub rax, rdx
;;   return
;; $s64_rem_10
;;   mov rsi, rdx
;;   mov rax, 0x6666666666666667
;;   imul rsi
;;   mov rax, rdx
;;   sar rax, 0x3F
;;   sar rdx, 2
;;   sub rdx, rax
;;   imul rdx, 0xA
;;   mov rax, rsi
;;   sub rax, rdx
;;   return
;; $s32_2
;;   mov rsi, rdx
;;   mov eax, esi
;;   shr eax, 0x1F
;;   add eax, esi
;;   sar eax, 1
;;   return
;; $s32_8
;;   mov rsi, rdx
;;   mov eax, esi
;;   sar eax, 2
;;   shr eax, 0x1D
;;   add eax, esi
;;   sar eax, 3
;;   return
;; $s32_-8
;;   mov rsi, rdx
;;   mov eax, esi
;;   sar eax, 2
;;   shr eax, 0x1D
;;   add eax, esi
;;   sar eax, 3
;;   mov ecx, 0
;;   sub ecx, eax
;;   mov eax, ecx
;;   return
;; $s64_rem_2^40
;;   mov rsi, rdx
;;   mov rax, rsi
;;   sar rax, 0x27
;;   shr rax, 0x18
;;   add rax, rsi
;;   mov rcx, 0xFFFFFF0000000000
;;   and rax, rcx
;;   mov rcx, rsi
;;   sub rcx, rax
;;   mov rax, rcx
;;   return
;; $s32_least
;;   mov rsi, rdx
;;   mov eax, esi
;;   sar eax, 0x1E
;;   shr eax, 1
;;   add eax, esi
;;   and eax, 0x80000000
;;   mov ecx, esi
;;   sub ecx, eax
;;   mov eax, ecx
;;   return
;; $s32_1
;;   mov rsi, rdx
;;   mov eax, esi
;;   return
;; $s32_rem_-1
;;   mov rsi, rdx
;;   mov eax, 0
;;   return
;; $s32_-1
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 0xFFFFFFFF
;;   cmp ecx, 0xFFFFFFFF
;;   jne L0
;;   mov r11d, 0x80000000
;;   cmp eax, r11d
;;   je L1
;; L0:
;;   cdq
;;   idiv ecx  ; IntegerDivisionByZero
;;   return
;; L1:
;;   ud2  ; IntegerOverflow
;; $u32_0
;;   mov rsi, rdx
;;   mov eax, esi
;;   mov ecx, 0
;;   xor edx, edx
;;   div ecx  ; IntegerDivisionByZero
;;   return
;; $in_place
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   padding
;; L0:
;;   mov ecx, 0xCCCCCCCD
;;   mov rax, rsi
;;   imul rax, rcx
;;   shr rax, 0x23
;;   imul eax, 0xA
;;   mov ecx, esi
;;   sub ecx, eax
;;   add edi, ecx
;;   mov eax, 0xCCCCCCCD
;;   imul rsi, rax
;;   shr rsi, 0x23
;;   test esi, esi
;;   jne L0
;;   mov eax, edi
;;   return
