;; Operators of f32, each on its own.
(module
  (func $f32_add (param f32 f32) (result f32) (f32.add (local.get 0) (local.get 1)))
  (func $f32_ceil (param f32) (result f32) (f32.ceil (local.get 0)))
  (func $f32_const (result f32) (f32.const 1.5))
  (func $f32_convert_i32_s (param i32) (result f32) (f32.convert_i32_s (local.get 0)))
  (func $f32_convert_i32_u (param i32) (result f32) (f32.convert_i32_u (local.get 0)))
  (func $f32_convert_i64_s (param i64) (result f32) (f32.convert_i64_s (local.get 0)))
  (func $f32_copysign (param f32 f32) (result f32) (f32.copysign (local.get 0) (local.get 1)))
  (func $f32_demote_f64 (param f64) (result f32) (f32.demote_f64 (local.get 0)))
  (func $f32_div (param f32 f32) (result f32) (f32.div (local.get 0) (local.get 1)))
  (func $f32_eq (param f32 f32) (result i32) (f32.eq (local.get 0) (local.get 1)))
  (func $f32_floor (param f32) (result f32) (f32.floor (local.get 0)))
  (func $f32_ge (param f32 f32) (result i32) (f32.ge (local.get 0) (local.get 1)))
  (func $f32_gt (param f32 f32) (result i32) (f32.gt (local.get 0) (local.get 1)))
  (func $f32_le (param f32 f32) (result i32) (f32.le (local.get 0) (local.get 1)))
  (func $f32_lt (param f32 f32) (result i32) (f32.lt (local.get 0) (local.get 1)))
  (func $f32_max (param f32 f32) (result f32) (f32.max (local.get 0) (local.get 1)))
  (func $f32_min (param f32 f32) (result f32) (f32.min (local.get 0) (local.get 1)))
  (func $f32_mul (param f32 f32) (result f32) (f32.mul (local.get 0) (local.get 1)))
  (func $f32_ne (param f32 f32) (result i32) (f32.ne (local.get 0) (local.get 1)))
  (func $f32_nearest (param f32) (result f32) (f32.nearest (local.get 0)))
  (func $f32_neg (param f32) (result f32) (f32.neg (local.get 0)))
  (func $f32_reinterpret_i32 (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
  (func $f32_sqrt (param f32) (result f32) (f32.sqrt (local.get 0)))
  (func $f32_trunc (param f32) (result f32) (f32.trunc (local.get 0))))
;;! x64
;; $f32_add
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   addss xmm0, xmm1
;;   return
;; $f32_ceil
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundss xmm0, xmm8, 0xA
;;   return
;; $f32_const
;;   mov r11d, 0x3FC00000
;;   movd xmm0, r11d
;;   return
;; $f32_convert_i32_s
;;   xorps xmm0, xmm0
;;   cvtsi2ss xmm0, edx
;;   return
;; $f32_convert_i32_u
;;   xorps xmm0, xmm0
;;   cvtsi2ss xmm0, rdx
;;   return
;; $f32_convert_i64_s
;;   xorps xmm0, xmm0
;;   cvtsi2ss xmm0, rdx
;;   return
;; $f32_copysign
;;   movaps xmm8, xmm0
;;   movaps xmm15, xmm8
;;   xorps xmm15, xmm1
;;   psrld xmm15, 0x1F
;;   pslld xmm15, 0x1F
;;   movaps xmm0, xmm8
;;   xorps xmm0, xmm15
;;   return
;; $f32_demote_f64
;;   movaps xmm8, xmm0
;;   xorps xmm1, xmm1
;;   cvtsd2ss xmm1, xmm8
;;   movaps xmm0, xmm1
;;   return
;; $f32_div
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   divss xmm0, xmm1
;;   return
;; $f32_eq
;;   movaps xmm8, xmm0
;;   ucomiss xmm8, xmm1
;;   setnp r11b
;;   sete al
;;   and eax, r11d
;;   movzx eax, al
;;   return
;; $f32_floor
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundss xmm0, xmm8, 9
;;   return
;; $f32_ge
;;   movaps xmm8, xmm0
;;   ucomiss xmm8, xmm1
;;   setae al
;;   movzx eax, al
;;   return
;; $f32_gt
;;   movaps xmm8, xmm0
;;   ucomiss xmm8, xmm1
;;   seta al
;;   movzx eax, al
;;   return
;; $f32_le
;;   movaps xmm8, xmm0
;;   ucomiss xmm1, xmm8
;;   setae al
;;   movzx eax, al
;;   return
;; $f32_lt
;;   movaps xmm8, xmm0
;;   ucomiss xmm1, xmm8
;;   seta al
;;   movzx eax, al
;;   return
;; $f32_max
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   ucomiss xmm8, xmm1
;;   jne L1
;;   jp L0
;;   andps xmm0, xmm1
;;   jmp L2
;; L0:
;;   addss xmm0, xmm1
;;   jmp L2
;; L1:
;;   maxss xmm0, xmm1
;; L2:
;;   return
;; $f32_min
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   ucomiss xmm8, xmm1
;;   jne L1
;;   jp L0
;;   orps xmm0, xmm1
;;   jmp L2
;; L0:
;;   addss xmm0, xmm1
;;   jmp L2
;; L1:
;;   minss xmm0, xmm1
;; L2:
;;   return
;; $f32_mul
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   mulss xmm0, xmm1
;;   return
;; $f32_ne
;;   movaps xmm8, xmm0
;;   ucomiss xmm8, xmm1
;;   setp r11b
;;   setne al
;;   or eax, r11d
;;   movzx eax, al
;;   return
;; $f32_nearest
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundss xmm0, xmm8, 8
;;   return
;; $f32_neg
;;   movaps xmm8, xmm0
;;   pcmpeqd xmm0, xmm0
;;   pslld xmm0, 0x1F
;;   xorps xmm0, xmm8
;;   return
;; $f32_reinterpret_i32
;;   movd xmm0, edx
;;   return
;; $f32_sqrt
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   sqrtss xmm0, xmm8
;;   return
;; $f32_trunc
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   roundss xmm0, xmm8, 0xB
;;   return
