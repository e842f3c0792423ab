;; Objects are cut off the front of free space; fields are reached through the heap's base.
(module
  (type $s (struct (field (mut i32)) (field i8) (field (mut (ref null $s))) (field f64)))
  (func $new (param i32 (ref null $s) f64) (result (ref $s))
    (struct.new $s (local.get 0) (i32.const 7) (local.get 1) (local.get 2)))
  (func $get (param (ref null $s)) (result i32)
    (i32.add (struct.get $s 0 (local.get 0)) (struct.get_s $s 1 (local.get 0))))
  (func $set (param (ref $s)) (struct.set $s 2 (local.get 0) (local.get 0))))
;;! x64
;; $new
;;   mov [rbp-8], ecx
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov rax, [heap]
;;   mov edx, [rax+heap.free]
;;   mov edi, [rax+heap.end]
;;   sub edi, edx
;;   cmp edi, 0x30
;;   jb L1
;;   lea edi, [rdx+0x30]
;;   mov [rax+heap.free], edi
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov dword ptr [rax+rdx], 0xC0000000
;;   mov rdi, [type_ids]
;;   mov edi, [rdi+id($s)]
;;   mov [rax+rdx+4], edi
;;   mov dword ptr [rax+rdx+8], 0x30
;; L0:
;;   movsd [rax+rdx+0x20], xmm8
;;   mov [rax+rdx+0x18], ecx
;;   mov byte ptr [rax+rdx+0x14], 7
;;   mov [rax+rdx+0x10], esi
;;   mov eax, edx
;;   return
;; L1:
;;   mov [rbp-0x10], rsi
;;   movsd [rbp-0x18], xmm8
;;   mov rdi, r15
;;   mov esi, 0xC0000000
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   mov ecx, 0x30
;;   mov r8d, 0x10
;;   call libcall(GcAlloc)  ; references at -8
;;   mov r11, rax
;;   mov rsi, [rbp-0x10]
;;   movsd xmm8, [rbp-0x18]
;;   mov ecx, [rbp-8]
;;   mov edx, r11d
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
;;   mov eax, [r11+rsi+0x10]
;;   test esi, esi
;;   je L1
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   movsx ecx, byte ptr [r11+rsi+0x14]
;;   add eax, ecx
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; NullReference
;; $set
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov [rax+rsi+0x18], esi
;;   return
;; L0:
;;   ud2  ; NullReference
