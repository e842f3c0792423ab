;; What a thread keeps for itself is read and written in place.
(module
  (import "component" "context.get 0" (func $get0 (result i32)))
  (import "component" "context.get 1" (func $get1 (result i32)))
  (import "component" "context.set 0" (func $set0 (param i32)))
  (import "component" "context.set 1" (func $set1 (param i32)))
  (import "" "realloc" (func $realloc (param i32) (result i32)))

  (func $get (result i32) (call $get1))
  (func $set (param i32) (call $set0 (local.get 0)))
  (func $constant (call $set1 (i32.const -2)))
  (func $leaf (param i32) (result i32)
    (call $set1 (i32.add (local.get 0) (i32.const 1)))
    (i32.add (local.get 0) (call $get0)))

  ;; As adapters do around a call that must not see it.
  (func $around (param i32) (result i32) (local i32 i32)
    (local.set 1 (call $get0))
    (local.set 2 (call $get1))
    (call $set0 (i32.const 0))
    (call $set1 (i32.const 0))
    (call $realloc (local.get 0))
    (call $set0 (local.get 1))
    (call $set1 (local.get 2)))

  ;; A condition does not wait across it, and what is read is 0-extended.
  (func $condition (param i32) (result i64)
    (if (i32.lt_s (call $get0) (local.get 0)) (then (call $set0 (i32.eqz (local.get 0)))))
    (i64.extend_i32_u (call $get1)))

  (func $tail (result i32) (return_call $get0)))
;;! x64
;; $get
;;   mov r11, [store]
;;   mov eax, [r11+store.context1]
;;   return
;; $set
;;   mov rsi, rdx
;;   mov r11, [store]
;;   mov [r11+store.context0], esi
;;   return
;; $constant
;;   mov r11, [store]
;;   mov dword ptr [r11+store.context1], 0xFFFFFFFE
;;   return
;; $leaf
;;   mov rsi, rdx
;;   lea eax, [rsi+1]
;;   mov r11, [store]
;;   mov [r11+store.context1], eax
;;   mov r11, [store]
;;   mov eax, [r11+store.context0]
;;   lea ecx, [rsi+rax]
;;   mov eax, ecx
;;   return
;; $around
;;   mov [rbp-0x18], edx
;;   mov r11, [store]
;;   mov eax, [r11+store.context0]
;;   mov r11, [store]
;;   mov ecx, [r11+store.context1]
;;   mov r11, [store]
;;   mov dword ptr [r11+store.context0], 0
;;   mov r11, [store]
;;   mov dword ptr [r11+store.context1], 0
;;   mov [rbp-8], eax
;;   mov [rbp-0x10], ecx
;;   mov rdi, [func4.context]
;;   mov rsi, r15
;;   mov r11, [func4.code]
;;   call r11
;;   mov eax, eax
;;   mov ecx, [rbp-8]
;;   mov r11, [store]
;;   mov [r11+store.context0], ecx
;;   mov ecx, [rbp-0x10]
;;   mov r11, [store]
;;   mov [r11+store.context1], ecx
;;   return
;;   ud2  ; StackOverflow
;; $condition
;;   mov rsi, rdx
;;   mov r11, [store]
;;   mov eax, [r11+store.context0]
;;   cmp eax, esi
;;   jge L0
;;   test esi, esi
;;   sete al
;;   movzx eax, al
;;   mov r11, [store]
;;   mov [r11+store.context0], eax
;; L0:
;;   mov r11, [store]
;;   mov eax, [r11+store.context1]
;;   return
;; $tail
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov rax, [func0.code]
;;   leave
;;   jmp rax
;;   ud2  ; StackOverflow
