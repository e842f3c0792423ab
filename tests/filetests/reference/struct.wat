;; Objects are cut off the front of free space; fields are reached through the heap's base.
(module
  (type $s (struct (field (mut i32)) (field i8) (field (mut (ref null $s))) (field f64)))
  (func $new (param i32 (ref null $s) f64) (result (ref $s))
    (struct.new $s (local.get 0) (i32.const 7) (local.get 1) (local.get 2)))
  (func $get (param (ref null $s)) (result i32)
    (i32.add (struct.get $s 0 (local.get 0)) (struct.get_s $s 1 (local.get 0))))
  (func $set (param (ref $s)) (struct.set $s 2 (local.get 0) (local.get 0))))
;; x64:
;; $new
;;   mov [rbp-8], edx
;;   mov [rbp-0x18], ecx
;;   movsd [rbp-0x10], xmm0
;;   mov rax, [r15+0x20]
;;   mov esi, [rax]
;;   mov edi, [rax+4]
;;   sub edi, esi
;;   cmp edi, 0x30
;;   jb L1
;;   lea edi, [rsi+0x30]
;;   mov [rax], edi
;;   mov r11, [r15+8]
;;   mov rax, [r11+0x20]
;;   mov dword ptr [rax+rsi], 0xB0000022
;;   mov rdi, [r15+0x28]
;;   mov edi, [rdi]
;;   mov [rax+rsi+4], edi
;;   mov dword ptr [rax+rsi+8], 0x30
;; L0:
;;   movsd [rax+rsi+0x20], xmm0
;;   mov [rax+rsi+0x18], ecx
;;   mov byte ptr [rax+rsi+0x14], 7
;;   mov [rax+rsi+0x10], edx
;;   mov eax, esi
;;   leave
;;   ret
;; L1:
;;   mov [rbp-0x20], rdx
;;   movsd [rbp-0x28], xmm0
;;   mov rdi, r15
;;   mov esi, 0xB0000022
;;   mov rdx, [r15+0x28]
;;   mov edx, [rdx]
;;   mov ecx, 0x30
;;   mov r8d, 0x10
;;   call elsewhere
;;   mov r11, rax
;;   mov rdx, [rbp-0x20]
;;   movsd xmm0, [rbp-0x28]
;;   mov ecx, [rbp-0x18]
;;   mov esi, r11d
;;   mov r11, [r15+8]
;;   mov rax, [r11+0x20]
;;   jmp L0
;;   ud2
;; $get
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov r11, [r15+8]
;;   mov r11, [r11+0x20]
;;   mov eax, [r11+rsi+0x10]
;;   test esi, esi
;;   je L1
;;   mov r11, [r15+8]
;;   mov r11, [r11+0x20]
;;   movsx ecx, byte ptr [r11+rsi+0x14]
;;   add eax, ecx
;;   leave
;;   ret
;; L0:
;;   ud2
;; L1:
;;   ud2
;; $set
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov r11, [r15+8]
;;   mov rax, [r11+0x20]
;;   mov [rax+rsi+0x18], esi
;;   leave
;;   ret
;; L0:
;;   ud2
