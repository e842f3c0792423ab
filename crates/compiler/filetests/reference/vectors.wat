;; Vectors in objects, in functions that have no other vector: slots are as wide as they must be.
(module
  (type $s (struct (field (mut v128) i32)))
  (type $a (array (mut v128)))
  (func $nothing)
  (func $new_default (param i32) (result (ref $s)) (call $nothing) (struct.new_default $s))
  (func $get (param (ref $s)) (result i32) (i32x4.extract_lane 1 (struct.get $s 0 (local.get 0))))
  (func $move (param (ref $s) (ref $s)) (struct.set $s 0 (local.get 0) (struct.get $s 0 (local.get 1))))
  (func $array_new (param i32) (result (ref $a)) (array.new_default $a (local.get 0)))
  (func $array_move (param (ref $a) i32 i32)
    (array.set $a (local.get 0) (local.get 1) (array.get $a (local.get 0) (local.get 2))))
  (func $array_fixed (param (ref $a)) (result (ref $a))
    (array.new_fixed $a 2 (array.get $a (local.get 0) (i32.const 0)) (array.get $a (local.get 0) (i32.const 1)))))
;;! x64
;; $nothing
;;   return
;; $new_default
;;   call $nothing
;;   mov rax, [heap]
;;   mov ecx, [rax+heap.free]
;;   mov edx, [rax+heap.end]
;;   sub edx, ecx
;;   cmp edx, 0x30
;;   jb L1
;;   lea edx, [rcx+0x30]
;;   mov [rax+heap.free], edx
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov dword ptr [rax+rcx], 0xC0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   mov [rax+rcx+4], edx
;;   mov dword ptr [rax+rcx+8], 0x30
;; L0:
;;   mov dword ptr [rax+rcx+0x20], 0
;;   xorps xmm15, xmm15
;;   movups [rax+rcx+0x10], xmm15
;;   mov eax, ecx
;;   return
;; L1:
;;   mov rdi, r15
;;   mov esi, 0xC0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   mov ecx, 0x30
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)
;;   mov r11, rax
;;   mov ecx, r11d
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   jmp L0
;;   ud2  ; StackOverflow
;; $get
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   movups xmm0, [r11+rsi+0x10]
;;   pextrd eax, xmm0, 1
;;   return
;; L0:
;;   ud2  ; NullReference
;; $move
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test edi, edi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   movups xmm0, [r11+rdi+0x10]
;;   test esi, esi
;;   je L1
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   movups [rax+rsi+0x10], xmm0
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; NullReference
;; $array_new
;;   mov [rbp-8], edx
;;   call routine(ArrayNew { ty: 1 })
;;   mov eax, eax
;;   xorps xmm15, xmm15
;;   movups [rbp-0x20], xmm15
;;   mov [rbp-0x30], eax
;;   lea rax, [rbp-0x20]
;;   mov rcx, rax
;;   mov edx, [rbp-0x30]
;;   call routine(ArrayInit { ty: 1 })
;;   mov eax, [rbp-0x30]
;;   return
;;   ud2  ; StackOverflow
;; $array_move
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp r8d, [r11+rsi+0x10]
;;   jae L1
;;   lea eax, [rsi+r8*8]
;;   lea eax, [rax+r8*8+0x20]
;;   movups xmm0, [r11+rax]
;;   test esi, esi
;;   je L2
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp edi, [r11+rsi+0x10]
;;   jae L3
;;   lea eax, [rsi+rdi*8]
;;   lea eax, [rax+rdi*8+0x20]
;;   movups [r11+rax], xmm0
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; L2:
;;   ud2  ; NullReference
;; L3:
;;   ud2  ; ArrayOutOfBounds
;; $array_fixed
;;   mov [rbp-0x10], edx
;;   mov r11, [store]
;;   mov rsi, [r11+store.heap]
;;   mov [rbp-8], rsi
;;   mov eax, 0
;;   test edx, edx
;;   je L2
;;   cmp eax, [rsi+rdx+0x10]
;;   jae L3
;;   lea ecx, [rdx+rax*8]
;;   lea ecx, [rcx+rax*8+0x20]
;;   movups xmm0, [rsi+rcx]
;;   mov eax, 1
;;   test edx, edx
;;   je L4
;;   cmp eax, [rsi+rdx+0x10]
;;   jae L5
;;   lea ecx, [rdx+rax*8]
;;   lea ecx, [rcx+rax*8+0x20]
;;   movups xmm1, [rsi+rcx]
;;   mov rax, [heap]
;;   mov ecx, [rax+heap.free]
;;   mov edi, [rax+heap.end]
;;   sub edi, ecx
;;   cmp edi, 0x40
;;   jb L1
;;   lea edi, [rcx+0x40]
;;   mov [rax+heap.free], edi
;;   mov dword ptr [rsi+rcx], 0xA0000000
;;   mov rdi, [type_ids]
;;   mov edi, [rdi+id($a)]
;;   mov [rsi+rcx+4], edi
;;   mov dword ptr [rsi+rcx+8], 0x40
;; L0:
;;   mov dword ptr [rsi+rcx+0x10], 2
;;   movups [rsi+rcx+0x30], xmm1
;;   movups [rsi+rcx+0x20], xmm0
;;   mov eax, ecx
;;   return
;; L1:
;;   mov [rbp-0x20], rsi
;;   movups [rbp-0x30], xmm0
;;   movups [rbp-0x40], xmm1
;;   mov rdi, r15
;;   mov esi, 0xA0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($a)]
;;   mov ecx, 0x40
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)  ; references at -16
;;   mov r11, rax
;;   mov rsi, [rbp-0x20]
;;   movups xmm0, [rbp-0x30]
;;   movups xmm1, [rbp-0x40]
;;   mov edx, [rbp-0x10]
;;   mov ecx, r11d
;;   jmp L0
;;   ud2  ; StackOverflow
;; L2:
;;   ud2  ; NullReference
;; L3:
;;   ud2  ; ArrayOutOfBounds
;; L4:
;;   ud2  ; NullReference
;; L5:
;;   ud2  ; ArrayOutOfBounds
