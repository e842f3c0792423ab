;; settings: left-to-judge
;; Arrays and memories from segments.
(module
  (memory 1)
  (type $bytes (array (mut i8)))
  (type $funcs (array (mut funcref)))
  (data $data "0123")
  (elem $elem func $memory)
  (func $memory (param i32 i32 i32) (memory.init $data (local.get 0) (local.get 1) (local.get 2)))
  (func $init_data (param (ref $bytes) i32) (array.init_data $bytes $data (local.get 0) (i32.const 0) (local.get 1) (i32.const 2)))
  (func $init_elem (param (ref $funcs) i32)
    (array.init_elem $funcs $elem (local.get 0) (i32.const 0) (local.get 1) (i32.const 1)))
  (func $new_elem (param i32) (result (ref $funcs)) (array.new_elem $funcs $elem (i32.const 0) (local.get 0))))
;;! x64
;; $memory
;;   mov [rbp-8], edx
;;   mov [rbp-0x10], ecx
;;   mov [rbp-0x18], r8d
;;   mov [rbp-0x20], edx
;;   mov [rbp-0x28], ecx
;;   mov [rbp-0x30], r8d
;;   call data(0)
;;   mov esi, [rbp-0x28]
;;   mov edi, [rbp-0x30]
;;   lea rsi, [rsi+rdi]
;;   cmp rsi, rcx
;;   ja L0
;;   mov esi, [rbp-0x20]
;;   lea rcx, [rsi+rdi]
;;   cmp rcx, [memory0.length]
;;   ja L0
;;   mov ecx, [rbp-0x28]
;;   add rax, rcx
;;   add rsi, r14
;;   mov rcx, rdi
;;   mov rdx, rax
;;   mov rdi, r15
;;   call libcall(MemoryCopy)
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; MemoryOutOfBounds
;; $init_data
;;   mov [rbp-0x10], edx
;;   mov [rbp-8], ecx
;;   mov r8, rcx
;;   mov ecx, 0
;;   mov r9d, 2
;;   call routine(ArrayInitData { ty: 0, segment: 0 })
;;   return
;;   ud2  ; StackOverflow
;; $init_elem
;;   mov [rbp-0x10], edx
;;   mov [rbp-8], ecx
;;   mov r8, rcx
;;   mov ecx, 0
;;   mov r9d, 1
;;   call routine(ArrayInitElem { ty: 1, segment: 0 })
;;   return
;;   ud2  ; StackOverflow
;; $new_elem
;;   mov [rbp-8], edx
;;   mov dword ptr [rbp-0x10], 0
;;   mov [rbp-0x18], edx
;;   mov edx, [rbp-0x10]
;;   mov ecx, [rbp-0x18]
;;   call routine(ArrayCheckElem { segment: 0 })
;;   mov edx, [rbp-0x18]
;;   call routine(ArrayNew { ty: 1 })
;;   mov eax, eax
;;   mov [rbp-0x20], eax
;;   mov edx, [rbp-0x20]
;;   mov ecx, 0
;;   call routine(ArrayInit { ty: 1 })
;;   mov edx, [rbp-0x20]
;;   mov ecx, 0
;;   mov r8d, [rbp-0x10]
;;   mov r9d, [rbp-0x18]
;;   call routine(ArrayInitElem { ty: 1, segment: 0 })
;;   mov eax, [rbp-0x20]
;;   return
;;   ud2  ; StackOverflow
