;; What is shifted by a constant and then written is computed in the local's register; a mask of the lower half is a
;; move.
(module
  (func $mix (param $x i64) (param $y i64) (result i64)
    (local.set $x (i64.rotl (i64.xor (local.get $y) (local.get $x)) (i64.const 24)))
    (local.set $y (i64.shl (i64.sub (local.get $x) (local.get $y)) (i64.const 3)))
    (i64.and (i64.add (local.get $x) (local.get $y)) (i64.const 0xffffffff)))
  (func $waits (param $x i32) (param $y i32) (result i32)
    (local.get $x)
    (local.set $x (i32.rotl (i32.xor (local.get $x) (local.get $y)) (i32.const 7)))
    (i32.sub (local.get $x)))
  (func $lower (param $x i64) (result i64)
    (i64.add (i64.and (local.get $x) (i64.const 0xffffffff)) (local.get $x))))
;;! x64
;; $mix
;;   xor rdx, rcx
;;   rol rdx, 0x18
;;   mov rax, rdx
;;   sub rax, rcx
;;   mov rcx, rax
;;   shl rcx, 3
;;   lea rax, [rdx+rcx]
;;   mov eax, eax
;;   return
;; $waits
;;   mov eax, edx
;;   xor edx, ecx
;;   rol edx, 7
;;   sub eax, edx
;;   return
;; $lower
;;   mov eax, edx
;;   add rax, rdx
;;   return
