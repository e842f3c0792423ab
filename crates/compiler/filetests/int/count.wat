;; Counting bits at the floor: no lzcnt or tzcnt, so zero is a case of its own.
(module
  (func $clz (param i32) (result i32) (i32.clz (local.get 0)))
  (func $ctz (param i64) (result i64) (i64.ctz (local.get 0)))
  (func $popcnt (param i32) (result i32) (i32.popcnt (local.get 0))))
;;! x64
;; $clz
;;   bsr eax, edx
;;   mov r11d, 0x3F
;;   cmove eax, r11d
;;   xor eax, 0x1F
;;   return
;; $ctz
;;   bsf rax, rdx
;;   mov r11d, 0x40
;;   cmove eax, r11d
;;   return
;; $popcnt
;;   xor eax, eax
;;   popcnt eax, edx
;;   return
