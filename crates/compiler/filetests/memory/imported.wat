;; What an instance does not own is behind a pointer; the host is told whose it is.
(module
  (import "" "memory" (memory 1))
  (import "" "global" (global $g (mut i64)))
  (memory $second 1)
  (func $load (param i32) (result i32) (i32.load (local.get 0)))
  (func $second (param i32) (result i32) (i32.load $second (local.get 0)))
  (func $size (result i32) (memory.size))
  (func $grow (param i32) (result i32) (memory.grow (local.get 0)))
  (func $global (global.set $g (i64.add (global.get $g) (i64.const 1)))))
;;! x64
;; $load
;;   mov eax, [r14+rdx]  ; MemoryOutOfBounds
;;   return
;; $second
;;   mov rax, [memory1.base]
;;   mov eax, [rax+rdx]  ; MemoryOutOfBounds
;;   return
;; $size
;;   mov r11, [memory0]
;;   mov rax, [r11+memory.length]
;;   shr rax, 0x10
;;   return
;; $grow
;;   mov [rbp-8], edx
;;   mov rsi, rdx
;;   mov rdi, [memory0.owner]
;;   mov edx, [memory0.index]
;;   call libcall(MemoryGrow)
;;   mov eax, eax
;;   return
;;   ud2  ; StackOverflow
;; $global
;;   mov r11, [global0]
;;   mov rax, [r11+global.value]
;;   add rax, 1
;;   mov r11, [global0]
;;   mov [r11+global.value], rax
;;   return
