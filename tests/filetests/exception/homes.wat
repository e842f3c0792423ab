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
;; x64:
;; $written
;;   mov [rbp-8], rbx
;;   mov [rbp-0x10], r12
;;   mov [rbp-0x18], r13
;;   mov [rbp-0x20], r15
;;   xor ebx, ebx
;;   xor r12d, r12d
;;   xchg ax, ax
;;   mov [rbp-0x28], ebx
;;   mov [rbp-0x30], r12d
;;   mov rdi, [r15+0x48]
;;   mov rsi, r15
;;   mov r11, [r15+0x38]
;;   call r11
;;   mov eax, 7
;;   jmp L1
;; L0:
;;   mov eax, ebx
;; L1:
;;   mov r12d, eax
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   leave
;;   ret
;;   mov r15, [rbp-0x20]
;;   mov r11, [r15+8]
;;   mov rdx, [r11+0x20]
;;   add rdx, rax
;;   mov eax, [rdx+0x18]
;;   mov ebx, [rbp-0x28]
;;   mov r12d, [rbp-0x30]
;;   jmp L0
;;   ud2
