;; Index arithmetic wraps at 32 bits before the base is added.
(module
  (memory 1)
  (func $scaled (param i32 i32) (result i32)
    (i32.load (i32.add (local.get 0) (i32.shl (local.get 1) (i32.const 2)))))
  (func $masked (param i32) (result i32)
    (i32.load offset=64 (i32.shl (i32.and (local.get 0) (i32.const 0xff)) (i32.const 3))))
  (func $added (param i32) (result i32) (i32.load (i32.add (local.get 0) (i32.const 12)))))
;;! x64
;; $scaled
;;   lea eax, [rdx+rcx*4]
;;   mov eax, [r14+rax]  ; MemoryOutOfBounds
;;   return
;; $masked
;;   movzx eax, dl
;;   shl eax, 3
;;   mov eax, [r14+rax+0x40]  ; MemoryOutOfBounds
;;   return
;; $added
;;   lea eax, [rdx+0xC]
;;   mov eax, [r14+rax]  ; MemoryOutOfBounds
;;   return
