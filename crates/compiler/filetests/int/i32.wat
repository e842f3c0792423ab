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
;;   bsf eax, edx
;;   mov r11d, 0x20
;;   cmove eax, r11d
;;   return
;; $i32_eq
;;   cmp edx, ecx
;;   sete al
;;   movzx eax, al
;;   return
;; $i32_extend16_s
;;   movsx eax, dx
;;   return
;; $i32_ge_s
;;   cmp edx, ecx
;;   setge al
;;   movzx eax, al
;;   return
;; $i32_ge_u
;;   cmp edx, ecx
;;   setae al
;;   movzx eax, al
;;   return
;; $i32_gt_u
;;   cmp edx, ecx
;;   seta al
;;   movzx eax, al
;;   return
;; $i32_le_s
;;   cmp edx, ecx
;;   setle al
;;   movzx eax, al
;;   return
;; $i32_le_u
;;   cmp edx, ecx
;;   setbe al
;;   movzx eax, al
;;   return
;; $i32_ne
;;   cmp edx, ecx
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
