;; settings: component
;; Calls of imports in a module of a component, of which the linker may know whose code they are: the same as elsewhere.
;; A tail call reads the address last, so that it is in one piece.
(module
  (import "host" "f" (func $f (param i32 i64) (result i32)))
  (import "host" "g" (func $g (param i32)))
  (func $call (param i32) (result i32) (i32.add (call $f (local.get 0) (i64.const 2)) (local.get 0)))
  (func $tail (param i32 i64) (result i32) (return_call $f (local.get 0) (local.get 1)))
  (func $tail_behind_call (param i32) (call $g (local.get 0)) (return_call $g (local.get 0))))
;;! x64
;; $call
;;   mov [rbp-8], edx
;;   mov ecx, 2
;;   mov [rbp-0x10], r15
;;   mov rdi, [func0.context]  ; direct if the import is known
;;   mov rsi, r15
;;   padding
;;   mov r11, [func0.code]
;;   call r11
;;   mov r15, [rbp-0x10]
;;   add eax, [rbp-8]
;;   return
;;   ud2  ; StackOverflow
;; $tail
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov rcx, rdi
;;   mov rdx, rsi
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   leave
;;   mov r11, [func0.code]  ; direct if the import is known
;;   jmp r11
;;   ud2  ; StackOverflow
;; $tail_behind_call
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], r15
;;   mov rdi, [func1.context]  ; direct if the import is known
;;   mov rsi, r15
;;   padding
;;   mov r11, [func1.code]
;;   call r11
;;   mov r15, [rbp-0x10]
;;   mov edx, [rbp-8]
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   leave
;;   mov r11, [func1.code]  ; direct if the import is known
;;   jmp r11
;;   ud2  ; StackOverflow
