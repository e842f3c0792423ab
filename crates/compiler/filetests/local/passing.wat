;; Locals that are written again behind each call before they are read have homes that calls destroy, and nothing is saved.
(module
  (memory 1)
  (func $call)
  (func $between_calls (param i32) (local $t i32)
    (loop $l
    (call $call)
    (local.set $t (i32.load (local.get 0)))
    (i32.store offset=4 (local.get 0) (local.get $t))
    (if (i32.lt_s (local.get $t) (i32.const 7))
      (then (i32.store offset=8 (local.get 0) (local.get $t))))
    (call $call)
    (local.set $t (i32.load offset=12 (local.get 0)))
    (i32.store offset=16 (local.get 0) (i32.add (local.get $t) (local.get $t)))
    (br_if $l (i32.load (local.get 0)))))
  ;; What waits for such a home is read before the call.
  (func $waits (param i32) (result i32) (local $t i32)
    (loop $l (result i32)
    (call $call)
    (local.set $t (i32.load (local.get 0)))
    (i32.store offset=4 (local.get 0) (local.get $t))
    (br_if $l (local.get $t))
    (local.get $t)
    (call $call)
    (i32.load offset=8 (local.get 0))
    (i32.add)))
  ;; Written in one arm, read behind both: it may be what was written before the call.
  (func $arms (param i32) (local $t i32)
    (loop $l
    (local.set $t (i32.load (local.get 0)))
    (call $call)
    (if (local.get 0) (then (local.set $t (i32.const 3)) (i32.store offset=4 (local.get 0) (local.get $t))))
    (i32.store offset=8 (local.get 0) (local.get $t))
    (br_if $l (i32.load (local.get 0)))))
  ;; Read in a loop behind whose read there is a call.
  (func $loop (param i32) (local $t i32)
    (local.set $t (i32.load (local.get 0)))
    (loop $again
      (i32.store offset=4 (local.get 0) (local.get $t))
      (i32.store offset=8 (local.get 0) (local.get $t))
      (call $call)
      (br_if $again (i32.load (local.get 0))))))
;;! x64
;; $call
;;   return
;; $between_calls
;;   mov rbx, rdx
;;   padding
;; L0:
;;   call $call
;;   mov esi, [r14+rbx]  ; MemoryOutOfBounds
;;   mov [r14+rbx+4], esi  ; MemoryOutOfBounds
;;   padding
;;   cmp esi, 7
;;   jge L1
;;   mov [r14+rbx+8], esi  ; MemoryOutOfBounds
;; L1:
;;   call $call
;;   mov esi, [r14+rbx+0xC]  ; MemoryOutOfBounds
;;   lea eax, [rsi+rsi]
;;   mov [r14+rbx+0x10], eax  ; MemoryOutOfBounds
;;   cmp dword ptr [r14+rbx], 0  ; MemoryOutOfBounds
;;   jne L0
;;   return
;;   ud2  ; StackOverflow
;; $waits
;;   mov rbx, rdx
;;   padding
;; L0:
;;   call $call
;;   mov esi, [r14+rbx]  ; MemoryOutOfBounds
;;   mov [r14+rbx+4], esi  ; MemoryOutOfBounds
;;   padding
;;   test esi, esi
;;   jne L0
;;   mov [rbp-0x10], esi
;;   call $call
;;   mov eax, [rbp-0x10]
;;   add eax, [r14+rbx+8]  ; MemoryOutOfBounds
;;   return
;;   ud2  ; StackOverflow
;; $arms
;;   mov rbx, rdx
;;   padding
;; L0:
;;   mov r12d, [r14+rbx]  ; MemoryOutOfBounds
;;   call $call
;;   padding
;;   test ebx, ebx
;;   je L1
;;   mov r12d, 3
;;   mov [r14+rbx+4], r12d  ; MemoryOutOfBounds
;; L1:
;;   mov [r14+rbx+8], r12d  ; MemoryOutOfBounds
;;   cmp dword ptr [r14+rbx], 0  ; MemoryOutOfBounds
;;   jne L0
;;   return
;;   ud2  ; StackOverflow
;; $loop
;;   mov rbx, rdx
;;   mov r12d, [r14+rbx]  ; MemoryOutOfBounds
;;   padding
;; L0:
;;   mov [r14+rbx+4], r12d  ; MemoryOutOfBounds
;;   mov [r14+rbx+8], r12d  ; MemoryOutOfBounds
;;   call $call
;;   cmp dword ptr [r14+rbx], 0  ; MemoryOutOfBounds
;;   jne L0
;;   return
;;   ud2  ; StackOverflow
