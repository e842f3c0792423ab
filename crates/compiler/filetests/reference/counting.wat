;; settings: counting routines
;; A collector that counts references is told of each that is read from memory or written to it, by routines.
(module
  (type $s (struct (field (mut anyref))))
  (type $a (array (mut anyref)))
  (global $g (mut anyref) (ref.null any))
  (func $get (param (ref $s)) (result anyref) (struct.get $s 0 (local.get 0)))
  (func $set (param (ref $s) anyref) (struct.set $s 0 (local.get 0) (local.get 1)))
  (func $array_get (param (ref $a) i32) (result anyref) (array.get $a (local.get 0) (local.get 1)))
  (func $array_set (param (ref $a) i32 anyref) (array.set $a (local.get 0) (local.get 1) (local.get 2)))
  (func $array_fixed (param anyref) (result (ref $a)) (array.new_fixed $a 1 (local.get 0)))
  (func $global (global.set $g (global.get $g)))
  (func $new (param anyref) (result (ref $s)) (struct.new $s (local.get 0))))
;;! x64
;; $get
;;   mov [rbp-8], edx
;;   test edx, edx
;;   je L2
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov eax, [r11+rdx+0x18]
;;   test eax, eax
;;   je L0
;;   test al, 1
;;   jne L0
;;   mov r11, [store]
;;   mov rcx, [r11+store.heap]
;;   mov ecx, [rcx+rax]
;;   test cl, 1
;;   je L1
;; L0:
;;   return
;; L1:
;;   mov [rbp-0x10], eax
;;   mov rdx, rax
;;   call routine(Expose)  ; references at -16 -8
;;   mov edx, [rbp-8]
;;   mov eax, [rbp-0x10]
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; NullReference
;; $set
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   test edx, edx
;;   je L0
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   lea rax, [rax+rdx+0x18]
;;   mov rdx, rax
;;   call routine(SetReference)
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; NullReference
;; $array_get
;;   mov [rbp-0x10], edx
;;   mov [rbp-8], ecx
;;   test edx, edx
;;   je L2
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp ecx, [r11+rdx+0x18]
;;   jae L3
;;   lea eax, [rdx+rcx*4+0x1C]
;;   mov eax, [r11+rax]
;;   test eax, eax
;;   je L0
;;   test al, 1
;;   jne L0
;;   mov r11, [store]
;;   mov rsi, [r11+store.heap]
;;   mov esi, [rsi+rax]
;;   test sil, 1
;;   je L1
;; L0:
;;   return
;; L1:
;;   mov [rbp-0x20], rcx
;;   mov [rbp-0x18], eax
;;   mov rdx, rax
;;   call routine(Expose)  ; references at -24 -16
;;   mov rcx, [rbp-0x20]
;;   mov edx, [rbp-0x10]
;;   mov eax, [rbp-0x18]
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; NullReference
;; L3:
;;   ud2  ; ArrayOutOfBounds
;; $array_set
;;   mov [rbp-0x10], edx
;;   mov [rbp-8], ecx
;;   mov [rbp-0x18], r8d
;;   test edx, edx
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp ecx, [r11+rdx+0x18]
;;   jae L1
;;   lea eax, [rdx+rcx*4+0x1C]
;;   lea rax, [r11+rax]
;;   mov rcx, r8
;;   mov rdx, rax
;;   call routine(SetReference)
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; $array_fixed
;;   mov [rbp-8], edx
;;   mov rdi, r15
;;   mov esi, 0xA0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($a)]
;;   mov ecx, 0x20
;;   mov r8d, 8
;;   call libcall(GcAlloc)  ; references at -8
;;   mov eax, eax
;;   mov r11, [store]
;;   mov rcx, [r11+store.heap]
;;   mov dword ptr [rcx+rax+0x18], 1
;;   mov edx, [rbp-8]
;;   test edx, edx
;;   je L0
;;   test dl, 1
;;   jne L0
;;   add qword ptr [rcx+rdx+0x10], 1
;; L0:
;;   mov [rcx+rax+0x1C], edx
;;   return
;;   ud2  ; StackOverflow
;; $global
;;   mov eax, [global0]
;;   test eax, eax
;;   je L0
;;   test al, 1
;;   jne L0
;;   mov r11, [store]
;;   mov rcx, [r11+store.heap]
;;   mov ecx, [rcx+rax]
;;   test cl, 1
;;   je L1
;; L0:
;;   lea rcx, [global0]
;;   mov rdx, rcx
;;   mov rcx, rax
;;   call routine(SetReference)
;;   return
;; L1:
;;   mov [rbp-8], eax
;;   mov rdx, rax
;;   call routine(Expose)  ; references at -8
;;   mov eax, [rbp-8]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $new
;;   mov [rbp-8], edx
;;   mov rdi, r15
;;   mov esi, 0xC0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   mov ecx, 0x20
;;   mov r8d, 8
;;   call libcall(GcAlloc)  ; references at -8
;;   mov eax, eax
;;   mov r11, [store]
;;   mov rcx, [r11+store.heap]
;;   mov edx, [rbp-8]
;;   test edx, edx
;;   je L0
;;   test dl, 1
;;   jne L0
;;   add qword ptr [rcx+rdx+0x10], 1
;; L0:
;;   mov [rcx+rax+0x18], edx
;;   return
;;   ud2  ; StackOverflow
;; routine(SetReference)
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   mov r13d, [rbx]
;;   test r12d, r12d
;;   je L0
;;   test r12b, 1
;;   jne L0
;;   add qword ptr [rdx+r12+0x10], 1
;; L0:
;;   mov [rbx], r12d
;;   test r13d, r13d
;;   je L2
;;   test r13b, 1
;;   jne L2
;;   mov rcx, [rdx+r13+0x10]
;;   add rcx, 0xFFFFFFFFFFFFFFFF
;;   test rcx, rcx
;;   je L1
;;   mov [rdx+r13+0x10], rcx
;;   jmp L2
;; L1:
;;   mov rsi, r13
;;   mov rdi, r15
;;   call libcall(GcDrop)
;; L2:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
;; routine(Expose)
;;   push rbp
;;   mov rbp, rsp
;;   sub rsp, 0x20
;;   mov [rbp-8], rbx
;;   mov rbx, rdx
;;   mov [rbp-0x10], r12
;;   mov r12, rcx
;;   mov [rbp-0x18], r13
;;   mov r13, r8
;;   mov rdx, [store]
;;   mov rdx, [rdx+store.heap]
;;   mov rcx, [heap]
;;   mov r8d, [rcx+heap.list]
;;   mov [rdx+rbx+8], r8d
;;   mov r8d, [rdx+rbx]
;;   add qword ptr [rdx+rbx+0x10], 1
;;   or r8d, 1
;;   mov [rdx+rbx], r8d
;;   mov [rcx+heap.list], ebx
;;   mov r8d, [rcx+heap.list_length]
;;   add r8d, 1
;;   mov [rcx+heap.list_length], r8d
;;   cmp r8d, 0x400
;;   jb L0
;;   mov edx, [rcx+heap.length_after]
;;   lea rdx, [rdx+rdx]
;;   cmp r8, rdx
;;   jb L0
;;   mov rdi, r15
;;   call libcall(GcCollect)
;; L0:
;;   mov rbx, [rbp-8]
;;   mov r12, [rbp-0x10]
;;   mov r13, [rbp-0x18]
;;   xor eax, eax
;;   leave
;;   ret
;;   ud2  ; TableOutOfBounds
