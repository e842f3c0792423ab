;; settings: left-to-judge
;; References to continuations are as wide as vectors wherever they come from, also where nothing else is.
(module
  (type $f (func))
  (type $k (cont $f))
  (import "" "give" (func $give (result (ref null $k))))
  (global $g (mut (ref null $k)) (ref.null $k))
  (table $t 1 4 (ref null $k))
  (func $nothing)
  (func $null (call $nothing) (drop (ref.null $k)))
  (func $no_cont (result i32) (ref.is_null (ref.null nocont)))
  (func $global (result i32) (global.get $g) (call $nothing) (ref.is_null))
  (func $table (result i32) (table.get $t (i32.const 0)) (call $nothing) (ref.is_null))
  (func $result (result i32) (call $give) (call $nothing) (ref.is_null))
  (func $param (param (ref null $k)) (result i32) (local.get 0) (call $nothing) (ref.is_null))
  (func $block (param i32) (result i32)
    (block (result (ref null $k)) (ref.null $k) (br_if 0 (local.get 0))) (call $nothing) (ref.is_null)))
;;! x64
;; $nothing
;;   return
;; $null
;;   call $nothing
;;   return
;;   ud2  ; StackOverflow
;; $no_cont
;;   xorps xmm0, xmm0
;;   movq rax, xmm0
;;   test rax, rax
;;   sete al
;;   movzx eax, al
;;   return
;; $global
;;   movups xmm0, [global0]
;;   movups [rbp-0x10], xmm0
;;   call $nothing
;;   cmp qword ptr [rbp-0x10], 0
;;   sete al
;;   movzx eax, al
;;   return
;;   ud2  ; StackOverflow
;; $table
;;   mov ecx, 0
;;   cmp rcx, [table0.length]
;;   jae L0
;;   mov rax, [table0.base]
;;   mov r11d, 0
;;   cmovb r11, rcx
;;   lea rax, [rax+r11*8]
;;   movups xmm0, [rax+r11*8]
;;   movups [rbp-0x10], xmm0
;;   call $nothing
;;   cmp qword ptr [rbp-0x10], 0
;;   sete al
;;   movzx eax, al
;;   return
;;   ud2  ; StackOverflow
;; L0:
;;   ud2  ; TableOutOfBounds
;; $result
;;   mov rdi, [func0.context]
;;   mov rsi, r15
;;   mov r11, [func0.code]
;;   call r11
;;   mov [rbp-0x10], rax
;;   mov [rbp-0x20], rcx
;;   mov r11, [rbp-0x20]
;;   mov [rbp-8], r11
;;   call $nothing
;;   cmp qword ptr [rbp-0x10], 0
;;   sete al
;;   movzx eax, al
;;   return
;;   ud2  ; StackOverflow
;; $param
;;   movups [rbp-0x10], xmm0
;;   call $nothing
;;   cmp qword ptr [rbp-0x10], 0
;;   sete al
;;   movzx eax, al
;;   mov [rbp-0x20], eax
;;   return
;;   ud2  ; StackOverflow
;; $block
;;   mov [rbp-8], edx
;;   test edx, edx
;;   xorps xmm0, xmm0
;;   jne L0
;; L0:
;;   movups [rbp-0x20], xmm0
;;   call $nothing
;;   cmp qword ptr [rbp-0x20], 0
;;   sete al
;;   movzx eax, al
;;   return
;;   ud2  ; StackOverflow
