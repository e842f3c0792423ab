;; A call within handlers stores the homes that it would not destroy; the landing pads behind the function load everything
;; again. What carries nothing, one value, or more goes where the label wants it. A function without handlers saves nothing.
(module
  (tag $none)
  (tag $one (param i32))
  (tag $two (param i64 f64))
  (func $callee (param i32) (result i32) (throw $one (local.get 0)))
  (func $homes (param i32) (result i32)
    (local $sum i32)
    (loop $again
      (block $none
        (try_table (catch $none $none)
          (local.set $sum (i32.add (local.get $sum) (call $callee (local.get 0))))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func $values (param i32) (result i32)
    (block $one (result i32)
      (block $two (result i64 f64)
        (try_table (catch $one $one) (catch $two $two)
          (drop (call $callee (local.get 0))))
        (return (i32.const 0)))
      (drop) (i32.wrap_i64))))
;; x64:
;; $callee
;;   mov rsi, rdx
;;   mov [rbp-0x10], esi
;;   mov rdi, r15
;;   call elsewhere
;;   mov [rbp-0x18], eax
;;   mov rdi, r15
;;   mov esi, 0x4000002
;;   mov rdx, [r15+0x28]
;;   mov edx, [rdx+0x18]
;;   mov ecx, 0x20
;;   mov r8d, 0x10
;;   call elsewhere
;;   mov eax, eax
;;   mov r11, [r15+8]
;;   mov rdx, [r11+0x20]
;;   add rdx, rax
;;   mov ecx, [rbp-0x10]
;;   mov [rdx+0x18], ecx
;;   mov ecx, [rbp-0x18]
;;   mov [rdx+0x10], ecx
;;   mov ecx, 1
;;   mov [rdx+0x14], ecx
;;   mov rsi, rax
;;   mov rdi, r15
;;   call elsewhere
;;   ud2
;;   ud2
;; $homes
;;   mov [rbp-8], rbx
;;   mov [rbp-0x10], r12
;;   mov [rbp-0x18], r13
;;   mov [rbp-0x20], r15
;;   mov rbx, rdx
;;   xor r12d, r12d
;;   nop
;; L0:
;;   mov [rbp-0x28], r12d
;;   mov [rbp-0x30], ebx
;;   mov rdx, rbx
;;   call $callee
;;   add r12d, eax
;; L1:
;;   add ebx, 0xFFFFFFFF
;;   jne L0
;;   mov eax, r12d
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   leave
;;   ret
;;   mov r15, [rbp-0x20]
;;   mov r12d, [rbp-0x28]
;;   mov ebx, [rbp-0x30]
;;   jmp L1
;;   ud2
;; $values
;;   mov [rbp-8], rbx
;;   mov [rbp-0x10], r12
;;   mov [rbp-0x18], r13
;;   mov [rbp-0x20], r15
;;   mov [rbp-0x28], edx
;;   call $callee
;;   mov eax, 0
;;   jmp L1
;; L0:
;;   mov eax, [rbp-0x30]
;; L1:
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
;;   jmp L1
;;   mov r15, [rbp-0x20]
;;   mov r11, [r15+8]
;;   mov rdx, [r11+0x20]
;;   add rdx, rax
;;   mov rcx, [rdx+0x18]
;;   mov [rbp-0x30], rcx
;;   movsd xmm15, [rdx+0x20]
;;   movsd [rbp-0x38], xmm15
;;   jmp L0
;;   ud2
