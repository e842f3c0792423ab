;; A call between components that is begun and ended in place: its thread is a record in the frame, and only where the
;; host has made the thread meanwhile is the host called to end it, with all registers in use saved.
(module
  (import "component" "enter-sync-call" (func $enter (param i32 i32 i32)))
  (import "component" "exit-sync-call" (func $exit))
  (import "" "callee" (func $callee (param i32 i32) (result i32)))
  (import "" "throws" (func $throws))

  ;; As adapters are.
  (func $adapter (param i32 i32) (result i32)
    (local $result i32)
    (call $enter (i32.const 1) (i32.const 0) (i32.const 2))
    (local.set $result (call $callee (local.get 0) (local.get 1)))
    (call $exit)
    (local.get $result))

  ;; Nothing is known of what says which call it is.
  (func $arguments (param i32 i64) (local $in_slot i32)
    (call $enter (i32.wrap_i64 (local.get 1)) (local.get $in_slot) (i32.add (local.get 0) (i32.const 1)))
    (call $exit))

  ;; What is in registers stays there, and is saved where the host is called.
  (func $live (param i32 f64) (result f64)
    (call $enter (i32.const 0) (i32.const 0) (i32.const 0))
    (f64.add (local.get 1) (f64.const 1))
    (i32.add (local.get 0) (i32.const 7))
    (call $exit)
    (f64.convert_i32_s)
    (f64.add))

  ;; A frame that exceptions come to.
  (func $barrier
    (block $caught
      (try_table (catch_all $caught)
        (call $enter (i32.const 1) (i32.const 0) (i32.const 2))
        (call $throws)
        (call $exit)
        (return)))
    (unreachable))

  ;; In a loop that would keep locals in registers if there were calls.
  (func $loop (param i32 i32) (result i32)
    (loop
      (call $enter (i32.const 1) (i32.const 0) (i32.const 2))
      (local.set 1 (i32.mul (local.get 1) (local.get 0)))
      (call $exit)
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))

  ;; Control comes back from a call that is done in place, whatever came before it.
  (func $behind_a_call
    (call $throws)
    (call $enter (i32.const 1) (i32.const 0) (i32.const 2))
    (call $exit)
    (unreachable))

  ;; A tail call, and who has a reference, go to the import.
  (func $tail (return_call $exit)))
