;; Operators of i16x8 that the other files leave out: each on its own.
(module
  (func $i16x8_abs (param v128) (result v128) (i16x8.abs (local.get 0)))
  (func $i16x8_add_sat_s (param v128 v128) (result v128) (i16x8.add_sat_s (local.get 0) (local.get 1)))
  (func $i16x8_add_sat_u (param v128 v128) (result v128) (i16x8.add_sat_u (local.get 0) (local.get 1)))
  (func $i16x8_all_true (param v128) (result i32) (i16x8.all_true (local.get 0)))
  (func $i16x8_avgr_u (param v128 v128) (result v128) (i16x8.avgr_u (local.get 0) (local.get 1)))
  (func $i16x8_bitmask (param v128) (result i32) (i16x8.bitmask (local.get 0)))
  (func $i16x8_eq (param v128 v128) (result v128) (i16x8.eq (local.get 0) (local.get 1)))
  (func $i16x8_extadd_pairwise_i8x16_s (param v128) (result v128) (i16x8.extadd_pairwise_i8x16_s (local.get 0)))
  (func $i16x8_extadd_pairwise_i8x16_u (param v128) (result v128) (i16x8.extadd_pairwise_i8x16_u (local.get 0)))
  (func $i16x8_extmul_high_i8x16_s (param v128 v128) (result v128) (i16x8.extmul_high_i8x16_s (local.get 0) (local.get 1)))
  (func $i16x8_extmul_high_i8x16_u (param v128 v128) (result v128) (i16x8.extmul_high_i8x16_u (local.get 0) (local.get 1)))
  (func $i16x8_extmul_low_i8x16_s (param v128 v128) (result v128) (i16x8.extmul_low_i8x16_s (local.get 0) (local.get 1)))
  (func $i16x8_extmul_low_i8x16_u (param v128 v128) (result v128) (i16x8.extmul_low_i8x16_u (local.get 0) (local.get 1)))
  (func $i16x8_extend_high_i8x16_s (param v128) (result v128) (i16x8.extend_high_i8x16_s (local.get 0)))
  (func $i16x8_extend_high_i8x16_u (param v128) (result v128) (i16x8.extend_high_i8x16_u (local.get 0)))
  (func $i16x8_extend_low_i8x16_s (param v128) (result v128) (i16x8.extend_low_i8x16_s (local.get 0)))
  (func $i16x8_extend_low_i8x16_u (param v128) (result v128) (i16x8.extend_low_i8x16_u (local.get 0)))
  (func $i16x8_ge_s (param v128 v128) (result v128) (i16x8.ge_s (local.get 0) (local.get 1)))
  (func $i16x8_ge_u (param v128 v128) (result v128) (i16x8.ge_u (local.get 0) (local.get 1)))
  (func $i16x8_gt_s (param v128 v128) (result v128) (i16x8.gt_s (local.get 0) (local.get 1)))
  (func $i16x8_gt_u (param v128 v128) (result v128) (i16x8.gt_u (local.get 0) (local.get 1)))
  (func $i16x8_le_s (param v128 v128) (result v128) (i16x8.le_s (local.get 0) (local.get 1)))
  (func $i16x8_le_u (param v128 v128) (result v128) (i16x8.le_u (local.get 0) (local.get 1)))
  (func $i16x8_lt_s (param v128 v128) (result v128) (i16x8.lt_s (local.get 0) (local.get 1)))
  (func $i16x8_lt_u (param v128 v128) (result v128) (i16x8.lt_u (local.get 0) (local.get 1)))
  (func $i16x8_max_s (param v128 v128) (result v128) (i16x8.max_s (local.get 0) (local.get 1)))
  (func $i16x8_max_u (param v128 v128) (result v128) (i16x8.max_u (local.get 0) (local.get 1)))
  (func $i16x8_min_s (param v128 v128) (result v128) (i16x8.min_s (local.get 0) (local.get 1)))
  (func $i16x8_min_u (param v128 v128) (result v128) (i16x8.min_u (local.get 0) (local.get 1)))
  (func $i16x8_mul (param v128 v128) (result v128) (i16x8.mul (local.get 0) (local.get 1)))
  (func $i16x8_narrow_i32x4_s (param v128 v128) (result v128) (i16x8.narrow_i32x4_s (local.get 0) (local.get 1)))
  (func $i16x8_narrow_i32x4_u (param v128 v128) (result v128) (i16x8.narrow_i32x4_u (local.get 0) (local.get 1)))
  (func $i16x8_ne (param v128 v128) (result v128) (i16x8.ne (local.get 0) (local.get 1)))
  (func $i16x8_neg (param v128) (result v128) (i16x8.neg (local.get 0)))
  (func $i16x8_q15mulr_sat_s (param v128 v128) (result v128) (i16x8.q15mulr_sat_s (local.get 0) (local.get 1)))
  (func $i16x8_shl (param v128 i32) (result v128) (i16x8.shl (local.get 0) (local.get 1)))
  (func $i16x8_shr_s (param v128 i32) (result v128) (i16x8.shr_s (local.get 0) (local.get 1)))
  (func $i16x8_shr_u (param v128 i32) (result v128) (i16x8.shr_u (local.get 0) (local.get 1)))
  (func $i16x8_sub (param v128 v128) (result v128) (i16x8.sub (local.get 0) (local.get 1)))
  (func $i16x8_sub_sat_s (param v128 v128) (result v128) (i16x8.sub_sat_s (local.get 0) (local.get 1)))
  (func $i16x8_sub_sat_u (param v128 v128) (result v128) (i16x8.sub_sat_u (local.get 0) (local.get 1))))
