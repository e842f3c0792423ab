;; settings: heap-checks
;; Without guard pages each access to an object is compared with the length of the heap, which may be elsewhere after a
;; call.
(module
  (type $s (struct (field (mut i32))))
  (type $a (array (mut i64)))
  (func $get (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0)))
  (func $set (param (ref $a) i32 i64) (array.set $a (local.get 0) (local.get 1) (local.get 2)))
  (func $across (param (ref $s)) (result i32)
    (struct.set $s 0 (local.get 0) (i32.const 1))
    (call $nothing)
    (struct.get $s 0 (local.get 0)))
  (func $nothing))
;;! x64
;; $get
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap_length]
;;   sub r11, 0x14
;;   cmp r11, rsi
;;   jl L1
;;   mov r11d, 0
;;   cmovl rsi, r11
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov eax, [r11+rsi+0x10]
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; MemoryOutOfBounds
;; $set
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   test esi, esi
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap_length]
;;   sub r11, 0x14
;;   cmp r11, rsi
;;   jl L1
;;   mov r11d, 0
;;   cmovl rsi, r11
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   cmp edi, [r11+rsi+0x10]
;;   jae L2
;;   lea eax, [rsi+rdi*8+0x18]
;;   mov r11, [store]
;;   mov r11, [r11+store.heap_length]
;;   sub r11, 8
;;   cmp r11, rax
;;   jl L3
;;   mov r11d, 0
;;   cmovl rax, r11
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov [r11+rax], r8
;;   return
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; MemoryOutOfBounds
;; L2:
;;   ud2  ; ArrayOutOfBounds
;; L3:
;;   ud2  ; MemoryOutOfBounds
;; $across
;;   mov [rbp-8], edx
;;   test edx, edx
;;   je L0
;;   mov r11, [store]
;;   mov r11, [r11+store.heap_length]
;;   sub r11, 0x14
;;   cmp r11, rdx
;;   jl L1
;;   mov r11d, 0
;;   cmovl rdx, r11
;;   mov r11, [store]
;;   mov rax, [r11+store.heap]
;;   mov dword ptr [rax+rdx+0x10], 1
;;   call $nothing  ; references at -8
;;   mov eax, [rbp-8]
;;   test eax, eax
;;   je L2
;;   mov r11, [store]
;;   mov r11, [r11+store.heap_length]
;;   sub r11, 0x14
;;   cmp r11, rax
;;   jl L3
;;   mov r11d, 0
;;   cmovl rax, r11
;;   mov r11, [store]
;;   mov r11, [r11+store.heap]
;;   mov eax, [r11+rax+0x10]
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; NullReference
;; L1:
;;   ud2  ; MemoryOutOfBounds
;; L2:
;;   ud2  ; NullReference
;; L3:
;;   ud2  ; MemoryOutOfBounds
;; $nothing
;;   return
