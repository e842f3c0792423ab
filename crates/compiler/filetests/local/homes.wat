;; Locals, globals and what waits on the virtual stack.
(module
  (global $g (mut i32) (i32.const 1))
  (func $set_waits (param i32) (result i32)
    (local.get 0) (local.set 0 (i32.const 9)) (i32.add (local.get 0)))
  (func $tee (param i32) (result i32) (i32.add (local.tee 0 (i32.mul (local.get 0) (local.get 0))) (local.get 0)))
  (func $zero (result i64) (local i64) (local.get 0))
  (func $global (param i32) (result i32)
    (global.set $g (i32.add (global.get $g) (local.get 0))) (global.get $g))
  (func $increment (param i32) (result i32) (local.set 0 (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
;;! x64
;; $set_waits
;;   mov eax, edx
;;   mov edx, 9
;;   add eax, edx
;;   return
;; $tee
;;   imul edx, edx
;;   lea eax, [rdx+rdx]
;;   return
;; $zero
;;   xor esi, esi
;;   mov rax, rsi
;;   return
;; $global
;;   mov rsi, rdx
;;   mov eax, [global0]
;;   add eax, esi
;;   mov [global0], eax
;;   mov ecx, eax
;;   mov eax, ecx
;;   return
;; $increment
;;   add edx, 1
;;   mov eax, edx
;;   return
