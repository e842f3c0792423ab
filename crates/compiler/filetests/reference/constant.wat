;; settings: routines
;; A constant expression that makes an object is the body of a routine.
(module
  (type $s (struct (field i32 f64)))
  (type $a (array i32))
  (global $s (ref $s) (struct.new $s (i32.const 1) (f64.const 2)))
  (global $a (ref $a) (array.new_fixed $a 2 (i32.const 3) (i32.const 4)))
  (func $get (result i32) (struct.get $s 0 (global.get $s))))
;;! x64
;; $get
;;   mov eax, [global0]
;;   test eax, eax
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov eax, [r11+rax+0x10]
;;   return
;; L0:
;;   ud2  ; NullReference
;; routine(Constant { index: 0 })
;;   push rbp
;;   mov rbp, rsp
;;   padding
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L2
;;   mov rax, [heap]
;;   mov ecx, [rax+heap.free]
;;   mov edx, [rax+heap.end]
;;   sub edx, ecx
;;   cmp edx, 0x20
;;   jb L1
;;   lea edx, [rcx+0x20]
;;   mov [rax+heap.free], edx
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov dword ptr [rax+rcx], 0xC0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   mov [rax+rcx+4], edx
;;   mov dword ptr [rax+rcx+8], 0x20
;; L0:
;;   mov r11, 0x4000000000000000
;;   mov [rax+rcx+0x18], r11
;;   mov dword ptr [rax+rcx+0x10], 1
;;   mov eax, ecx
;;   leave
;;   ret
;; L1:
;;   mov rdi, r15
;;   mov esi, 0xC0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   mov ecx, 0x20
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)
;;   mov r11, rax
;;   mov ecx, r11d
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   jmp L0
;; L2:
;;   ud2  ; StackOverflow
;; routine(Constant { index: 1 })
;;   push rbp
;;   mov rbp, rsp
;;   padding
;;   mov r11, [store]
;;   cmp rsp, [r11+store.stack_limit]
;;   jb L2
;;   mov rax, [heap]
;;   mov ecx, [rax+heap.free]
;;   mov edx, [rax+heap.end]
;;   sub edx, ecx
;;   cmp edx, 0x20
;;   jb L1
;;   lea edx, [rcx+0x20]
;;   mov [rax+heap.free], edx
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov dword ptr [rax+rcx], 0xA0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($a)]
;;   mov [rax+rcx+4], edx
;;   mov dword ptr [rax+rcx+8], 0x20
;; L0:
;;   mov dword ptr [rax+rcx+0x10], 2
;;   mov dword ptr [rax+rcx+0x18], 4
;;   mov dword ptr [rax+rcx+0x14], 3
;;   mov eax, ecx
;;   leave
;;   ret
;; L1:
;;   mov rdi, r15
;;   mov esi, 0xA0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($a)]
;;   mov ecx, 0x20
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)
;;   mov r11, rax
;;   mov ecx, r11d
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   jmp L0
;; L2:
;;   ud2  ; StackOverflow
