;; Fields and elements that keep the lower bits of a number, and tests that null passes.
(module
  (type $s (struct (field (mut i8)) (field (mut i16))))
  (type $a (array (mut i8)))
  (func $new (result (ref $s)) (struct.new_default $s))
  (func $get_u (param (ref $s)) (result i32) (i32.add (struct.get_u $s 0 (local.get 0)) (struct.get_s $s 1 (local.get 0))))
  (func $set (param (ref $s) i32) (struct.set $s 1 (local.get 0) (local.get 1)))
  (func $array_get_s (param (ref $a) i32) (result i32) (array.get_s $a (local.get 0) (local.get 1)))
  (func $array_get_u (param (ref $a) i32) (result i32) (array.get_u $a (local.get 0) (local.get 1)))
  (func $is_null_or (param anyref) (result i32) (ref.test (ref null $s) (local.get 0)))
  (func $branch (param anyref) (result i32)
    (block (result anyref) (br_on_cast_fail 0 anyref (ref $s) (local.get 0)) (drop) (return (i32.const 0))) (drop)
    (i32.const 1)))
;;! x64
;; $new
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
;;   mov word ptr [rax+rcx+0x12], 0
;;   mov byte ptr [rax+rcx+0x10], 0
;;   mov eax, ecx
;;   return
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
;;   ud2  ; StackOverflow
;; $get_u
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   movzx eax, byte ptr [r11+rsi+0x10]
;;   test esi, esi
;;   je L1
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   movsx ecx, word ptr [r11+rsi+0x12]
;;   add eax, ecx
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; NullReference
;; $set
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov [rax+rsi+0x12], di
;;   return
;; L0:
;;   ud2  ; NullReference
;; $array_get_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp edi, [r11+rsi+0x10]
;;   jae L1
;;   lea eax, [rsi+rdi+0x14]
;;   movsx eax, byte ptr [r11+rax]
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; $array_get_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp edi, [r11+rsi+0x10]
;;   jae L1
;;   lea eax, [rsi+rdi+0x14]
;;   movzx eax, byte ptr [r11+rax]
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; ArrayOutOfBounds
;; $is_null_or
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   jne L1
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov ecx, [r11+rsi+4]
;;   mov r11, [type_ids]
;;   cmp ecx, [r11+id($s)]
;;   jne L1
;; L0:
;;   mov eax, 1
;;   jmp L2
;; L1:
;;   xor eax, eax
;; L2:
;;   return
;; $branch
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   jne L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov ecx, [r11+rsi+4]
;;   mov r11, [type_ids]
;;   cmp ecx, [r11+id($s)]
;;   jne L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   xor eax, eax
;; L1:
;;   test eax, eax
;;   mov eax, esi
;;   je L2
;;   mov eax, 0
;;   jmp L3
;; L2:
;;   mov eax, 1
;; L3:
;;   return
