;; Calls of imports cross the instance in the Tail convention.
(module
  (import "host" "f" (func $f (param i32 i64) (result i32)))
  (func $call (param i32) (result i32) (i32.add (call $f (local.get 0) (i64.const 2)) (local.get 0))))
;;! x64
;; $call
;;   mov [rbp-8], edx
;;   mov ecx, 2
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   add eax, [rbp-8]
;;   return
;;   ud2  ; StackOverflow
