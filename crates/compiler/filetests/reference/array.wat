;; Elements are checked against the length in the object; arrays are made and copied by routines.
(module
  (type $a (array (mut i32)))
  (func $get (param (ref $a) i32) (result i32) (array.get $a (local.get 0) (local.get 1)))
  (func $set (param (ref $a) i32 i32) (array.set $a (local.get 0) (local.get 1) (local.get 2)))
  (func $len (param (ref $a)) (result i32) (array.len (local.get 0)))
  (func $new (param i32) (result (ref $a)) (array.new_default $a (local.get 0)))
  (func $fixed (param i32) (result (ref $a)) (array.new_fixed $a 2 (local.get 0) (i32.const 5)))
  (func $copy (param (ref $a) i32 i32) (array.copy $a $a (local.get 0) (i32.const 0) (local.get 0) (local.get 1) (local.get 2))))
;;! x64
;; $get
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp edi, [r11+rsi+0x10]
;;   jae L1
;;   lea eax, [rsi+rdi*4+0x14]
;;   mov eax, [r11+rax]
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; $set
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp edi, [r11+rsi+0x10]
;;   jae L1
;;   lea eax, [rsi+rdi*4+0x14]
;;   mov [r11+rax], r8d
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; $len
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov eax, [r11+rsi+0x10]
;;   return
;; L0:
;;   ud2  ; NullReference
;; $new
;;   mov [rbp-8], edx
;;   call routine(ArrayNew { ty: 0 })
;;   mov eax, eax
;;   mov dword ptr [rbp-0x10], 0
;;   mov [rbp-0x18], eax
;;   mov edx, [rbp-0x18]
;;   mov ecx, [rbp-0x10]
;;   call routine(ArrayInit { ty: 0 })
;;   mov eax, [rbp-0x18]
;;   return
;;   ud2  ; StackOverflow
;; $fixed
;;   mov rsi, rdx
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
;;   mov dword ptr [rax+rcx+0x18], 5
;;   mov [rax+rcx+0x14], esi
;;   mov eax, ecx
;;   return
;; L1:
;;   mov [rbp-8], rsi
;;   mov rdi, r15
;;   mov esi, 0xA0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($a)]
;;   mov ecx, 0x20
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)
;;   mov r11, rax
;;   mov rsi, [rbp-8]
;;   mov ecx, r11d
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $copy
;;   mov [rbp-0x18], edx
;;   mov [rbp-8], ecx
;;   mov [rbp-0x10], r8d
;;   mov rdi, r8
;;   mov r9, rcx
;;   mov r8, rdx
;;   mov ecx, 0
;;   call routine(ArrayCopy { ty: 0 })
;;   return
;;   ud2  ; StackOverflow
