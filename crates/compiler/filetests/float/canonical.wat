;; settings: canonical-nans
;; What computes a NaN gives the canonical one; what moves bits leaves it as it is.
(module
  (func $add (param f32 f32) (result f32) (f32.add (local.get 0) (local.get 1)))
  (func $sqrt (param f64) (result f64) (f64.sqrt (local.get 0)))
  (func $neg (param f64) (result f64) (f64.neg (local.get 0)))
  (func $promote (param f32) (result f64) (f64.promote_f32 (local.get 0)))
  (func $min (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
  (func $mul4 (param v128 v128) (result v128) (f32x4.mul (local.get 0) (local.get 1)))
  (func $demote (param v128) (result v128) (f32x4.demote_f64x2_zero (local.get 0)))
  (func $pmin (param v128 v128) (result v128) (f64x2.pmin (local.get 0) (local.get 1))))
;;! x64
;; $add
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   addss xmm0, xmm1
;;   ucomiss xmm0, xmm0
;;   jnp L0
;;   mov r11d, 0x7FC00000
;;   movd xmm0, r11d
;; L0:
;;   return
;; $sqrt
;;   movaps xmm8, xmm0
;;   xorps xmm0, xmm0
;;   sqrtsd xmm0, xmm8
;;   ucomisd xmm0, xmm0
;;   jnp L0
;;   mov r11, 0x7FF8000000000000
;;   movq xmm0, r11
;; L0:
;;   return
;; $neg
;;   movaps xmm8, xmm0
;;   pcmpeqd xmm0, xmm0
;;   psllq xmm0, 0x3F
;;   xorps xmm0, xmm8
;;   return
;; $promote
;;   movaps xmm8, xmm0
;;   xorps xmm1, xmm1
;;   cvtss2sd xmm1, xmm8
;;   ucomisd xmm1, xmm1
;;   jnp L0
;;   mov r11, 0x7FF8000000000000
;;   movq xmm1, r11
;; L0:
;;   movaps xmm0, xmm1
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
;;   ucomisd xmm0, xmm0
;;   jnp L3
;;   mov r11, 0x7FF8000000000000
;;   movq xmm0, r11
;; L3:
;;   return
;; $mul4
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   mulps xmm0, xmm9
;;   movaps xmm15, xmm0
;;   cmpunordps xmm15, xmm0
;;   orps xmm0, xmm15
;;   andps xmm15, [0x803fffff803fffff803fffff803fffff]
;;   xorps xmm0, xmm15
;;   return
;; $demote
;;   movaps xmm8, xmm0
;;   cvtpd2ps xmm0, xmm8
;;   movaps xmm15, xmm0
;;   cmpunordps xmm15, xmm0
;;   orps xmm0, xmm15
;;   andps xmm15, [0x803fffff803fffff803fffff803fffff]
;;   xorps xmm0, xmm15
;;   return
;; $pmin
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   minpd xmm0, xmm8
;;   return
;;! x64 avx
;; $add
;;   movaps xmm8, xmm0
;;   vaddss xmm0, xmm8, xmm1
;;   ucomiss xmm0, xmm0
;;   jnp L0
;;   mov r11d, 0x7FC00000
;;   movd xmm0, r11d
;; L0:
;;   return
;; $sqrt
;;   movaps xmm8, xmm0
;;   vsqrtsd xmm0, xmm8, xmm8
;;   ucomisd xmm0, xmm0
;;   jnp L0
;;   mov r11, 0x7FF8000000000000
;;   movq xmm0, r11
;; L0:
;;   return
;; $neg
;;   movaps xmm8, xmm0
;;   pcmpeqd xmm0, xmm0
;;   psllq xmm0, 0x3F
;;   xorps xmm0, xmm8
;;   return
;; $promote
;;   movaps xmm8, xmm0
;;   vcvtss2sd xmm1, xmm8, xmm8
;;   ucomisd xmm1, xmm1
;;   jnp L0
;;   mov r11, 0x7FF8000000000000
;;   movq xmm1, r11
;; L0:
;;   movaps xmm0, xmm1
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
;;   ucomisd xmm0, xmm0
;;   jnp L3
;;   mov r11, 0x7FF8000000000000
;;   movq xmm0, r11
;; L3:
;;   return
;; $mul4
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmulps xmm0, xmm8, xmm9
;;   vcmpunordps xmm15, xmm0, xmm0
;;   vblendvps xmm0, xmm0, [0x7fc000007fc000007fc000007fc00000], xmm15
;;   return
;; $demote
;;   movaps xmm8, xmm0
;;   vcvtpd2ps xmm0, xmm8
;;   vcmpunordps xmm15, xmm0, xmm0
;;   vblendvps xmm0, xmm0, [0x7fc000007fc000007fc000007fc00000], xmm15
;;   return
;; $pmin
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vminpd xmm0, xmm9, xmm8
;;   return
