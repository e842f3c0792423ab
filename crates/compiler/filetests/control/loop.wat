;; Locals of a loop live in registers; the back edge moves nothing.
(module
  (memory 1)
  (func $sum (param i32) (result i32) (local i32 i32)
    (loop
      (local.set 1 (i32.add (local.get 1) (i32.load (i32.shl (local.get 2) (i32.const 2)))))
      (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get 2) (local.get 0))))
    (local.get 1))
  (func $param (param i64) (result i64)
    (i64.const 1)
    (loop (param i64) (result i64)
      (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
      (i64.mul (i64.const 3))
      (br_if 0 (i64.ne (local.get 0) (i64.const 0))))))
;;! x64
;; $sum
;;   mov r8, rdx
;;   xor edi, edi
;;   xor esi, esi
;;   padding
;; L0:
;;   mov eax, esi
;;   shl eax, 2
;;   add edi, [r14+rax]  ; MemoryOutOfBounds
;;   add esi, 1
;;   cmp esi, r8d
;;   jb L0
;;   mov eax, edi
;;   return
;; $param
;;   mov rsi, rdx
;;   mov qword ptr [rbp-8], 1
;;   padding
;; L0:
;;   add rsi, 0xFFFFFFFFFFFFFFFF
;;   mov rax, [rbp-8]
;;   lea rax, [rax+rax*2]
;;   test rsi, rsi
;;   mov [rbp-8], rax
;;   jne L0
;;   mov rax, [rbp-8]
;;   return
