;; Floating point at the floor: two-operand SSE.
(module
  (memory 1)
  (func $add (param f64 f64) (result f64) (f64.add (local.get 0) (local.get 1)))
  (func $sub_swapped (param f32 f32) (result f32) (f32.sub (local.get 1) (local.get 0)))
  (func $load_op (param f64 i32) (result f64) (f64.mul (local.get 0) (f64.load (local.get 1))))
  (func $const (param f64) (result f64) (f64.add (local.get 0) (f64.const 1.5)))
  (func $neg (param f64) (result f64) (f64.neg (local.get 0)))
  (func $abs (param f32) (result f32) (f32.abs (local.get 0)))
  (func $sqrt (param f64) (result f64) (f64.sqrt (local.get 0)))
  (func $floor (param f64) (result f64) (f64.floor (local.get 0)))
  (func $min (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
  (func $copysign (param f64 f64) (result f64) (f64.copysign (local.get 0) (local.get 1))))
;;! x64
;; $add
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   addsd xmm0, xmm1
;;   return
;; $sub_swapped
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm1
;;   subss xmm0, xmm8
;;   return
;; $load_op
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   mulsd xmm0, [r14+rdx]  ; MemoryOutOfBounds
;;   return
;; $const
;;   movaps xmm8, xmm0
;;   mov r11, 0x3FF8000000000000
;;   movq xmm0, r11
;;   movaps xmm1, xmm8
;;   addsd xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $neg
;;   movaps xmm8, xmm0
;;   pcmpeqd xmm0, xmm0
;;   psllq xmm0, 0x3F
;;   xorps xmm0, xmm8
;;   return
;; $abs
;;   movaps xmm8, xmm0
;;   pcmpeqd xmm0, xmm0
;;   psrld xmm0, 1
;;   andps xmm0, xmm8
;;   return
;; $sqrt
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   sqrtsd xmm0, xmm8
;;   return
;; $floor
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundsd xmm0, xmm8, 9
;;   return
;; $min
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   ucomisd xmm8, xmm1
;;   jne L1
;;   jp L0
;;   orps xmm0, xmm1
;;   jmp L2
;; L0:
;;   addsd xmm0, xmm1
;;   jmp L2
;; L1:
;;   minsd xmm0, xmm1
;; L2:
;;   return
;; $copysign
;;   movaps xmm8, xmm0
;;   movaps xmm15, xmm8
;;   xorps xmm15, xmm1
;;   psrlq xmm15, 0x3F
;;   psllq xmm15, 0x3F
;;   movaps xmm0, xmm8
;;   xorps xmm0, xmm15
;;   return
