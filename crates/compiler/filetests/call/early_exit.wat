;; settings: frame
;; What a function that calls returns at once is looked for ahead of its frame.
(module
  (memory 1)
  (func $fib (param $n i32) (result i32) (local $sum i32)
    (local.set $sum (i32.const 1))
    (block $done
      (br_if $done (i32.lt_u (local.get $n) (i32.const 2)))
      (loop $again
        (local.set $sum (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (local.get $sum)))
        (br_if $again (i32.gt_u (local.tee $n (i32.sub (local.get $n) (i32.const 2))) (i32.const 1)))))
    (local.get $sum))
  (func $through (param i32 i32) (result i32)
    (block (br_if 0 (i32.eqz (i32.eqz (local.get 1)))) (return (local.get 0)))
    (call $fib (local.get 0)))
  ;; The condition is no matter of parameters, or the way leads through something else.
  (func $neither (param i32) (result i32)
    (if (i32.load (local.get 0)) (then (return (i32.const 0))))
    (call $fib (local.get 0))))
;;! x64
;; $fib
;;   cmp edx, 2
;;   jb L2
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x10
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L3
;;   mov [rbp-8], r12
;;   mov [rbp-0x10], rbx
;;   mov rbx, rdx
;;   mov r12d, 1
;;   cmp ebx, 2
;;   jb L1
;;   padding
;; L0:
;;   lea edx, [rbx-1]
;;   call $fib
;;   add r12d, eax
;;   add ebx, 0xFFFFFFFE
;;   cmp ebx, 1
;;   ja L0
;; L1:
;;   mov eax, r12d
;;   mov r12, [rbp-8]
;;   mov rbx, [rbp-0x10]
;;   leave
;;   ret
;; L2:
;;   mov eax, 1
;;   ret
;; L3:
;;   ud2  ; StackOverflow
;; $through
;;   test ecx, ecx
;;   je L2
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x10
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L3
;;   mov [rbp-0x10], edx
;;   mov [rbp-8], ecx
;;   test ecx, ecx
;;   jne L0
;;   mov eax, edx
;;   jmp L1
;; L0:
;;   call $fib
;;   mov eax, eax
;; L1:
;;   leave
;;   ret
;; L2:
;;   mov eax, edx
;;   ret
;; L3:
;;   ud2  ; StackOverflow
;; $neither
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x10
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L2
;;   mov [rbp-8], edx
;;   cmp dword ptr [r14+rdx], 0  ; MemoryOutOfBounds
;;   je L0
;;   mov eax, 0
;;   jmp L1
;; L0:
;;   call $fib
;;   mov eax, eax
;; L1:
;;   leave
;;   ret
;; L2:
;;   ud2  ; StackOverflow
