;; References are in their slots across a call, and read from there after it.
(module
  (import "" "f" (func $f))
  (func $across (param externref externref) (result externref externref) (local externref)
    (local.get 0)
    (local.set 2 (local.get 1))
    (call $f)
    (local.get 2)))
;;! x64
;; $across
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov dword ptr [rbp-0x18], 0
;;   mov [rbp-0x18], ecx
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11  ; references at -24 -16 -8
;;   mov r11d, [rbp-8]
;;   mov [rbp-0x20], r11d
;;   mov r11d, [rbp-0x18]
;;   mov [rbp-0x28], r11d
;;   mov eax, [rbp-0x20]
;;   mov ecx, [rbp-0x28]
;;   return
;;   ud2  ; StackOverflow
