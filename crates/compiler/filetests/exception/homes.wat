;; Homes are stored before a call that a handler is around, and loaded at the landing pad: each is written at the entry, also
;; that of a local which no way reads before it writes it.
(module
  (tag $tag (param i32))
  (func $f (import "" ""))
  (func $written (local i32 i32)
    (loop $again
      (local.set 0
        (block $out (result i32)
          (drop (block $caught (result i32)
            (br $out (try_table (result i32) (catch $tag $caught) (call $f) (i32.const 7)))))
          (local.get 1)))
      (br_if $again (i32.const 0)))))
;;! x64
;; $written
;;   xor ebx, ebx
;;   xor r12d, r12d
;;   padding
;;   mov [rbp-0x28], ebx
;;   mov [rbp-0x30], r12d
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11  ; tag 0 to L2
;;   mov eax, 7
;;   jmp L1
;; L0:
;;   mov eax, ebx
;; L1:
;;   mov r12d, eax
;;   return
;; L2:
;;   mov r15, [rbp-0x20]
;;   mov r11, [store]
;;   mov rdx, [r11+store.heap]
;;   add rdx, rax
;;   mov eax, [rdx+0x18]
;;   mov ebx, [rbp-0x28]
;;   mov r12d, [rbp-0x30]
;;   jmp L0
;;   ud2  ; StackOverflow