;;! x64
;; $i16x8_abs
;;   movaps xmm8, xmm0
;;   pabsw xmm0, xmm8
;;   return
;; $i16x8_add_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   paddsw xmm0, xmm9
;;   return
;; $i16x8_add_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   paddusw xmm0, xmm9
;;   return
;; $i16x8_all_true
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   pcmpeqw xmm15, xmm8
;;   ptest xmm15, xmm15
;;   sete al
;;   movzx eax, al
;;   return
;; $i16x8_avgr_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pavgw xmm0, xmm9
;;   return
;; $i16x8_bitmask
;;   movaps xmm8, xmm0
;;   movaps xmm15, xmm8
;;   packsswb xmm15, xmm15
;;   pmovmskb eax, xmm15
;;   movzx eax, al
;;   return
;; $i16x8_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqw xmm0, xmm9
;;   return
;; $i16x8_extadd_pairwise_i8x16_s
;;   movaps xmm8, xmm0
;;   movaps xmm15, [0x01010101010101010101010101010101]
;;   pmaddubsw xmm15, xmm8
;;   movaps xmm0, xmm15
;;   return
;; $i16x8_extadd_pairwise_i8x16_u
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pmaddubsw xmm0, [0x01010101010101010101010101010101]
;;   return
;; $i16x8_extmul_high_i8x16_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pshufd xmm15, xmm9, 0xEE
;;   pmovsxbw xmm15, xmm15
;;   pshufd xmm0, xmm8, 0xEE
;;   pmovsxbw xmm0, xmm0
;;   pmullw xmm0, xmm15
;;   return
;; $i16x8_extmul_high_i8x16_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pshufd xmm15, xmm9, 0xEE
;;   pmovzxbw xmm15, xmm15
;;   pshufd xmm0, xmm8, 0xEE
;;   pmovzxbw xmm0, xmm0
;;   pmullw xmm0, xmm15
;;   return
;; $i16x8_extmul_low_i8x16_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pmovsxbw xmm15, xmm9
;;   pmovsxbw xmm0, xmm8
;;   pmullw xmm0, xmm15
;;   return
;; $i16x8_extmul_low_i8x16_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   pmovzxbw xmm15, xmm9
;;   pmovzxbw xmm0, xmm8
;;   pmullw xmm0, xmm15
;;   return
;; $i16x8_extend_high_i8x16_s
;;   movaps xmm8, xmm0
;;   pshufd xmm0, xmm8, 0xEE
;;   pmovsxbw xmm0, xmm0
;;   return
;; $i16x8_extend_high_i8x16_u
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   punpckhbw xmm0, [0x00000000000000000000000000000000]
;;   return
;; $i16x8_extend_low_i8x16_s
;;   movaps xmm8, xmm0
;;   pmovsxbw xmm0, xmm8
;;   return
;; $i16x8_extend_low_i8x16_u
;;   movaps xmm8, xmm0
;;   pmovzxbw xmm0, xmm8
;;   return
;; $i16x8_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmaxsw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqw xmm0, xmm15
;;   return
;; $i16x8_ge_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pmaxuw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqw xmm0, xmm15
;;   return
;; $i16x8_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpgtw xmm0, xmm9
;;   return
;; $i16x8_gt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm9
;;   pxor xmm15, [0x80008000800080008000800080008000]
;;   movaps xmm0, xmm8
;;   pxor xmm0, [0x80008000800080008000800080008000]
;;   pcmpgtw xmm0, xmm15
;;   return
;; $i16x8_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pminsw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqw xmm0, xmm15
;;   return
;; $i16x8_le_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pminuw xmm15, xmm9
;;   movaps xmm0, xmm8
;;   pcmpeqw xmm0, xmm15
;;   return
;; $i16x8_lt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm9
;;   pcmpgtw xmm0, xmm8
;;   return
;; $i16x8_lt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm15, xmm8
;;   pxor xmm15, [0x80008000800080008000800080008000]
;;   movaps xmm0, xmm9
;;   pxor xmm0, [0x80008000800080008000800080008000]
;;   pcmpgtw xmm0, xmm15
;;   return
;; $i16x8_max_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmaxsw xmm0, xmm9
;;   return
;; $i16x8_max_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmaxuw xmm0, xmm9
;;   return
;; $i16x8_min_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pminsw xmm0, xmm9
;;   return
;; $i16x8_min_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pminuw xmm0, xmm9
;;   return
;; $i16x8_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmullw xmm0, xmm9
;;   return
;; $i16x8_narrow_i32x4_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   packssdw xmm0, xmm9
;;   return
;; $i16x8_narrow_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   packusdw xmm0, xmm9
;;   return
;; $i16x8_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pcmpeqw xmm0, xmm9
;;   pxor xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i16x8_neg
;;   movaps xmm8, xmm0
;;   pxor xmm15, xmm15
;;   psubw xmm15, xmm8
;;   movaps xmm0, xmm15
;;   return
;; $i16x8_q15mulr_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   pmulhrsw xmm0, xmm9
;;   movaps xmm15, xmm0
;;   pcmpeqw xmm15, [0x80008000800080008000800080008000]
;;   pxor xmm0, xmm15
;;   return
;; $i16x8_shl
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0xF
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   psllw xmm0, xmm15
;;   return
;; $i16x8_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0xF
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   psraw xmm0, xmm15
;;   return
;; $i16x8_shr_u
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0xF
;;   movd xmm15, r11d
;;   movaps xmm0, xmm8
;;   psrlw xmm0, xmm15
;;   return
;; $i16x8_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubw xmm0, xmm9
;;   return
;; $i16x8_sub_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubsw xmm0, xmm9
;;   return
;; $i16x8_sub_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   psubusw xmm0, xmm9
;;   return
;;! x64 avx avx2
;; $i16x8_abs
;;   movaps xmm8, xmm0
;;   vpabsw xmm0, xmm8
;;   return
;; $i16x8_add_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpaddsw xmm0, xmm8, xmm9
;;   return
;; $i16x8_add_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpaddusw xmm0, xmm8, xmm9
;;   return
;; $i16x8_all_true
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpcmpeqw xmm15, xmm15, xmm8
;;   vptest xmm15, xmm15
;;   sete al
;;   movzx eax, al
;;   return
;; $i16x8_avgr_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpavgw xmm0, xmm8, xmm9
;;   return
;; $i16x8_bitmask
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpacksswb xmm15, xmm8, xmm15
;;   vpmovmskb eax, xmm15
;;   return
;; $i16x8_eq
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqw xmm0, xmm8, xmm9
;;   return
;; $i16x8_extadd_pairwise_i8x16_s
;;   movaps xmm8, xmm0
;;   vmovaps xmm15, [0x01010101010101010101010101010101]
;;   vpmaddubsw xmm0, xmm15, xmm8
;;   return
;; $i16x8_extadd_pairwise_i8x16_u
;;   movaps xmm8, xmm0
;;   vpmaddubsw xmm0, xmm8, [0x01010101010101010101010101010101]
;;   return
;; $i16x8_extmul_high_i8x16_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufd xmm15, xmm9, 0xEE
;;   vpmovsxbw xmm15, xmm15
;;   vpshufd xmm0, xmm8, 0xEE
;;   vpmovsxbw xmm0, xmm0
;;   vpmullw xmm0, xmm0, xmm15
;;   return
;; $i16x8_extmul_high_i8x16_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpshufd xmm15, xmm9, 0xEE
;;   vpmovzxbw xmm15, xmm15
;;   vpshufd xmm0, xmm8, 0xEE
;;   vpmovzxbw xmm0, xmm0
;;   vpmullw xmm0, xmm0, xmm15
;;   return
;; $i16x8_extmul_low_i8x16_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmovsxbw xmm15, xmm9
;;   vpmovsxbw xmm0, xmm8
;;   vpmullw xmm0, xmm0, xmm15
;;   return
;; $i16x8_extmul_low_i8x16_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmovzxbw xmm15, xmm9
;;   vpmovzxbw xmm0, xmm8
;;   vpmullw xmm0, xmm0, xmm15
;;   return
;; $i16x8_extend_high_i8x16_s
;;   movaps xmm8, xmm0
;;   vpshufd xmm0, xmm8, 0xEE
;;   vpmovsxbw xmm0, xmm0
;;   return
;; $i16x8_extend_high_i8x16_u
;;   movaps xmm8, xmm0
;;   vpunpckhbw xmm0, xmm8, [0x00000000000000000000000000000000]
;;   return
;; $i16x8_extend_low_i8x16_s
;;   movaps xmm8, xmm0
;;   vpmovsxbw xmm0, xmm8
;;   return
;; $i16x8_extend_low_i8x16_u
;;   movaps xmm8, xmm0
;;   vpmovzxbw xmm0, xmm8
;;   return
;; $i16x8_ge_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxsw xmm15, xmm8, xmm9
;;   vpcmpeqw xmm0, xmm8, xmm15
;;   return
;; $i16x8_ge_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxuw xmm15, xmm8, xmm9
;;   vpcmpeqw xmm0, xmm8, xmm15
;;   return
;; $i16x8_gt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtw xmm0, xmm8, xmm9
;;   return
;; $i16x8_gt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpxor xmm15, xmm9, [0x80008000800080008000800080008000]
;;   vpxor xmm0, xmm8, [0x80008000800080008000800080008000]
;;   vpcmpgtw xmm0, xmm0, xmm15
;;   return
;; $i16x8_le_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminsw xmm15, xmm8, xmm9
;;   vpcmpeqw xmm0, xmm8, xmm15
;;   return
;; $i16x8_le_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminuw xmm15, xmm8, xmm9
;;   vpcmpeqw xmm0, xmm8, xmm15
;;   return
;; $i16x8_lt_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpgtw xmm0, xmm9, xmm8
;;   return
;; $i16x8_lt_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpxor xmm15, xmm8, [0x80008000800080008000800080008000]
;;   vpxor xmm0, xmm9, [0x80008000800080008000800080008000]
;;   vpcmpgtw xmm0, xmm0, xmm15
;;   return
;; $i16x8_max_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxsw xmm0, xmm8, xmm9
;;   return
;; $i16x8_max_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmaxuw xmm0, xmm8, xmm9
;;   return
;; $i16x8_min_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminsw xmm0, xmm8, xmm9
;;   return
;; $i16x8_min_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpminuw xmm0, xmm8, xmm9
;;   return
;; $i16x8_mul
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmullw xmm0, xmm8, xmm9
;;   return
;; $i16x8_narrow_i32x4_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpackssdw xmm0, xmm8, xmm9
;;   return
;; $i16x8_narrow_i32x4_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpackusdw xmm0, xmm8, xmm9
;;   return
;; $i16x8_ne
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpcmpeqw xmm0, xmm8, xmm9
;;   vpxor xmm0, xmm0, [0xffffffffffffffffffffffffffffffff]
;;   return
;; $i16x8_neg
;;   movaps xmm8, xmm0
;;   vpxor xmm15, xmm15, xmm15
;;   vpsubw xmm0, xmm15, xmm8
;;   return
;; $i16x8_q15mulr_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpmulhrsw xmm0, xmm8, xmm9
;;   vpcmpeqw xmm15, xmm0, [0x80008000800080008000800080008000]
;;   vpxor xmm0, xmm0, xmm15
;;   return
;; $i16x8_shl
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0xF
;;   vmovd xmm15, r11d
;;   vpsllw xmm0, xmm8, xmm15
;;   return
;; $i16x8_shr_s
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0xF
;;   vmovd xmm15, r11d
;;   vpsraw xmm0, xmm8, xmm15
;;   return
;; $i16x8_shr_u
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   mov r11d, esi
;;   and r11d, 0xF
;;   vmovd xmm15, r11d
;;   vpsrlw xmm0, xmm8, xmm15
;;   return
;; $i16x8_sub
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubw xmm0, xmm8, xmm9
;;   return
;; $i16x8_sub_sat_s
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubsw xmm0, xmm8, xmm9
;;   return
;; $i16x8_sub_sat_u
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vpsubusw xmm0, xmm8, xmm9
;;   return
