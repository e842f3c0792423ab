;; A compare is fused with the branch or select that uses it, through any number of eqz.
(module
  (func $value (param i32 i32) (result i32) (i32.lt_s (local.get 0) (local.get 1)))
  (func $br_if (param i32 i32) (result i32)
    (block (br_if 0 (i32.lt_u (local.get 0) (local.get 1))) (return (i32.const 1))) (i32.const 2))
  (func $if_not (param i64) (result i32)
    (if (result i32) (i32.eqz (i64.eqz (local.get 0))) (then (i32.const 1)) (else (i32.const 2))))
  (func $select (param i32 i32) (result i32)
    (select (local.get 0) (local.get 1) (i32.gt_s (local.get 0) (local.get 1))))
  (func $test (param i32) (result i32)
    (if (result i32) (i32.and (local.get 0) (i32.const 1)) (then (i32.const 3)) (else (i32.const 4))))
  (func $float (param f64 f64) (result i32)
    (if (result i32) (f64.lt (local.get 0) (local.get 1)) (then (i32.const 1)) (else (i32.const 2))))
  (func $float_eq (param f64 f64) (result i32)
    (if (result i32) (f64.eq (local.get 0) (local.get 1)) (then (i32.const 1)) (else (i32.const 2)))))
;;! x64
;; $value
;;   cmp edx, ecx
;;   setl al
;;   movzx eax, al
;;   return
;; $br_if
;;   cmp edx, ecx
;;   jb L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   mov eax, 2
;; L1:
;;   return
;; $if_not
;;   test rdx, rdx
;;   je L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   mov eax, 2
;; L1:
;;   return
;; $select
;;   cmp edx, ecx
;;   mov eax, edx
;;   cmovle eax, ecx
;;   return
;; $test
;;   test dl, 1
;;   je L0
;;   mov eax, 3
;;   jmp L1
;; L0:
;;   mov eax, 4
;; L1:
;;   return
;; $float
;;   movaps xmm8, xmm0
;;   ucomisd xmm1, xmm8
;;   jbe L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   mov eax, 2
;; L1:
;;   return
;; $float_eq
;;   movaps xmm8, xmm0
;;   ucomisd xmm8, xmm1
;;   jne L0
;;   jp L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   mov eax, 2
;; L1:
;;   return
