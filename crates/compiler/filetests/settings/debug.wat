;; settings: debug frame
;; Where a debugger may look, each local is in its slot before the next operator, and nothing is ahead of the frame.
(module
  (memory 1)
  (func $early (param i32 i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (call $early (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
  (func $leaf (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $written (param i32) (result i32) (local i32 f64)
    (local.set 1 (i32.add (local.get 0) (i32.const 3)))
    (local.set 0 (i32.mul (local.get 1) (local.get 1)))
    (local.set 2 (f64.convert_i32_s (local.get 0)))
    (local.get 1))
  (func $loop (param i32) (result i32) (local i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (i32.load (local.get 0))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 4)))))
    (local.get 1)))
;;! x64
;; $early
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x10
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L2
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   test edx, edx
;;   jne L0
;;   mov eax, ecx
;;   jmp L1
;; L0:
;;   lea eax, [rdx-1]
;;   mov rdx, rax
;;   call $early
;;   mov eax, eax
;; L1:
;;   leave
;;   ret
;; L2:
;;   ud2  ; StackOverflow
;; $leaf
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x10
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   lea eax, [rdx+rcx]
;;   leave
;;   ret
;; $written
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], edx
;;   mov dword ptr [rbp-0x10], 0
;;   mov qword ptr [rbp-0x18], 0
;;   lea eax, [rdx+3]
;;   mov [rbp-0x10], eax
;;   mov ecx, eax
;;   imul ecx, eax
;;   mov [rbp-8], ecx
;;   xorps xmm0, xmm0
;;   cvtsi2sd xmm0, ecx
;;   movsd [rbp-0x18], xmm0
;;   leave
;;   ret
;; $loop
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x10
;;   mov [rbp-0x10], edx
;;   mov dword ptr [rbp-8], 0
;;   padding
;; L0:
;;   mov eax, [rbp-0x10]
;;   mov ecx, [rbp-8]
;;   add ecx, [r14+rax]  ; MemoryOutOfBounds
;;   mov [rbp-8], ecx
;;   lea edx, [rax-4]
;;   mov [rbp-0x10], edx
;;   test edx, edx
;;   jne L0
;;   mov eax, ecx
;;   leave
;;   ret
