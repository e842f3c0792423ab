;; Extensions; of an i32 to 64 bits unsigned there is nothing to do.
(module
  (func $s8 (param i32) (result i32) (i32.extend8_s (local.get 0)))
  (func $s32 (param i32) (result i64) (i64.extend_i32_s (local.get 0)))
  (func $u32 (param i32) (result i64) (i64.extend_i32_u (local.get 0)))
  (func $wrap (param i64) (result i32) (i32.wrap_i64 (local.get 0))))
;;! x64
;; $s8
;;   movsx eax, dl
;;   return
;; $s32
;;   movsxd rax, edx
;;   return
;; $u32
;;   mov eax, edx
;;   return
;; $wrap
;;   mov eax, edx
;;   return
