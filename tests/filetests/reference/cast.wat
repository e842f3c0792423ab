;; Tests compare the id of the type, those of known subtypes, and ask the host last; of final types the id is all.
(module
  (type $s (sub (struct)))
  (type $t (sub final $s (struct (field i32))))
  (func $test (param anyref) (result i32) (ref.test (ref $s) (local.get 0)))
  (func $cast (param anyref) (result (ref null $t)) (ref.cast (ref null $t) (local.get 0)))
  (func $kind (param anyref) (result i32) (ref.test (ref struct) (local.get 0)))
  (func $i31 (param anyref) (result i32) (i31.get_s (ref.cast (ref i31) (local.get 0))))
  (func $branch (param anyref) (result i32)
    (block (result anyref) (br_on_cast 0 anyref (ref $t) (local.get 0)) (drop) (return (i32.const 0))) (drop) (i32.const 1)))
;; x64:
;; $test
;;   mov [rbp-8], edx
;;   test edx, edx
;;   je L2
;;   test dl, 1
;;   jne L2
;;   mov r11, [r15+8]
;;   mov r11, [r11+0x20]
;;   mov ecx, [r11+rdx+4]
;;   mov r11, [r15+0x28]
;;   cmp ecx, [r11]
;;   je L1
;;   mov r11, [r15+0x28]
;;   cmp ecx, [r11+4]
;;   je L1
;;   jmp L4
;; L0:
;;   test ecx, ecx
;;   je L2
;; L1:
;;   mov eax, 1
;;   jmp L3
;; L2:
;;   xor eax, eax
;; L3:
;;   leave
;;   ret
;; L4:
;;   mov [rbp-0x10], rax
;;   mov [rbp-0x18], rdx
;;   mov rsi, rcx
;;   mov rdi, r15
;;   mov rdx, [r15+0x28]
;;   mov edx, [rdx]
;;   call elsewhere
;;   mov r11, rax
;;   mov rax, [rbp-0x10]
;;   mov rdx, [rbp-0x18]
;;   mov ecx, r11d
;;   jmp L0
;;   ud2
;; $cast
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   jne L1
;;   mov r11, [r15+8]
;;   mov r11, [r11+0x20]
;;   mov eax, [r11+rsi+4]
;;   mov r11, [r15+0x28]
;;   cmp eax, [r11+4]
;;   jne L1
;; L0:
;;   mov eax, esi
;;   leave
;;   ret
;; L1:
;;   ud2
;; $kind
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   jne L0
;;   mov r11, [r15+8]
;;   mov r11, [r11+0x20]
;;   mov ecx, [r11+rsi]
;;   and ecx, 0xB0000000
;;   cmp ecx, 0xB0000000
;;   jne L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   xor eax, eax
;; L1:
;;   leave
;;   ret
;; $i31
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   je L0
;;   test esi, esi
;;   je L1
;;   mov eax, esi
;;   sar eax, 1
;;   leave
;;   ret
;; L0:
;;   ud2
;; L1:
;;   ud2
;; $branch
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   jne L0
;;   mov r11, [r15+8]
;;   mov r11, [r11+0x20]
;;   mov ecx, [r11+rsi+4]
;;   mov r11, [r15+0x28]
;;   cmp ecx, [r11+4]
;;   jne L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   xor eax, eax
;; L1:
;;   test eax, eax
;;   mov eax, esi
;;   jne L2
;;   mov eax, 0
;;   jmp L3
;; L2:
;;   mov eax, 1
;; L3:
;;   leave
;;   ret
