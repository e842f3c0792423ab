;; Locals without homes: their slots are written when a register gives way, before calls, and before edges to where the local
;; may be read.
(module
  (memory 1)
  (func $call)
  ;; So many calls destroy what is in registers that no home is worth its saving.
  (func $overwritten (param i32) (result i32) (local $a f64)
    (call $call)
    (local.set $a (f64.load (local.get 0)))
    (local.set $a (f64.add (local.get $a) (local.get $a)))
    (local.set $a (f64.mul (local.get $a) (local.get $a)))
    (call $call) (call $call) (call $call)
    (i32.trunc_sat_f64_s (local.get $a)))
  (func $of_the_block (param i32) (local $inside f64) (local $outside f64)
    (call $call) (call $call) (call $call)
    (local.set $outside (f64.load (local.get 0)))
    (block $b
      (local.set $inside (f64.add (local.get $outside) (local.get $outside)))
      (call $call)
      (local.set $inside (f64.load offset=8 (local.get 0)))
      (local.set $outside (f64.load offset=16 (local.get 0)))
      (br_if $b (local.get 0))
      (f64.store offset=8 (local.get 0) (local.get $inside)))
    (f64.store (local.get 0) (local.get $outside))))
;;! x64
;; $call
;;   return
;; $overwritten
;;   mov [rbp-8], edx
;;   call $call
;;   mov eax, [rbp-8]
;;   movsd xmm0, [r14+rax]  ; MemoryOutOfBounds
;;   movaps xmm1, xmm0
;;   addsd xmm1, xmm0
;;   movaps xmm0, xmm1
;;   mulsd xmm0, xmm1
;;   movsd [rbp-0x10], xmm0
;;   call $call
;;   call $call
;;   call $call
;;   movsd xmm0, [rbp-0x10]
;;   cvttsd2si rax, xmm0
;;   movsxd r11, eax
;;   cmp r11, rax
;;   mov eax, eax
;;   je L0
;;   xorps xmm15, xmm15
;;   ucomisd xmm0, xmm15
;;   mov eax, 0x80000000
;;   mov r11d, 0x7FFFFFFF
;;   cmova eax, r11d
;;   mov r11d, 0
;;   cmovp eax, r11d
;; L0:
;;   return
;;   ud2  ; StackOverflow
;; $of_the_block
;;   mov rbx, rdx
;;   call $call
;;   call $call
;;   call $call
;;   movsd xmm0, [r14+rbx]  ; MemoryOutOfBounds
;;   movaps xmm1, xmm0
;;   addsd xmm1, xmm0
;;   movsd [rbp-0x10], xmm0
;;   movsd [rbp-0x18], xmm1
;;   call $call
;;   movsd xmm0, [r14+rbx+8]  ; MemoryOutOfBounds
;;   movsd xmm1, [r14+rbx+0x10]  ; MemoryOutOfBounds
;;   test ebx, ebx
;;   movsd [rbp-0x10], xmm1
;;   jne L0
;;   movsd [r14+rbx+8], xmm0  ; MemoryOutOfBounds
;; L0:
;;   movsd [r14+rbx], xmm1  ; MemoryOutOfBounds
;;   return
;;   ud2  ; StackOverflow