;;! x64
;; $adapter
;;   mov [rbp-0x28], edx
;;   mov [rbp-0x30], ecx
;;   mov dword ptr [rbp-0x10], 2
;;   mov dword ptr [rbp-0x14], 0
;;   mov dword ptr [rbp-0x18], 1
;;   mov r11, [store]
;;   mov rax, [r11+store.current_thread]
;;   mov [rbp-0x20], rax
;;   mov eax, [r11+store.context0]
;;   mov [rbp-0xC], eax
;;   mov dword ptr [r11+store.context0], 0
;;   mov eax, [r11+store.context1]
;;   mov [rbp-8], eax
;;   mov dword ptr [r11+store.context1], 0
;;   lea rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   mov rdi, [func2.context]
;;   mov rsi, r15
;;   mov r11, [func2.code]
;;   call r11
;;   mov eax, eax
;;   mov r11, [store]
;;   lea rcx, [rbp-0x20]
;;   cmp [r11+store.current_thread], rcx
;;   jne L1
;;   mov rcx, [rbp-0x20]
;;   mov [r11+store.current_thread], rcx
;;   mov ecx, [rbp-0xC]
;;   mov [r11+store.context0], ecx
;;   mov ecx, [rbp-8]
;;   mov [r11+store.context1], ecx
;; L0:
;;   mov [rbp-0x38], eax
;;   return
;; L1:
;;   mov [rbp-0x40], rax
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   mov rax, [rbp-0x40]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $arguments
;;   mov rsi, rcx
;;   mov r8, rdx
;;   xor edi, edi
;;   mov eax, esi
;;   lea ecx, [r8+1]
;;   mov [rbp-0x10], ecx
;;   mov [rbp-0x14], edi
;;   mov [rbp-0x18], eax
;;   mov r11, [store]
;;   mov rax, [r11+store.current_thread]
;;   mov [rbp-0x20], rax
;;   mov eax, [r11+store.context0]
;;   mov [rbp-0xC], eax
;;   mov dword ptr [r11+store.context0], 0
;;   mov eax, [r11+store.context1]
;;   mov [rbp-8], eax
;;   mov dword ptr [r11+store.context1], 0
;;   lea rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   mov r11, [store]
;;   lea rax, [rbp-0x20]
;;   cmp [r11+store.current_thread], rax
;;   jne L1
;;   mov rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   mov eax, [rbp-0xC]
;;   mov [r11+store.context0], eax
;;   mov eax, [rbp-8]
;;   mov [r11+store.context1], eax
;; L0:
;;   return
;; L1:
;;   mov [rbp-0x30], rsi
;;   mov [rbp-0x38], rdi
;;   mov [rbp-0x40], r8
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   mov rsi, [rbp-0x30]
;;   mov rdi, [rbp-0x38]
;;   mov r8, [rbp-0x40]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $live
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov dword ptr [rbp-0x10], 0
;;   mov dword ptr [rbp-0x14], 0
;;   mov dword ptr [rbp-0x18], 0
;;   mov r11, [store]
;;   mov rax, [r11+store.current_thread]
;;   mov [rbp-0x20], rax
;;   mov eax, [r11+store.context0]
;;   mov [rbp-0xC], eax
;;   mov dword ptr [r11+store.context0], 0
;;   mov eax, [r11+store.context1]
;;   mov [rbp-8], eax
;;   mov dword ptr [r11+store.context1], 0
;;   lea rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   mov r11, 0x3FF0000000000000
;;   movq xmm0, r11
;;   movaps xmm1, xmm8
;;   addsd xmm1, xmm0
;;   lea eax, [rsi+7]
;;   mov r11, [store]
;;   lea rcx, [rbp-0x20]
;;   cmp [r11+store.current_thread], rcx
;;   jne L1
;;   mov rcx, [rbp-0x20]
;;   mov [r11+store.current_thread], rcx
;;   mov ecx, [rbp-0xC]
;;   mov [r11+store.context0], ecx
;;   mov ecx, [rbp-8]
;;   mov [r11+store.context1], ecx
;; L0:
;;   xorps xmm0, xmm0
;;   cvtsi2sd xmm0, eax
;;   addsd xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; L1:
;;   mov [rbp-0x28], rax
;;   mov [rbp-0x30], rsi
;;   movsd [rbp-0x38], xmm1
;;   movsd [rbp-0x40], xmm8
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   mov rax, [rbp-0x28]
;;   mov rsi, [rbp-0x30]
;;   movsd xmm1, [rbp-0x38]
;;   movsd xmm8, [rbp-0x40]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $barrier
;;   mov dword ptr [rbp-0x30], 2
;;   mov dword ptr [rbp-0x34], 0
;;   mov dword ptr [rbp-0x38], 1
;;   mov r11, [store]
;;   mov rax, [r11+store.current_thread]
;;   mov [rbp-0x40], rax
;;   mov eax, [r11+store.context0]
;;   mov [rbp-0x2C], eax
;;   mov dword ptr [r11+store.context0], 0
;;   mov eax, [r11+store.context1]
;;   mov [rbp-0x28], eax
;;   mov dword ptr [r11+store.context1], 0
;;   lea rax, [rbp-0x40]
;;   mov [r11+store.current_thread], rax
;;   mov rdi, [func3.context]
;;   mov rsi, r15
;;   mov r11, [func3.code]
;;   call r11  ; all to L3
;;   mov r11, [store]
;;   lea rax, [rbp-0x40]
;;   cmp [r11+store.current_thread], rax
;;   jne L4
;;   mov rax, [rbp-0x40]
;;   mov [r11+store.current_thread], rax
;;   mov eax, [rbp-0x2C]
;;   mov [r11+store.context0], eax
;;   mov eax, [rbp-0x28]
;;   mov [r11+store.context1], eax
;; L0:
;;   jmp L2
;; L1:
;;   ud2  ; Unreachable
;; L2:
;;   return
;; L3:
;;   mov r15, [rbp-0x20]
;;   jmp L1
;; L4:
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; $loop
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   padding
;; L0:
;;   mov dword ptr [rbp-0x10], 2
;;   mov dword ptr [rbp-0x14], 0
;;   mov dword ptr [rbp-0x18], 1
;;   mov r11, [store]
;;   mov rax, [r11+store.current_thread]
;;   mov [rbp-0x20], rax
;;   mov eax, [r11+store.context0]
;;   mov [rbp-0xC], eax
;;   mov dword ptr [r11+store.context0], 0
;;   mov eax, [r11+store.context1]
;;   mov [rbp-8], eax
;;   mov dword ptr [r11+store.context1], 0
;;   lea rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   imul edi, esi
;;   mov r11, [store]
;;   lea rax, [rbp-0x20]
;;   cmp [r11+store.current_thread], rax
;;   padding
;;   jne L2
;;   mov rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   mov eax, [rbp-0xC]
;;   mov [r11+store.context0], eax
;;   mov eax, [rbp-8]
;;   mov [r11+store.context1], eax
;; L1:
;;   add esi, 0xFFFFFFFF
;;   jne L0
;;   mov eax, edi
;;   return
;; L2:
;;   mov [rbp-0x38], rsi
;;   mov [rbp-0x40], rdi
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   mov rsi, [rbp-0x38]
;;   mov rdi, [rbp-0x40]
;;   jmp L1
;;   ud2  ; StackOverflow
;; $behind_a_call
;;   mov rdi, [func3.context]
;;   mov rsi, r15
;;   mov r11, [func3.code]
;;   call r11
;;   mov dword ptr [rbp-0x10], 2
;;   mov dword ptr [rbp-0x14], 0
;;   mov dword ptr [rbp-0x18], 1
;;   mov r11, [store]
;;   mov rax, [r11+store.current_thread]
;;   mov [rbp-0x20], rax
;;   mov eax, [r11+store.context0]
;;   mov [rbp-0xC], eax
;;   mov dword ptr [r11+store.context0], 0
;;   mov eax, [r11+store.context1]
;;   mov [rbp-8], eax
;;   mov dword ptr [r11+store.context1], 0
;;   lea rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   mov r11, [store]
;;   lea rax, [rbp-0x20]
;;   cmp [r11+store.current_thread], rax
;;   jne L1
;;   mov rax, [rbp-0x20]
;;   mov [r11+store.current_thread], rax
;;   mov eax, [rbp-0xC]
;;   mov [r11+store.context0], eax
;;   mov eax, [rbp-8]
;;   mov [r11+store.context1], eax
;; L0:
;;   ud2  ; Unreachable
;; L1:
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   jmp L0
;;   ud2  ; StackOverflow
;; $tail
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov rax, [func1.code]
;;   leave
;;   jmp rax
;;   ud2  ; StackOverflow
