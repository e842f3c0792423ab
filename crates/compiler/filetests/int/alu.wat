;; Integer arithmetic takes constants as immediates and writes where its result is wanted.
(module
  (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $add_const (param i64) (result i64) (i64.add (local.get 0) (i64.const 5)))
  (func $sub_from_const (param i32) (result i32) (i32.sub (i32.const 100) (local.get 0)))
  (func $wide_const (param i64) (result i64) (i64.xor (local.get 0) (i64.const 0x123456789a)))
  (func $chain (param i32 i32 i32) (result i32)
    (i32.or (i32.and (local.get 0) (i32.const 0xff)) (i32.xor (local.get 1) (local.get 2))))
  (func $negate (param i32) (result i32) (i32.sub (i32.const 0) (local.get 0)))
  (func $mul (param i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1)))
  (func $mul_const (param i32) (result i32) (i32.mul (local.get 0) (i32.const 10)))
  (func $folded (result i32) (i32.add (i32.const 40) (i32.const 2))))
;;! x64
;; $add
;;   lea eax, [rdx+rcx]
;;   return
;; $add_const
;;   lea rax, [rdx+5]
;;   return
;; $sub_from_const
;;   mov eax, 0x64
;;   sub eax, edx
;;   return
;; $wide_const
;;   mov rax, 0x123456789A
;;   mov rcx, rdx
;;   xor rcx, rax
;;   mov rax, rcx
;;   return
;; $chain
;;   movzx eax, dl
;;   mov esi, ecx
;;   xor esi, r8d
;;   or eax, esi
;;   return
;; $negate
;;   mov eax, 0
;;   sub eax, edx
;;   return
;; $mul
;;   mov rax, rdx
;;   imul rax, rcx
;;   return
;; $mul_const
;;   imul eax, edx, 0xA
;;   return
;; $folded
;;   mov eax, 0x2A
;;   return
