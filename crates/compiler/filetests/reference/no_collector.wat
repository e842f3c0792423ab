;; settings: no-collector routines
;; Where nothing is ever collected, objects are cut off the end of what is used, which a routine makes larger.
(module
  (type $s (struct (field (mut anyref) i64)))
  (type $a (array i64))
  (func $new (param anyref) (result (ref $s)) (struct.new $s (local.get 0) (i64.const 1)))
  (func $array (param i32) (result (ref $a)) (array.new_default $a (local.get 0))))
;;! x64
;; $new
;;   mov [rbp-8], edx
;;   mov rax, [heap]
;;   mov ecx, [rax+heap.free]
;;   add rcx, 7
;;   and rcx, 0xFFFFFFFFFFFFFFF8
;;   lea rsi, [rcx+0x18]
;;   mov r11, [store]
;;   cmp rsi, [r11+store.heap_length]
;;   jae L1
;;   mov [rax+heap.free], esi
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov dword ptr [rax+rcx], 0xC0000018
;;   mov rsi, [type_ids]
;;   mov esi, [rsi+id($s)]
;;   mov [rax+rcx+4], esi
;; L0:
;;   mov qword ptr [rax+rcx+0x10], 1
;;   mov [rax+rcx+8], edx
;;   mov eax, ecx
;;   return
;; L1:
;;   mov edx, 0x18
;;   mov ecx, 7
;;   call routine(MakeRoom)
;;   mov rdi, r15
;;   mov esi, 0xC0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   mov ecx, 0x18
;;   mov r8d, 8
;;   call libcall(GcAlloc)  ; references at -8
;;   mov r11, rax
;;   mov edx, [rbp-8]
;;   mov ecx, r11d
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $array
;;   mov [rbp-8], edx
;;   call routine(ArrayNew { ty: 1 })
;;   mov eax, eax
;;   mov qword ptr [rbp-0x10], 0
;;   mov [rbp-0x18], eax
;;   mov edx, [rbp-0x18]
;;   mov rcx, [rbp-0x10]
;;   call routine(ArrayInit { ty: 1 })
;;   mov eax, [rbp-0x18]
;;   return
;;   ud2  ; StackOverflow
;; routine(MakeRoom)
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   test ebx, 0xF0000000
;;   jne L1
;;   mov rdx, [heap]
;;   mov r13d, [rdx+heap.free]
;;   add r13, r12
;;   not r12
;;   and r13, r12
;;   add r13, rbx
;;   mov rcx, r13
;;   shr rcx, 0x20
;;   test rcx, rcx
;;   jne L1
;;   mov r11, [store]
;;   mov rcx, [r11+store.heap_length]
;;   sub r13, rcx
;;   test r13, r13
;;   jle L0
;;   mov rsi, r13
;;   mov rdi, r15
;;   call libcall(GcGrow)
;; L0:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; L1:
;;   ud2  ; AllocationTooLarge
;; routine(ArrayNew { ty: 1 })
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   mov ebx, ebx
;;   cmp ebx, 0x1FFFFFFD
;;   ja L2
;;   mov r12, rbx
;;   shl r12, 3
;;   add r12, 0x10
;;   test r12d, 0xF0000000
;;   jne L2
;;   mov rdx, [heap]
;;   mov eax, [rdx+heap.free]
;;   add rax, 7
;;   and rax, 0xFFFFFFFFFFFFFFF8
;;   lea r8, [rax+r12]
;;   mov r11, [store]
;;   cmp r8, [r11+store.heap_length]
;;   jae L0
;;   mov [rdx+heap.free], r8d
;;   mov rcx, [store]
;;   mov rcx, [rcx+store.heap]
;;   mov r13d, r12d
;;   or r13d, 0xA0000000
;;   mov [rcx+rax], r13d
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($a)]
;;   mov [rcx+rax+4], edx
;;   jmp L1
;; L0:
;;   mov rdx, r12
;;   mov ecx, 7
;;   call routine(MakeRoom)
;;   mov r11, [type_ids]
;;   mov edx, [r11+id($a)]
;;   mov rcx, r12
;;   mov esi, 0xA0000000
;;   mov r8d, 8
;;   mov rdi, r15
;;   call libcall(GcAlloc)
;;   mov eax, eax
;;   mov rcx, [store]
;;   mov rcx, [rcx+store.heap]
;; L1:
;;   mov [rcx+rax+8], ebx
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; L2:
;;   ud2  ; AllocationTooLarge
;; routine(ArrayInit { ty: 1 })
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   mov ebx, ebx
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   mov r13d, [rdx+rbx+8]
;;   lea rcx, [rbx+r13*8+0x10]
;;   mov r11, [store]
;;   cmp rcx, [r11+store.heap_length]
;;   ja L3
;;   lea rbx, [rdx+rbx+0x10]
;;   test r12, r12
;;   jne L0
;;   shl r13, 3
;;   mov rsi, rbx
;;   mov rdx, r12
;;   mov rcx, r13
;;   mov rdi, r15
;;   call libcall(MemoryFill)
;;   jmp L2
;; L0:
;;   test r13, r13
;;   je L2
;; L1:
;;   mov [rbx], r12
;;   add rbx, 8
;;   add r13, 0xFFFFFFFFFFFFFFFF
;;   test r13, r13
;;   jne L1
;; L2:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; L3:
;;   ud2  ; ArrayOutOfBounds
