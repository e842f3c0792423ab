;; settings: routines left-to-judge
;; The routines that change stacks: they copy what is passed, link the stacks as the host's records say, and leave.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $g (func (result i32)))
  (type $bound (cont $g))
  (tag $ask (param i32) (result i32))
  (func $start (param i32) (result i32) (suspend $ask (local.get 0)))
  (elem declare func $start)
  (func $make (result (ref $k)) (cont.new $k (ref.func $start)))
  (func $bind (param (ref $k)) (result (ref $bound)) (cont.bind $k $bound (i32.const 1) (local.get 0)))
  (func $resume (param (ref $bound)) (result i32) (resume $bound (local.get 0))))
;;! x64
;; $start
;;   mov [rbp-8], edx
;;   mov [rsp], rdx
;;   lea rdx, [tag0]
;;   mov ecx, 1
;;   mov r8d, 1
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(Suspend))
;; L0:
;;   mov eax, [rsp]
;;   return
;;   ud2  ; StackOverflow
;; $make
;;   mov rdi, r15
;;   xor esi, esi
;;   call libcall(RefFunc)
;;   test rax, rax
;;   je L0
;;   mov rsi, rax
;;   mov rdi, r15
;;   mov edx, 1
;;   mov ecx, 1
;;   call libcall(ContNew)
;;   movq xmm0, rax
;;   movhps xmm0, [rax+cont.revision]
;;   movups [rbp-0x10], xmm0
;;   mov r11, [rbp-8]
;;   mov [rbp-0x20], r11
;;   mov rax, [rbp-0x10]
;;   mov rcx, [rbp-0x20]
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; NullReference
;; $bind
;;   movups [rbp-0x10], xmm0
;;   movups [rsp], xmm0
;;   mov qword ptr [rsp+0x10], 1
;;   mov edx, 1
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(Bind { wide: false }))
;; L0:
;;   movups xmm0, [rsp]
;;   movups [rbp-0x20], xmm0
;;   mov r11, [rbp-0x18]
;;   mov [rbp-0x30], r11
;;   mov rax, [rbp-0x20]
;;   mov rcx, [rbp-0x30]
;;   return
;;   ud2  ; StackOverflow
;; $resume
;;   movups [rbp-0x10], xmm0
;;   movups [rsp], xmm0
;;   xor edx, edx
;;   xor ecx, ecx
;;   xor r8d, r8d
;;   lea r11, [L0]
;;   push r11
;;   jmp routine(Stacks(Resume { wide: false }))
;; L0:
;;   mov eax, [rcx]
;;   mov [rbp-0x20], eax
;;   return
;;   ud2  ; StackOverflow
;; routine(Stacks(Bind { wide: false }))
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x60
;;   mov [rbp-8], rbx
;;   mov [rbp-0x10], r12
;;   mov [rbp-0x18], r13
;;   mov [rbp-0x20], r15
;;   mov [rbp-0x28], r14
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov r10, [rbp+0x10]
;;   test r10, r10
;;   je L3
;;   mov rax, [r10+cont.revision]
;;   cmp rax, [rbp+0x18]
;;   jne L4
;;   test ebx, ebx
;;   je L2
;;   lea rdi, [r10+cont.args.length]
;;   cmp dword ptr [r10+stack.state], 0
;;   je L0
;;   lea rdi, [r10+cont.values.length]
;; L0:
;;   mov eax, [rdi]
;;   mov rcx, [rdi+8]
;;   mov edx, eax
;;   shl rdx, 4
;;   add rcx, rdx
;;   add eax, ebx
;;   mov [rdi], eax
;;   lea rdx, [rbp+0x20]
;;   mov esi, ebx
;; L1:
;;   movsd xmm15, [rdx]
;;   movsd [rcx], xmm15
;;   add rdx, 0x10
;;   add rcx, 0x10
;;   add rsi, 0xFFFFFFFFFFFFFFFF
;;   test esi, esi
;;   jne L1
;; L2:
;;   mov rax, [r10+cont.revision]
;;   add rax, 1
;;   mov [r10+cont.revision], rax
;;   movq xmm15, r10
;;   movhps xmm15, [r10+cont.revision]
;;   movups [rbp+0x10], xmm15
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   mov r15, [rbp-0x20]
;;   mov r14, [rbp-0x28]
;;   leave
;;   pop r11
;;   jmp r11
;;   ud2  ; TableOutOfBounds
;; L3:
;;   ud2  ; NullReference
;; L4:
;;   ud2  ; ContinuationConsumed
;; routine(Stacks(Resume { wide: false }))
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x60
;;   mov [rbp-8], rbx
;;   mov [rbp-0x10], r12
;;   mov [rbp-0x18], r13
;;   mov [rbp-0x20], r15
;;   mov [rbp-0x28], r14
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov r10, [rbp+0x10]
;;   test r10, r10
;;   je L6
;;   mov rax, [r10+cont.revision]
;;   cmp rax, [rbp+0x18]
;;   jne L7
;;   add rax, 1
;;   mov [r10+cont.revision], rax
;;   test ebx, ebx
;;   je L2
;;   lea rdi, [r10+cont.args.length]
;;   cmp dword ptr [r10+stack.state], 0
;;   je L0
;;   lea rdi, [r10+cont.values.length]
;; L0:
;;   mov eax, [rdi]
;;   mov rcx, [rdi+8]
;;   mov edx, eax
;;   shl rdx, 4
;;   add rcx, rdx
;;   add eax, ebx
;;   mov [rdi], eax
;;   lea rdx, [rbp+0x20]
;;   mov esi, ebx
;; L1:
;;   movsd xmm15, [rdx]
;;   movsd [rcx], xmm15
;;   add rdx, 0x10
;;   add rcx, 0x10
;;   add rsi, 0xFFFFFFFFFFFFFFFF
;;   test esi, esi
;;   jne L1
;; L2:
;;   mov r8, [store]
;;   mov rdx, [r10+cont.last_ancestor]
;;   mov rax, [r8+store.chain.kind]
;;   mov rcx, [r8+store.chain.pointer]
;;   mov [rbp-0x30], rax
;;   mov [rbp-0x38], rcx
;;   mov [rdx+cont.parent.kind], rax
;;   mov [rdx+cont.parent.pointer], rcx
;;   mov qword ptr [r10+cont.last_ancestor], 0
;;   mov dword ptr [rcx+stack.state], 2
;;   mov qword ptr [r8+store.chain.kind], 2
;;   mov [r8+store.chain.pointer], r10
;;   mov dword ptr [r10+stack.state], 1
;;   mov rax, [r8+store.stack_limit]
;;   mov [rcx+stack.limit], rax
;;   mov rax, [r8+store.entry_frame]
;;   mov [rcx+stack.entry_frame], rax
;;   mov rax, [r8+store.entry_stack]
;;   mov [rcx+stack.entry_stack], rax
;;   mov rax, [r8+store.entry_handler]
;;   mov [rcx+stack.entry_handler], rax
;;   mov rax, [r10+stack.limit]
;;   mov [r8+store.stack_limit], rax
;;   mov rax, [r10+stack.entry_frame]
;;   mov [r8+store.entry_frame], rax
;;   mov rax, [r10+stack.entry_stack]
;;   mov [r8+store.entry_stack], rax
;;   mov rax, [r10+stack.entry_handler]
;;   mov [r8+store.entry_handler], rax
;;   mov [rcx+stack.handlers.length], r12d
;;   mov [rcx+stack.handlers.capacity], r12d
;;   mov [rcx+stack.suspending], r13d
;;   mov eax, ebx
;;   shl rax, 4
;;   lea rax, [rbp+rax+0x20]
;;   mov [rcx+stack.handlers.data], rax
;;   mov rax, [rdx+cont.top]
;;   lea rax, [rax-0x18]
;;   mov rdi, 0x100000000
;;   mov rcx, [rax]
;;   mov [rax], rsp
;;   mov rsp, rcx
;;   mov rcx, [rax+8]
;;   mov [rax+8], rbp
;;   mov rbp, rcx
;;   mov rcx, [rax+0x10]
;;   lea r11, [L3]
;;   mov [rax+0x10], r11
;;   jmp rcx
;; L3:
;;   mov r15, [rbp-0x20]
;;   mov r8, [store]
;;   mov r10, [r8+store.chain.pointer]
;;   mov rdx, [rbp-0x30]
;;   mov rsi, [rbp-0x38]
;;   mov [r8+store.chain.kind], rdx
;;   mov [r8+store.chain.pointer], rsi
;;   mov dword ptr [rsi+stack.state], 1
;;   mov dword ptr [rsi+stack.handlers.length], 0
;;   mov dword ptr [rsi+stack.handlers.capacity], 0
;;   mov qword ptr [rsi+stack.handlers.data], 0
;;   mov dword ptr [rsi+stack.suspending], 0
;;   test rdi, rdi
;;   jne L4
;;   mov rdx, [rsi+stack.limit]
;;   mov [r8+store.stack_limit], rdx
;;   mov rdx, [rsi+stack.entry_frame]
;;   mov [r8+store.entry_frame], rdx
;;   mov rdx, [rsi+stack.entry_stack]
;;   mov [r8+store.entry_stack], rdx
;;   mov rdx, [rsi+stack.entry_handler]
;;   mov [r8+store.entry_handler], rdx
;;   mov dword ptr [r10+stack.state], 4
;;   mov rcx, [r10+cont.args.data]
;;   mov dword ptr [r10+cont.args.length], 0
;;   mov dword ptr [r10+cont.args.capacity], 0
;;   mov qword ptr [r10+cont.args.data], 0
;;   xor eax, eax
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   mov r15, [rbp-0x20]
;;   mov r14, [rbp-0x28]
;;   leave
;;   pop r11
;;   jmp r11
;; L4:
;;   mov rdx, rdi
;;   shr rdx, 0x20
;;   cmp rdx, 4
;;   je L5
;;   mov rdx, [r8+store.entry_frame]
;;   mov [r10+stack.entry_frame], rdx
;;   mov rdx, [r8+store.entry_stack]
;;   mov [r10+stack.entry_stack], rdx
;;   mov rdx, [r8+store.entry_handler]
;;   mov [r10+stack.entry_handler], rdx
;;   mov rdx, [rsi+stack.limit]
;;   mov [r8+store.stack_limit], rdx
;;   mov rdx, [rsi+stack.entry_frame]
;;   mov [r8+store.entry_frame], rdx
;;   mov rdx, [rsi+stack.entry_stack]
;;   mov [r8+store.entry_stack], rdx
;;   mov rdx, [rsi+stack.entry_handler]
;;   mov [r8+store.entry_handler], rdx
;;   movq xmm15, r10
;;   movhps xmm15, [r10+cont.revision]
;;   movups [rbp+0x10], xmm15
;;   mov rcx, [r10+cont.values.data]
;;   mov dword ptr [r10+cont.values.length], 0
;;   mov eax, edi
;;   add eax, 1
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   mov r15, [rbp-0x20]
;;   mov r14, [rbp-0x28]
;;   leave
;;   pop r11
;;   jmp r11
;; L5:
;;   mov dword ptr [r10+stack.state], 5
;;   mov rdx, [rsi+stack.limit]
;;   mov [r8+store.stack_limit], rdx
;;   mov rdx, [rsi+stack.entry_frame]
;;   mov [r8+store.entry_frame], rdx
;;   mov rdx, [rsi+stack.entry_stack]
;;   mov [r8+store.entry_stack], rdx
;;   mov rdx, [rsi+stack.entry_handler]
;;   mov [r8+store.entry_handler], rdx
;;   mov dword ptr [r10+cont.args.length], 0
;;   mov dword ptr [r10+cont.args.capacity], 0
;;   mov qword ptr [r10+cont.args.data], 0
;;   mov dword ptr [r10+cont.values.length], 0
;;   mov dword ptr [r10+cont.values.capacity], 0
;;   mov qword ptr [r10+cont.values.data], 0
;;   mov rdi, r15
;;   call libcall(Raise)
;;   ud2  ; Unreachable
;;   ud2  ; TableOutOfBounds
;; L6:
;;   ud2  ; NullReference
;; L7:
;;   ud2  ; ContinuationConsumed
;; routine(Stacks(Suspend))
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x60
;;   mov [rbp-8], rbx
;;   mov [rbp-0x10], r12
;;   mov [rbp-0x18], r13
;;   mov [rbp-0x20], r15
;;   mov [rbp-0x28], r14
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov r8, [store]
;;   mov rdi, [r8+store.chain.kind]
;;   mov r9, [r8+store.chain.pointer]
;;   mov rcx, r9
;; L0:
;;   cmp rdi, 1
;;   je L6
;;   mov rdx, [rcx+cont.parent.pointer]
;;   xor eax, eax
;;   mov edi, [rdx+stack.suspending]
;;   mov rsi, [rdx+stack.handlers.data]
;; L1:
;;   cmp eax, edi
;;   jae L2
;;   cmp rbx, [rsi+rax*8]
;;   je L3
;;   add rax, 1
;;   jmp L1
;; L2:
;;   mov rdi, [rcx+cont.parent.kind]
;;   mov rcx, rdx
;;   jmp L0
;; L3:
;;   mov [r9+cont.last_ancestor], rcx
;;   lea rdx, [rbp+0x10]
;;   mov [r9+cont.values.data], rdx
;;   mov [r9+cont.values.length], r12d
;;   mov [r9+cont.values.capacity], r13d
;;   mov dword ptr [r9+stack.state], 3
;;   mov qword ptr [rcx+cont.parent.kind], 0
;;   mov qword ptr [rcx+cont.parent.pointer], 0
;;   mov [rbp-0x30], r9
;;   mov rdx, [rcx+cont.top]
;;   lea rdx, [rdx-0x18]
;;   mov rdi, 0x200000000
;;   or rdi, rax
;;   mov rsi, [rdx]
;;   mov [rdx], rsp
;;   mov rsp, rsi
;;   mov rsi, [rdx+8]
;;   mov [rdx+8], rbp
;;   mov rbp, rsi
;;   mov rsi, [rdx+0x10]
;;   lea r11, [L4]
;;   mov [rdx+0x10], r11
;;   jmp rsi
;; L4:
;;   mov r9, [rbp-0x30]
;;   mov rax, rdi
;;   shr rax, 0x20
;;   cmp rax, 5
;;   je L5
;;   mov dword ptr [r9+cont.values.length], 0
;;   mov dword ptr [r9+cont.values.capacity], 0
;;   mov qword ptr [r9+cont.values.data], 0
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   mov r15, [rbp-0x20]
;;   mov r14, [rbp-0x28]
;;   leave
;;   pop r11
;;   jmp r11
;; L5:
;;   mov ecx, [rbp+0x10]
;;   mov dword ptr [r9+cont.values.length], 0
;;   mov dword ptr [r9+cont.values.capacity], 0
;;   mov qword ptr [r9+cont.values.data], 0
;;   mov r15, [rbp-0x20]
;;   mov esi, ecx
;;   mov rdi, r15
;;   call libcall(ThrowRef)
;;   ud2  ; Unreachable
;;   ud2  ; TableOutOfBounds
;; L6:
;;   ud2  ; UnhandledTag
