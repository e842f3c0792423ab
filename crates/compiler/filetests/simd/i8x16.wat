;; Operators of i8x16 that the other files leave out: each on its own.
(module
  (func $i8x16_add_sat_s (param v128 v128) (result v128) (i8x16.add_sat_s (local.get 0) (local.get 1)))
  (func $i8x16_add_sat_u (param v128 v128) (result v128) (i8x16.add_sat_u (local.get 0) (local.get 1)))
  (func $i8x16_all_true (param v128) (result i32) (i8x16.all_true (local.get 0)))
  (func $i8x16_avgr_u (param v128 v128) (result v128) (i8x16.avgr_u (local.get 0) (local.get 1)))
  (func $i8x16_eq (param v128 v128) (result v128) (i8x16.eq (local.get 0) (local.get 1)))
  (func $i8x16_ge_s (param v128 v128) (result v128) (i8x16.ge_s (local.get 0) (local.get 1)))
  (func $i8x16_gt_s (param v128 v128) (result v128) (i8x16.gt_s (local.get 0) (local.get 1)))
  (func $i8x16_gt_u (param v128 v128) (result v128) (i8x16.gt_u (local.get 0) (local.get 1)))
  (func $i8x16_le_s (param v128 v128) (result v128) (i8x16.le_s (local.get 0) (local.get 1)))
  (func $i8x16_le_u (param v128 v128) (result v128) (i8x16.le_u (local.get 0) (local.get 1)))
  (func $i8x16_lt_s (param v128 v128) (result v128) (i8x16.lt_s (local.get 0) (local.get 1)))
  (func $i8x16_lt_u (param v128 v128) (result v128) (i8x16.lt_u (local.get 0) (local.get 1)))
  (func $i8x16_max_s (param v128 v128) (result v128) (i8x16.max_s (local.get 0) (local.get 1)))
  (func $i8x16_max_u (param v128 v128) (result v128) (i8x16.max_u (local.get 0) (local.get 1)))
  (func $i8x16_min_s (param v128 v128) (result v128) (i8x16.min_s (local.get 0) (local.get 1)))
  (func $i8x16_min_u (param v128 v128) (result v128) (i8x16.min_u (local.get 0) (local.get 1)))
  (func $i8x16_narrow_i16x8_s (param v128 v128) (result v128) (i8x16.narrow_i16x8_s (local.get 0) (local.get 1)))
  (func $i8x16_narrow_i16x8_u (param v128 v128) (result v128) (i8x16.narrow_i16x8_u (local.get 0) (local.get 1)))
  (func $i8x16_ne (param v128 v128) (result v128) (i8x16.ne (local.get 0) (local.get 1)))
  (func $i8x16_neg (param v128) (result v128) (i8x16.neg (local.get 0)))
  (func $i8x16_popcnt (param v128) (result v128) (i8x16.popcnt (local.get 0)))
  (func $i8x16_shl (param v128 i32) (result v128) (i8x16.shl (local.get 0) (local.get 1)))
  (func $i8x16_shr_s (param v128 i32) (result v128) (i8x16.shr_s (local.get 0) (local.get 1)))
  (func $i8x16_sub (param v128 v128) (result v128) (i8x16.sub (local.get 0) (local.get 1)))
  (func $i8x16_sub_sat_s (param v128 v128) (result v128) (i8x16.sub_sat_s (local.get 0) (local.get 1)))
  (func $i8x16_sub_sat_u (param v128 v128) (result v128) (i8x16.sub_sat_u (local.get 0) (local.get 1)))
  (func $i8x16_swizzle (param v128 v128) (result v128) (i8x16.swizzle (local.get 0) (local.get 1))))
