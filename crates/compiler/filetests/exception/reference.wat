;; settings: left-to-judge
;; The exception itself is the value of a label, in a register; thrown again it goes to the host as it is. References that
;; it carries are read out of the heap, those on the stack are in slots that a map names.
(module
  (tag $t (param externref i32))
  (global $g (mut exnref) (ref.null exn))
  (func $callee)
  (func $keep
    (global.set $g
      (block $h (result exnref)
        (try_table (catch_all_ref $h) (call $callee))
        (return))))
  (func $again (throw_ref (global.get $g)))
  (func $carried (param externref) (result externref)
    (block $h (result externref i32 exnref)
      (try_table (catch_ref $t $h) (throw $t (local.get 0) (i32.const 5)))
      (unreachable))
    (drop) (drop)))
;;! x64
;; $callee
;;   return
;; $keep
;;   call $callee  ; all to L2
;;   jmp L1
;; L0:
;;   mov [global0], eax
;; L1:
;;   return
;; L2:
;;   mov r15, [rbp-0x20]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $again
;;   mov eax, [global0]
;;   mov rsi, rax
;;   mov rdi, r15
;;   call libcall(ThrowRef)
;;   ud2  ; Unreachable
;;   ud2  ; StackOverflow
;; $carried
;;   mov [rbp-0x28], edx
;;   mov [rbp-0x30], edx
;;   mov dword ptr [rbp-0x38], 5
;;   mov rdi, r15
;;   call libcall(InstanceId)
;;   mov [rbp-0x40], eax
;;   mov rdi, r15
;;   mov esi, 0x10000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id(0)]
;;   mov ecx, 0x20
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)  ; references at -48 -40
;;   mov eax, eax
;;   mov r11, [store]
;;   mov rdx, [r11+store.heap]
;;   add rdx, rax
;;   mov ecx, [rbp-0x30]
;;   mov [rdx+0x18], ecx
;;   mov ecx, [rbp-0x38]
;;   mov [rdx+0x1C], ecx
;;   mov ecx, [rbp-0x40]
;;   mov [rdx+0x10], ecx
;;   xor ecx, ecx
;;   mov [rdx+0x14], ecx
;;   mov rsi, rax
;;   mov rdi, r15
;;   call libcall(ThrowRef)  ; tag 0 to L1
;;   ud2  ; Unreachable
;; L0:
;;   mov eax, [rbp-0x30]
;;   return
;; L1:
;;   mov r15, [rbp-0x20]
;;   mov [rbp-0x40], eax
;;   mov r11, [store]
;;   mov rdx, [r11+store.heap]
;;   add rdx, rax
;;   mov ecx, [rdx+0x18]
;;   mov [rbp-0x30], ecx
;;   mov ecx, [rdx+0x1C]
;;   mov [rbp-0x38], ecx
;;   jmp L0
;;   ud2  ; StackOverflow
