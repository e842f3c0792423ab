;; settings: frame
;; Frames: what makes them and what takes them down. A small function that calls nothing looks at no limit; a function that
;; has handlers saves all that its caller wants preserved, and the instance.
(module
  (tag $none)
  (func $leaf (param i32) (result i32) (local.get 0))
  (func $calls (call $nothing))
  (func $nothing)
  (func $saves (param i32) (result i32)
    (loop (result i32)
      (call $nothing)
      (br_if 0 (local.get 0) (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func $taken_from_stack (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.add (local.get 6) (local.get 7)))
  (func $results (result i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)
    (i64.const 9))
  (func $handles (block $caught (try_table (catch $none $caught) (call $nothing))))
  (func $never (unreachable))
  (func $onward (param i32) (result i32) (return_call $saves (local.get 0))))
;;! x64
;; $leaf
;;   mov eax, edx
;;   ret
;; $calls
;;   push rbp
;;   mov rbp, rsp
;;   padding
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L0
;;   call $nothing
;;   leave
;;   ret
;; L0:
;;   ud2  ; StackOverflow
;; $nothing
;;   ret
;; $saves
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x10
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L1
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   padding
;; L0:
;;   call $nothing
;;   mov eax, ebx
;;   add ebx, 0xFFFFFFFF
;;   jne L0
;;   mov rbx, [rbp-8]
;;   leave
;;   ret
;; L1:
;;   ud2  ; StackOverflow
;; $taken_from_stack
;;   push rbp
;;   mov rbp, rsp
;;   padding
;;   mov esi, [rbp+0x10]
;;   mov edi, [rbp+0x18]
;;   lea eax, [rsi+rdi]
;;   leave
;;   ret 0x10
;; $results
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x50
;;   mov [rbp-8], r10
;;   mov qword ptr [rbp-0x10], 1
;;   mov qword ptr [rbp-0x18], 2
;;   mov qword ptr [rbp-0x20], 3
;;   mov qword ptr [rbp-0x28], 4
;;   mov qword ptr [rbp-0x30], 5
;;   mov qword ptr [rbp-0x38], 6
;;   mov qword ptr [rbp-0x40], 7
;;   mov qword ptr [rbp-0x48], 8
;;   mov qword ptr [rbp-0x50], 9
;;   mov r11, [rbp-8]
;;   mov rax, [rbp-0x50]
;;   mov [r11], rax
;;   mov rax, [rbp-0x10]
;;   mov rcx, [rbp-0x18]
;;   mov rdx, [rbp-0x20]
;;   mov rsi, [rbp-0x28]
;;   mov rdi, [rbp-0x30]
;;   mov r8, [rbp-0x38]
;;   mov r9, [rbp-0x40]
;;   mov r10, [rbp-0x48]
;;   leave
;;   ret
;; $handles
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L2
;;   mov [rbp-8], rbx
;;   mov [rbp-0x10], r12
;;   mov [rbp-0x18], r13
;;   mov [rbp-0x20], r15
;;   call $nothing  ; tag 0 to L1
;; L0:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   leave
;;   ret
;; L1:
;;   mov r15, [rbp-0x20]
;;   jmp L0
;; L2:
;;   ud2  ; StackOverflow
;; $never
;;   push rbp
;;   mov rbp, rsp
;;   padding
;;   ud2  ; Unreachable
;; $onward
;;   push rbp
;;   mov rbp, rsp
;;   padding
;;   mov rsi, rdx
;;   mov rdx, rsi
;;   leave
;;   jmp $saves
