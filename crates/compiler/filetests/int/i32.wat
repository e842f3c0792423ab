;; Operators of i32 that the other files leave out: each on its own, with both operands in homes.
(module
  (func $i32_ctz (param i32) (result i32) (i32.ctz (local.get 0)))
  (func $i32_eq (param i32 i32) (result i32) (i32.eq (local.get 0) (local.get 1)))
  (func $i32_extend16_s (param i32) (result i32) (i32.extend16_s (local.get 0)))
  (func $i32_ge_s (param i32 i32) (result i32) (i32.ge_s (local.get 0) (local.get 1)))
  (func $i32_ge_u (param i32 i32) (result i32) (i32.ge_u (local.get 0) (local.get 1)))
  (func $i32_gt_u (param i32 i32) (result i32) (i32.gt_u (local.get 0) (local.get 1)))
  (func $i32_le_s (param i32 i32) (result i32) (i32.le_s (local.get 0) (local.get 1)))
  (func $i32_le_u (param i32 i32) (result i32) (i32.le_u (local.get 0) (local.get 1)))
  (func $i32_ne (param i32 i32) (result i32) (i32.ne (local.get 0) (local.get 1)))
  (func $i32_rotr (param i32 i32) (result i32) (i32.rotr (local.get 0) (local.get 1)))
  (func $i32_shr_s (param i32 i32) (result i32) (i32.shr_s (local.get 0) (local.get 1)))
  (func $i32_shr_u (param i32 i32) (result i32) (i32.shr_u (local.get 0) (local.get 1))))
;;! x64
;; $i32_ctz
;;   mov rsi, rdx
;;   bsf eax, esi
;;   mov r11d, 0x20
;;   cmove eax, r11d
;;   return
;; $i32_eq
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   sete al
;;   movzx eax, al
;;   return
;; $i32_extend16_s
;;   mov rsi, rdx
;;   movsx eax, si
;;   return
;; $i32_ge_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   setge al
;;   movzx eax, al
;;   return
;; $i32_ge_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   setae al
;;   movzx eax, al
;;   return
;; $i32_gt_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   seta al
;;   movzx eax, al
;;   return
;; $i32_le_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   setle al
;;   movzx eax, al
;;   return
;; $i32_le_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   setbe al
;;   movzx eax, al
;;   return
;; $i32_ne
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   cmp esi, edi
;;   setne al
;;   movzx eax, al
;;   return
;; $i32_rotr
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov ecx, edi
;;   mov eax, esi
;;   ror eax, cl
;;   return
;; $i32_shr_s
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov ecx, edi
;;   mov eax, esi
;;   sar eax, cl
;;   return
;; $i32_shr_u
;;   mov rsi, rdx
;;   mov rdi, rcx
;;   mov ecx, edi
;;   mov eax, esi
;;   shr eax, cl
;;   return
