;; A register holds what a global was set to, and a wide constant from its second use on, until it is needed, a call or a
;; label that not all edges come to with it.
(module
  (global $g (mut i32) (i32.const 0))
  (global $h (mut f64) (f64.const 0))
  (func $nothing)
  (func $forwarded (param i32) (result i32)
    (global.set $g (i32.mul (local.get 0) (local.get 0)))
    (i32.sub (global.get $g) (i32.shl (global.get $g) (i32.const 3))))
  (func $called (param i32) (result i32)
    (global.set $g (i32.mul (local.get 0) (local.get 0)))
    (call $nothing)
    (global.get $g))
  (func $merged (param i32) (result f64)
    (global.set $h (f64.convert_i32_s (local.get 0)))
    (if (local.get 0) (then (global.set $h (f64.const 1))))
    (global.get $h))
  (func $constants (param i64 i64) (result i64)
    (i64.mul
      (i64.mul (local.get 0) (i64.const 0x9e3779b97f4a7c15))
      (i64.xor
        (i64.mul (local.get 1) (i64.const 0x9e3779b97f4a7c15))
        (i64.add (local.get 1) (i64.const 0x9e3779b97f4a7c15))))))
;;! x64
;; $nothing
;;   return
;; $forwarded
;;   mov rsi, rdx
;;   mov eax, esi
;;   imul eax, esi
;;   mov [global0], eax
;;   mov ecx, eax
;;   mov edx, eax
;;   shl edx, 3
;;   sub ecx, edx
;;   mov eax, ecx
;;   return
;; $called
;;   mov [rbp-8], edx
;;   mov eax, edx
;;   imul eax, edx
;;   mov [global0], eax
;;   call $nothing
;;   mov eax, [global0]
;;   return
;;   ud2  ; StackOverflow
;; $merged
;;   mov rsi, rdx
;;   xorps xmm0, xmm0
;;   cvtsi2sd xmm0, esi
;;   movsd [global1], xmm0
;;   test esi, esi
;;   je L0
;;   mov r11, 0x3FF0000000000000
;;   movq xmm1, r11
;;   movsd [global1], xmm1
;; L0:
;;   movsd xmm0, [global1]
;;   return
;; $constants
;;   mov rax, 0x9E3779B97F4A7C15
;;   mov rsi, rdx
;;   imul rsi, rax
;;   mov rax, 0x9E3779B97F4A7C15
;;   mov rdi, rcx
;;   imul rdi, rax
;;   lea r8, [rcx+rax]
;;   xor rdi, r8
;;   imul rsi, rdi
;;   mov rax, rsi
;;   return
