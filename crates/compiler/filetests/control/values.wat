;; Block parameters and results stay where they are where they can.
(module
  (func $results (param i32) (result i32 i64)
    (block (result i32 i64)
      (i32.const 5) (i64.const 6)
      (br_if 0 (local.get 0))
      (drop) (i64.const 7)))
  (func $if_result (param i32 i64 i64) (result i64)
    (if (result i64) (local.get 0) (then (local.get 1)) (else (local.get 2)))))
;;! x64
;; $results
;;   mov rsi, rdx
;;   test esi, esi
;;   mov dword ptr [rbp-8], 5
;;   mov qword ptr [rbp-0x10], 6
;;   jne L0
;;   mov qword ptr [rbp-0x10], 7
;; L0:
;;   mov eax, [rbp-8]
;;   mov rcx, [rbp-0x10]
;;   return
;; $if_result
;;   test edx, edx
;;   je L0
;;   mov rax, rcx
;;   jmp L1
;; L0:
;;   mov rax, r8
;; L1:
;;   return
