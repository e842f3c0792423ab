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
;;! x64
;; $test
;;   mov [rbp-8], edx
;;   test edx, edx
;;   je L2
;;   test dl, 1
;;   jne L2
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov ecx, [r11+rdx+4]
;;   mov r11, [type_ids]
;;   cmp ecx, [r11+id($s)]
;;   je L1
;;   mov r11, [type_ids]
;;   cmp ecx, [r11+id($t)]
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
;;   return
;; L4:
;;   mov [rbp-0x10], rax
;;   mov [rbp-0x18], rdx
;;   mov rsi, rcx
;;   mov rdi, r15
;;   mov rdx, [type_ids]
;;   mov edx, [rdx+id($s)]
;;   call libcall(IsSubtype)
;;   mov r11, rax
;;   mov rax, [rbp-0x10]
;;   mov rdx, [rbp-0x18]
;;   mov ecx, r11d
;;   jmp L0
;;   ud2  ; StackOverflow
;; $cast
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   jne L1
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov eax, [r11+rsi+4]
;;   mov r11, [type_ids]
;;   cmp eax, [r11+id($t)]
;;   jne L1
;; L0:
;;   mov eax, esi
;;   return
;; L1:
;;   ud2  ; CastFailure
;; $kind
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   jne L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov ecx, [r11+rsi]
;;   and ecx, 0xC0000000
;;   cmp ecx, 0xC0000000
;;   jne L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   xor eax, eax
;; L1:
;;   return
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
;;   return
;; L0:
;;   ud2  ; CastFailure
;; L1:
;;   ud2  ; NullReference
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
;;   cmp ecx, [r11+id($t)]
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
;;   return
