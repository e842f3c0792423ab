;; Counting bits where the processor has the instructions.
(module
  (func $clz (param i32) (result i32) (i32.clz (local.get 0)))
  (func $ctz (param i64) (result i64) (i64.ctz (local.get 0))))
;;! x64 lzcnt bmi1
;; $clz
;;   xor eax, eax
;;   lzcnt eax, edx
;;   return
;; $ctz
;;   xor eax, eax
;;   tzcnt rax, rdx
;;   return
