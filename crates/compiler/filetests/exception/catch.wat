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
;;! x64
;; $callee
;;   mov rsi, rdx
;;   mov [rbp-8], esi
;;   mov rdi, r15
;;   call libcall(InstanceId)
;;   mov [rbp-0x10], eax
;;   mov rdi, r15
;;   mov esi, 0x10000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id(1)]
;;   mov ecx, 0x20
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)
;;   mov eax, eax
;;   mov r11, [store]
;;   mov rdx, [r11+store.heap]
;;   add rdx, rax
;;   mov ecx, [rbp-8]
;;   mov [rdx+0x18], ecx
;;   mov ecx, [rbp-0x10]
;;   mov [rdx+0x10], ecx
;;   mov ecx, 1
;;   mov [rdx+0x14], ecx
;;   mov rsi, rax
;;   mov rdi, r15
;;   call libcall(ThrowRef)
;;   ud2  ; Unreachable
;;   ud2  ; StackOverflow
;; $homes
;;   mov rbx, rdx
;;   xor r12d, r12d
;;   padding
;; L0:
;;   mov [rbp-0x28], r12d
;;   mov [rbp-0x30], ebx
;;   mov rdx, rbx
;;   call $callee  ; tag 0 to L2
;;   add r12d, eax
;; L1:
;;   add ebx, 0xFFFFFFFF
;;   jne L0
;;   mov eax, r12d
;;   return
;; L2:
;;   mov r15, [rbp-0x20]
;;   mov r12d, [rbp-0x28]
;;   mov ebx, [rbp-0x30]
;;   jmp L1
;;   ud2  ; StackOverflow
;; $values
;;   mov [rbp-0x28], edx
;;   call $callee  ; tag 1 to L2, tag 2 to L3
;;   mov eax, 0
;;   jmp L1
;; L0:
;;   mov eax, [rbp-0x30]
;; L1:
;;   return
;; L2:
;;   mov r15, [rbp-0x20]
;;   mov r11, [store]
;;   mov rdx, [r11+store.heap]
;;   add rdx, rax
;;   mov eax, [rdx+0x18]
;;   jmp L1
;; L3:
;;   mov r15, [rbp-0x20]
;;   mov r11, [store]
;;   mov rdx, [r11+store.heap]
;;   add rdx, rax
;;   mov rcx, [rdx+0x18]
;;   mov [rbp-0x30], rcx
;;   movsd xmm15, [rdx+0x20]
;;   movsd [rbp-0x38], xmm15
;;   jmp L0
;;   ud2  ; StackOverflow
