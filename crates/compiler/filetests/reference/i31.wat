;; Small numbers as references, and references from and to the host.
(module
  (func $make (param i32) (result i31ref) (ref.i31 (local.get 0)))
  (func $get_s (param i31ref) (result i32) (i31.get_s (local.get 0)))
  (func $get_u (param i31ref) (result i32) (i31.get_u (local.get 0)))
  (func $equal (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
  (func $to_any (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func $to_extern (param anyref) (result externref) (extern.convert_any (local.get 0))))
;;! x64
;; $make
;;   mov rsi, rdx
;;   lea eax, [rsi+rsi+1]
;;   return
;; $get_s
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov eax, esi
;;   sar eax, 1
;;   return
;; L0:
;;   ud2  ; NullReference
;; $get_u
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   mov eax, esi
;;   shr eax, 1
;;   return
;; L0:
;;   ud2  ; NullReference
;; $equal
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   sete al
;;   movzx eax, al
;;   return
;; $to_any
;;   mov rsi, rdx
;;   mov eax, esi
;;   return
;; $to_extern
;;   mov rsi, rdx
;;   mov eax, esi
;;   return
