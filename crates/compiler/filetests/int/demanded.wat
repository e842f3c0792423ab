;; Locals without homes whose copies are in registers that an operation demands are read there.
(module
  (import "" "f" (func $f (param i32 i32 i32) (result i32)))
  (import "" "g" (func $g (param i64 i64 i64) (result i64)))
  (func $dividend (param i32 i32 i32) (result i32) (local i32)
    (local.set 3 (call $f (local.get 0) (local.get 1) (local.get 2)))
    (drop (call $f (local.get 0) (local.get 1) (i32.div_u (local.get 3) (local.get 2))))
    (i32.add (local.get 0) (i32.add (local.get 1) (local.get 2))))
  (func $divisor (param i32 i32 i32) (result i32) (local i32)
    (local.set 3 (call $f (local.get 0) (local.get 1) (local.get 2)))
    (drop (call $f (local.get 0) (local.get 1) (i32.div_u (local.get 2) (local.get 3))))
    (i32.add (local.get 0) (i32.add (local.get 1) (local.get 2))))
  (func $both (param i32 i32 i32) (result i32) (local i32)
    (local.set 3 (call $f (local.get 0) (local.get 1) (local.get 2)))
    (drop (call $f (local.get 0) (local.get 1) (i32.rem_u (local.get 3) (local.get 3))))
    (i32.add (i32.add (local.get 2) (local.get 0)) (i32.add (local.get 1) (local.get 2))))
  (func $again (param i32 i32 i32) (result i32) (local i32)
    (local.set 3 (call $f (local.get 0) (local.get 1) (local.get 2)))
    (drop (call $f (local.get 0) (local.get 3) (i32.div_u (local.get 3) (local.get 2))))
    (i32.add (local.get 0) (i32.add (local.get 1) (i32.add (local.get 1) (local.get 2)))))
  (func $count (param i32 i32 i32) (result i32) (local i32 i32)
    (local.set 3 (i32.load (local.get 1)))
    (local.set 4 (i32.load (local.get 2)))
    (drop (call $f (local.get 0) (local.get 1) (i32.shl (local.get 3) (local.get 4))))
    (drop (call $f (local.get 0) (local.get 1) (local.get 2)))
    (i32.add (local.get 0) (i32.add (local.get 1) (local.get 2))))
  (func $wide (param i64 i64 i64) (result i64 i64) (local i64)
    (local.set 3 (call $g (local.get 0) (local.get 1) (local.get 2)))
    (drop (call $g (local.get 0) (local.get 1) (local.get 2)))
    (local.set 3 (call $g (local.get 0) (local.get 1) (local.get 2)))
    (i64.mul_wide_u (local.get 3) (i64.add (local.get 0) (i64.add (local.get 1) (local.get 2)))))
  (memory 1))
;;! x64
;; $dividend
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, r13
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   mov eax, eax
;;   mov [rbp-0x20], eax
;;   xor edx, edx
;;   div r13d  ; IntegerDivisionByZero
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, rax
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   lea eax, [r12+r13]
;;   lea ecx, [rbx+rax]
;;   mov eax, ecx
;;   return
;;   ud2  ; StackOverflow
;; $divisor
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, r13
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   mov eax, eax
;;   mov [rbp-0x20], eax
;;   mov ecx, eax
;;   mov eax, r13d
;;   xor edx, edx
;;   div ecx  ; IntegerDivisionByZero
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, rax
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   lea eax, [r12+r13]
;;   lea ecx, [rbx+rax]
;;   mov eax, ecx
;;   return
;;   ud2  ; StackOverflow
;; $both
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, r13
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   mov eax, eax
;;   mov [rbp-0x20], eax
;;   mov ecx, eax
;;   xor edx, edx
;;   div ecx  ; IntegerDivisionByZero
;;   mov rcx, r12
;;   mov r8, rdx
;;   mov rdx, rbx
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   lea eax, [rbx+r13]
;;   lea ecx, [r12+r13]
;;   add eax, ecx
;;   return
;;   ud2  ; StackOverflow
;; $again
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, r13
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   mov eax, eax
;;   mov [rbp-0x20], eax
;;   xor edx, edx
;;   div r13d  ; IntegerDivisionByZero
;;   mov rdx, rbx
;;   mov r8, rax
;;   mov ecx, [rbp-0x20]
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   lea eax, [r12+r13]
;;   lea ecx, [r12+rax]
;;   lea eax, [rbx+rcx]
;;   return
;;   ud2  ; StackOverflow
;; $count
;;   mov rbx, rcx
;;   mov r12, r8
;;   mov r13, rdx
;;   mov eax, [r14+rbx]  ; MemoryOutOfBounds
;;   mov ecx, [r14+r12]  ; MemoryOutOfBounds
;;   mov [rbp-0x28], ecx
;;   mov edx, eax
;;   shl edx, cl
;;   mov [rbp-0x20], eax
;;   mov rcx, rbx
;;   mov r8, rdx
;;   mov rdx, r13
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   mov rcx, rbx
;;   mov rdx, r13
;;   mov r8, r12
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   lea eax, [rbx+r12]
;;   lea ecx, [rax+r13]
;;   mov eax, ecx
;;   return
;;   ud2  ; StackOverflow
;; $wide
;;   mov rbx, rdx
;;   mov r12, rcx
;;   mov r13, r8
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, r13
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   mov [rbp-0x20], rax
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, r13
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   mov rcx, r12
;;   mov rdx, rbx
;;   mov r8, r13
;;   mov rdi, [func1.context]
;;   mov rsi, r15
;;   mov r11, [func1.code]
;;   call r11
;;   lea rcx, [r12+r13]
;;   lea rdx, [rbx+rcx]
;;   mov [rbp-0x20], rax
;;   mov rcx, rdx
;;   mul rcx
;;   mov [rbp-0x28], rax
;;   mov [rbp-0x30], rdx
;;   mov rax, [rbp-0x28]
;;   mov rcx, [rbp-0x30]
;;   return
;;   ud2  ; StackOverflow
