;; settings: left-to-judge
;; What is passed to another stack is written to the lowest part of the frame; a routine does the rest and is called like any
;; function. A handler goes on behind the code. Homes that calls preserve are where they were; a reference to a continuation is
;; one register. The third function has nothing to do with stacks, and its code is as ever.
(module
  (type $ft (func (param i32)))
  (type $ct (cont $ft))
  (type $f0 (func))
  (type $c0 (cont $f0))
  (tag $yield (param i32 i64))
  (tag $done)
  (func $suspends (param i32) (result i32)
    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
    (suspend $yield (local.get 0) (i64.const 7))
    (local.get 0))
  (func $resumes (param i32 (ref null $ct)) (result i32) (local $k (ref null $c0)) (local $v i64)
    (block $done (result (ref $c0))
      (block $yield (result i32 i64 (ref $c0))
        (resume $ct (on $yield $yield) (on $done $done) (local.get 0) (local.get 1))
        (return (local.get 0)))
      (local.set $k)
      (local.set $v)
      (return (i32.add (local.get 0) (ref.is_null (local.get $k)))))
    (drop)
    (i32.const 0))
  (func $neither (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))
;;! x64
;; $suspends
;;   mov rbx, rdx
;;   add ebx, 1
;;   mov qword ptr [rsp+0x10], 7
;;   mov [rsp], rbx
;;   lea rdx, [tag0]
;;   mov ecx, 2
;;   mov r8d, 2
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(Suspend))
;; L0:
;;   mov eax, ebx
;;   return
;;   ud2  ; StackOverflow
;; $resumes
;;   movups [rbp-0x20], xmm0
;;   mov rbx, rdx
;;   movups [rsp], xmm0
;;   mov [rsp+0x10], rbx
;;   lea r11, [tag0]
;;   mov [rsp+0x20], r11
;;   lea r11, [tag1]
;;   mov [rsp+0x28], r11
;;   mov edx, 1
;;   mov ecx, 2
;;   mov r8d, 2
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(Resume { wide: false }))
;; L0:
;;   test eax, eax
;;   jne L4
;;   mov eax, ebx
;;   jmp L3
;; L1:
;;   movups xmm0, [rbp-0x70]
;;   mov rax, [rbp-0x60]
;;   movq rcx, xmm0
;;   test rcx, rcx
;;   sete cl
;;   movzx ecx, cl
;;   lea edx, [rbx+rcx]
;;   mov [rbp-0x38], rax
;;   mov eax, edx
;;   jmp L3
;; L2:
;;   mov eax, 0
;; L3:
;;   mov [rbp-0x50], eax
;;   return
;; L4:
;;   lea rax, [rax-1]
;;   mov edx, 1
;;   cmp eax, edx
;;   cmova eax, edx
;;   lea rdx, [L5]
;;   movsxd rax, [rdx+rax*4]
;;   add rax, rdx
;;   jmp rax
;; L5:
;;   L6, L7
;; L6:
;;   mov r11d, [rcx]
;;   mov [rbp-0x50], r11d
;;   mov r11, [rcx+0x10]
;;   mov [rbp-0x60], r11
;;   movups xmm15, [rsp]
;;   movups [rbp-0x70], xmm15
;;   jmp L1
;; L7:
;;   movups xmm0, [rsp]
;;   jmp L2
;;   ud2  ; StackOverflow
;; $neither
;;   lea eax, [rdx+rcx]
;;   return