;;! x64
;; $i8x16_add_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   paddsb xmm0, xmm9
;;   return
;; $i8x16_add_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   paddusb xmm0, xmm9
;;   return
;; $i8x16_all_true
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   pcmpeqb xmm15, xmm8
;;   ptest xmm15, xmm15
;;   sete al
;;   movzx eax, al
;;   return
;; $i8x16_avgr_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pavgb xmm0, xmm9
;;   return
;; $i8x16_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqb xmm0, xmm9
;;   return
;; $i8x16_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmaxsb xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqb xmm0, xmm15
;;   return
;; $i8x16_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpgtb xmm0, xmm9
;;   return
;; $i8x16_gt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   pxor xmm15, [0x80808080808080808080808080808080]
;;   movaps xmm0, xmm8
;;   pxor xmm0, [0x80808080808080808080808080808080]
;;   pcmpgtb xmm0, xmm15
;;   return
;; $i8x16_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pminsb xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqb xmm0, xmm15
;;   return
;; $i8x16_le_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pminub xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqb xmm0, xmm15
;;   return
;; $i8x16_lt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   pcmpgtb xmm0, xmm8
;;   return
;; $i8x16_lt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pxor xmm15, [0x80808080808080808080808080808080]
;;   movaps xmm0, xmm9
;;   pxor xmm0, [0x80808080808080808080808080808080]
;;   pcmpgtb xmm0, xmm15
;;   return
;; $i8x16_max_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmaxsb xmm0, xmm9
;;   return
;; $i8x16_max_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmaxub xmm0, xmm9
;;   return
;; $i8x16_min_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pminsb xmm0, xmm9
;;   return
;; $i8x16_min_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pminub xmm0, xmm9
;;   return
;; $i8x16_narrow_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   packsswb xmm0, xmm9
;;   return
;; $i8x16_narrow_i16x8_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   packuswb xmm0, xmm9
;;   return
;; $i8x16_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqb xmm0, xmm9
;;   pxor xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i8x16_neg
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   psubb xmm15, xmm8
;;   movaps xmm0, xmm15
;;   return
;; $i8x16_popcnt
;;   movaps xmm8, xmm0
;;   movaps xmm15, xmm8
;;   psrlw xmm15, 4
;;   pand xmm15, [0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f]
;;   movaps xmm1, xmm8
;;   pand xmm1, [0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f]
;;   movaps xmm0, [0x04030302030202010302020102010100]
;;   pshufb xmm0, xmm15
;;   movaps xmm15, [0x04030302030202010302020102010100]
;;   pshufb xmm15, xmm1
;;   movaps xmm1, xmm15
;;   paddb xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i8x16_shl
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 7
;;   movd xmm0, r11d
;;   pcmpeqd xmm15, xmm15
;;   psrlw xmm15, 8
;;   psrlw xmm15, xmm0
;;   packuswb xmm15, xmm15
;;   movaps xmm1, xmm8
;;   pand xmm1, xmm15
;;   psllw xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i8x16_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 7
;;   add r11d, 8
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   punpckhbw xmm0, xmm8
;;   movaps xmm1, xmm8
;;   punpcklbw xmm1, xmm8
;;   psraw xmm0, xmm15
;;   psraw xmm1, xmm15
;;   packsswb xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i8x16_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubb xmm0, xmm9
;;   return
;; $i8x16_sub_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubsb xmm0, xmm9
;;   return
;; $i8x16_sub_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubusb xmm0, xmm9
;;   return
;; $i8x16_swizzle
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   paddusb xmm15, [0x70707070707070707070707070707070]
;;   movaps xmm0, xmm8
;;   pshufb xmm0, xmm15
;;   return
;;! x64 avx avx2
;; $i8x16_add_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpaddsb xmm0, xmm8, xmm9
;;   return
;; $i8x16_add_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpaddusb xmm0, xmm8, xmm9
;;   return
;; $i8x16_all_true
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpcmpeqb xmm15, xmm15, xmm8
;;   vptest xmm15, xmm15
;;   sete al
;;   movzx eax, al
;;   return
;; $i8x16_avgr_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpavgb xmm0, xmm8, xmm9
;;   return
;; $i8x16_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqb xmm0, xmm8, xmm9
;;   return
;; $i8x16_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxsb xmm15, xmm8, xmm9
;;   vpcmpeqb xmm0, xmm8, xmm15
;;   return
;; $i8x16_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtb xmm0, xmm8, xmm9
;;   return
;; $i8x16_gt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpxor xmm15, xmm9, [0x80808080808080808080808080808080]
;;   vpxor xmm0, xmm8, [0x80808080808080808080808080808080]
;;   vpcmpgtb xmm0, xmm0, xmm15
;;   return
;; $i8x16_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminsb xmm15, xmm8, xmm9
;;   vpcmpeqb xmm0, xmm8, xmm15
;;   return
;; $i8x16_le_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminub xmm15, xmm8, xmm9
;;   vpcmpeqb xmm0, xmm8, xmm15
;;   return
;; $i8x16_lt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtb xmm0, xmm9, xmm8
;;   return
;; $i8x16_lt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpxor xmm15, xmm8, [0x80808080808080808080808080808080]
;;   vpxor xmm0, xmm9, [0x80808080808080808080808080808080]
;;   vpcmpgtb xmm0, xmm0, xmm15
;;   return
;; $i8x16_max_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxsb xmm0, xmm8, xmm9
;;   return
;; $i8x16_max_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxub xmm0, xmm8, xmm9
;;   return
;; $i8x16_min_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminsb xmm0, xmm8, xmm9
;;   return
;; $i8x16_min_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminub xmm0, xmm8, xmm9
;;   return
;; $i8x16_narrow_i16x8_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpacksswb xmm0, xmm8, xmm9
;;   return
;; $i8x16_narrow_i16x8_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpackuswb xmm0, xmm8, xmm9
;;   return
;; $i8x16_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqb xmm0, xmm8, xmm9
;;   vpxor xmm0, xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i8x16_neg
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpsubb xmm0, xmm15, xmm8
;;   return
;; $i8x16_popcnt
;;   movaps xmm8, xmm0
;;   vpsrlw xmm15, xmm8, 4
;;   vpand xmm15, xmm15, [0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f]
;;   vpand xmm1, xmm8, [0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f]
;;   vmovaps xmm0, [0x04030302030202010302020102010100]
;;   vpshufb xmm1, xmm0, xmm1
;;   vpshufb xmm15, xmm0, xmm15
;;   vpaddb xmm1, xmm1, xmm15
;;   movaps xmm0, xmm1
;;   return
;; $i8x16_shl
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 7
;;   vmovd xmm0, r11d
;;   vpcmpeqd xmm15, xmm15, xmm15
;;   vpsrlw xmm15, xmm15, 8
;;   vpsrlw xmm15, xmm15, xmm0
;;   vpackuswb xmm15, xmm15, xmm15
;;   vpand xmm1, xmm8, xmm15
;;   vpsllw xmm1, xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i8x16_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 7
;;   add r11d, 8
;;   vmovd xmm15, r11d
;;   vpunpckhbw xmm0, xmm8, xmm8
;;   vpunpcklbw xmm1, xmm8, xmm8
;;   vpsraw xmm0, xmm0, xmm15
;;   vpsraw xmm1, xmm1, xmm15
;;   vpacksswb xmm1, xmm1, xmm0
;;   movaps xmm0, xmm1
;;   return
;; $i8x16_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubb xmm0, xmm8, xmm9
;;   return
;; $i8x16_sub_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubsb xmm0, xmm8, xmm9
;;   return
;; $i8x16_sub_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubusb xmm0, xmm8, xmm9
;;   return
;; $i8x16_swizzle
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpaddusb xmm15, xmm9, [0x70707070707070707070707070707070]
;;   vpshufb xmm0, xmm8, xmm15
;;   return
