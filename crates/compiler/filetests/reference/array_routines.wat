;; settings: routines
;; Routines over arrays, made once for each type. Elements are reached within the heap whatever a length says; new
;; arrays are cut off the front of free space or asked of the host.
(module
  (type $a (array (mut i16)))
  (data $data "0123456789")
  (func $new (param i32 i32) (result (ref $a)) (array.new $a (local.get 0) (local.get 1)))
  (func $fill (param (ref $a)) (array.fill $a (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3)))
  (func $copy (param (ref $a) (ref $a)) (array.copy $a $a (local.get 0) (i32.const 1) (local.get 1) (i32.const 2) (i32.const 3)))
  (func $from_data (param i32 i32) (result (ref $a)) (array.new_data $a $data (local.get 0) (local.get 1)))
  (func $drop (data.drop $data)))
;;! x64
;; $new
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov rdx, rcx
;;   call routine(ArrayNew { ty: 0 })
;;   mov eax, eax
;;   mov r11d, [rbp-8]
;;   mov [rbp-0x18], r11d
;;   mov [rbp-0x20], eax
;;   mov edx, [rbp-0x20]
;;   mov ecx, [rbp-0x18]
;;   call routine(ArrayInit { ty: 0 })
;;   mov eax, [rbp-0x20]
;;   return
;;   ud2  ; StackOverflow
;; $fill
;;   mov [rbp-8], edx
;;   mov ecx, 1
;;   mov r8d, 2
;;   mov r9d, 3
;;   call routine(ArrayFill { ty: 0 })
;;   return
;;   ud2  ; StackOverflow
;; $copy
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov r8, rcx
;;   mov ecx, 1
;;   mov r9d, 2
;;   mov edi, 3
;;   call routine(ArrayCopy { ty: 0 })
;;   return
;;   ud2  ; StackOverflow
;; $from_data
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov [rbp-0x18], edx
;;   mov [rbp-0x20], ecx
;;   mov edx, [rbp-0x18]
;;   mov ecx, [rbp-0x20]
;;   call routine(ArrayCheckData { ty: 0, segment: 0 })
;;   mov edx, [rbp-0x20]
;;   call routine(ArrayNew { ty: 0 })
;;   mov eax, eax
;;   mov [rbp-0x28], eax
;;   mov edx, [rbp-0x28]
;;   mov ecx, 0
;;   mov r8d, [rbp-0x18]
;;   mov r9d, [rbp-0x20]
;;   call routine(ArrayInitData { ty: 0, segment: 0 })
;;   mov eax, [rbp-0x28]
;;   return
;;   ud2  ; StackOverflow
;; $drop
;;   call data_drop(0)
;;   return
;;   ud2  ; StackOverflow
;; routine(ArrayNew { ty: 0 })
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
;;   cmp ebx, 0x7FFFFFF5
;;   ja L2
;;   mov r12, rbx
;;   shl r12, 1
;;   add r12, 0x14
;;   lea r13, [r12+0xF]
;;   and r13, 0xFFFFFFFFFFFFFFF0
;;   mov rdx, [heap]
;;   mov eax, [rdx+heap.free]
;;   mov r8d, [rdx+heap.end]
;;   sub r8, rax
;;   cmp r8, r13
;;   jb L0
;;   lea r8, [rax+r13]
;;   mov [rdx+heap.free], r8d
;;   mov rcx, [store]
;;   mov rcx, [rcx+store.heap]
;;   mov dword ptr [rcx+rax], 0xA0000000
;;   mov [rcx+rax+8], r13d
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($a)]
;;   mov [rcx+rax+4], edx
;;   jmp L1
;; L0:
;;   mov r11, [type_ids]
;;   mov edx, [r11+id($a)]
;;   mov rcx, r12
;;   mov esi, 0xA0000000
;;   mov r8d, 0x10
;;   mov rdi, r15
;;   call libcall(GcAlloc)
;;   mov eax, eax
;;   mov rcx, [store]
;;   mov rcx, [rcx+store.heap]
;; L1:
;;   mov [rcx+rax+0x10], ebx
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; L2:
;;   ud2  ; AllocationTooLarge
;; routine(ArrayInit { ty: 0 })
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
;;   mov r13d, [rdx+rbx+0x10]
;;   lea rcx, [rbx+r13*2+0x14]
;;   mov r11, [store]
;;   cmp rcx, [r11+store.heap_length]
;;   ja L3
;;   lea rbx, [rdx+rbx+0x14]
;;   test r12, r12
;;   jne L0
;;   shl r13, 1
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
;;   mov [rbx], r12w
;;   add rbx, 2
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
;; routine(ArrayFill { ty: 0 })
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   mov r13d, r9d
;;   mov ebx, ebx
;;   mov r12d, r12d
;;   test ebx, ebx
;;   je L3
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   mov edx, [rdx+rbx+0x10]
;;   sub rdx, r12
;;   cmp rdx, r13
;;   jl L4
;;   lea rdx, [r12+r13]
;;   shl rdx, 1
;;   lea rdx, [rdx+rbx+0x14]
;;   mov r11, [store]
;;   cmp rdx, [r11+store.heap_length]
;;   ja L4
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   add rbx, rdx
;;   lea rbx, [rbx+r12*2+0x14]
;;   mov r12, r8
;;   test r12, r12
;;   jne L0
;;   shl r13, 1
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
;;   mov [rbx], r12w
;;   add rbx, 2
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
;;   ud2  ; NullReference
;; L4:
;;   ud2  ; ArrayOutOfBounds
;; routine(ArrayCopy { ty: 0 })
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   mov r13d, edi
;;   mov ebx, ebx
;;   mov r12d, r12d
;;   mov r8d, r8d
;;   mov r9d, r9d
;;   test ebx, ebx
;;   je L0
;;   test r8d, r8d
;;   je L0
;;   test ebx, ebx
;;   je L0
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   mov edx, [rdx+rbx+0x10]
;;   sub rdx, r12
;;   cmp rdx, r13
;;   jl L1
;;   lea rdx, [r12+r13]
;;   shl rdx, 1
;;   lea rdx, [rdx+rbx+0x14]
;;   mov r11, [store]
;;   cmp rdx, [r11+store.heap_length]
;;   ja L1
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   add rbx, rdx
;;   lea rbx, [rbx+r12*2+0x14]
;;   test r8d, r8d
;;   je L0
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   mov edx, [rdx+r8+0x10]
;;   sub rdx, r9
;;   cmp rdx, r13
;;   jl L1
;;   lea rdx, [r9+r13]
;;   shl rdx, 1
;;   lea rdx, [rdx+r8+0x14]
;;   mov r11, [store]
;;   cmp rdx, [r11+store.heap_length]
;;   ja L1
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   add r8, rdx
;;   lea r8, [r8+r9*2+0x14]
;;   mov r12, r8
;;   shl r13, 1
;;   mov rsi, rbx
;;   mov rdx, r12
;;   mov rcx, r13
;;   mov rdi, r15
;;   call libcall(MemoryCopy)
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; routine(ArrayCheckData { ty: 0, segment: 0 })
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
;;   mov r12d, r12d
;;   call data(0)
;;   lea rdx, [rbx+r12*2]
;;   cmp rcx, rdx
;;   jb L0
;;   add rbx, rax
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; routine(ArrayInitData { ty: 0, segment: 0 })
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
;;   mov r12d, r12d
;;   mov r9d, r9d
;;   test ebx, ebx
;;   je L0
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   mov edx, [rdx+rbx+0x10]
;;   sub rdx, r12
;;   cmp rdx, r9
;;   jl L1
;;   lea rdx, [r12+r9]
;;   shl rdx, 1
;;   lea rdx, [rdx+rbx+0x14]
;;   mov r11, [store]
;;   cmp rdx, [r11+store.heap_length]
;;   ja L1
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   add rbx, rdx
;;   lea rbx, [rbx+r12*2+0x14]
;;   mov r13d, r13d
;;   mov r9d, r9d
;;   call data(0)
;;   lea rdx, [r13+r9*2]
;;   cmp rcx, rdx
;;   jb L2
;;   add r13, rax
;;   shl r9, 1
;;   mov rcx, r9
;;   mov rsi, rbx
;;   mov rdx, r13
;;   mov rdi, r15
;;   call libcall(MemoryCopy)
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; L2:
;;   ud2  ; MemoryOutOfBounds
