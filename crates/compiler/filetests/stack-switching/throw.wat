;; settings: left-to-judge
;; What resumes a continuation with an exception, and what switches to another without a detour.
(module
  (type $f (func))
  (type $k (cont $f))
  (type $g (func (param (ref null $k))))
  (type $j (cont $g))
  (tag $error (param i32))
  (tag $swap)
  (func $throw (param (ref $k) i32) (resume_throw $k $error (local.get 1) (local.get 0)))
  (func $throw_ref (param (ref $k) exnref) (resume_throw_ref $k (local.get 1) (local.get 0)))
  (func $switch (param (ref $j)) (switch $j $swap (local.get 0))))
;;! x64
;; $throw
;;   movups [rbp-0x20], xmm0
;;   mov [rbp-8], edx
;;   mov [rbp-0x30], edx
;;   movups [rbp-0x40], xmm0
;;   mov rdi, r15
;;   call libcall(InstanceId)
;;   mov [rbp-0x50], eax
;;   mov rdi, r15
;;   mov esi, 0x10000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id(4)]
;;   mov ecx, 0x20
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)
;;   mov eax, eax
;;   mov r11, [store]
;;   mov rdx, [r11+store.heap]
;;   add rdx, rax
;;   mov ecx, [rbp-0x30]
;;   mov [rdx+0x18], ecx
;;   mov ecx, [rbp-0x50]
;;   mov [rdx+0x10], ecx
;;   xor ecx, ecx
;;   mov [rdx+0x14], ecx
;;   movups xmm15, [rbp-0x40]
;;   movups [rsp], xmm15
;;   mov rdx, rax
;;   xor ecx, ecx
;;   xor r8d, r8d
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(ResumeThrow))
;; L0:
;;   return
;;   ud2  ; StackOverflow
;; $throw_ref
;;   movups [rbp-0x10], xmm0
;;   mov [rbp-0x18], edx
;;   movups [rsp], xmm0
;;   mov [rbp-0x30], edx
;;   mov edx, [rbp-0x30]
;;   xor ecx, ecx
;;   xor r8d, r8d
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(ResumeThrow))  ; references at -24
;; L0:
;;   return
;;   ud2  ; StackOverflow
;; $switch
;;   movups [rbp-0x10], xmm0
;;   movups [rsp], xmm0
;;   lea rdx, [tag1]
;;   xor ecx, ecx
;;   mov r8d, 1
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(Switch { wide: false }))
;; L0:
;;   return
;;   ud2  ; StackOverflow
