;; Single lanes, in and out, and one value in all lanes.
(module
  (func $f32x4_extract_lane (param v128) (result f32) (f32x4.extract_lane 3 (local.get 0)))
  (func $f32x4_replace_lane (param v128 f32) (result v128) (f32x4.replace_lane 3 (local.get 0) (local.get 1)))
  (func $f64x2_extract_lane (param v128) (result f64) (f64x2.extract_lane 1 (local.get 0)))
  (func $f64x2_replace_lane (param v128 f64) (result v128) (f64x2.replace_lane 1 (local.get 0) (local.get 1)))
  (func $f64x2_splat (param f64) (result v128) (f64x2.splat (local.get 0)))
  (func $i16x8_extract_lane_u (param v128) (result i32) (i16x8.extract_lane_u 7 (local.get 0)))
  (func $i16x8_replace_lane (param v128 i32) (result v128) (i16x8.replace_lane 7 (local.get 0) (local.get 1)))
  (func $i32x4_extract_lane (param v128) (result i32) (i32x4.extract_lane 3 (local.get 0)))
  (func $i32x4_replace_lane (param v128 i32) (result v128) (i32x4.replace_lane 3 (local.get 0) (local.get 1)))
  (func $i32x4_splat (param i32) (result v128) (i32x4.splat (local.get 0)))
  (func $i64x2_extract_lane (param v128) (result i64) (i64x2.extract_lane 1 (local.get 0)))
  (func $i64x2_splat (param i64) (result v128) (i64x2.splat (local.get 0)))
  (func $i8x16_extract_lane_s (param v128) (result i32) (i8x16.extract_lane_s 15 (local.get 0)))
  (func $i8x16_extract_lane_u (param v128) (result i32) (i8x16.extract_lane_u 15 (local.get 0)))
  (func $i8x16_replace_lane (param v128 i32) (result v128) (i8x16.replace_lane 15 (local.get 0) (local.get 1))))
;;! x64
;; $f32x4_extract_lane
;;   movaps xmm8, xmm0
;;   pshufd xmm0, xmm8, 0xFF
;;   return
;; $f32x4_replace_lane
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   insertps xmm0, xmm9, 0x30
;;   return
;; $f64x2_extract_lane
;;   movaps xmm8, xmm0
;;   pshufd xmm0, xmm8, 0xEE
;;   return
;; $f64x2_replace_lane
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   movaps xmm0, xmm8
;;   movlhps xmm0, xmm9
;;   return
;; $f64x2_splat
;;   movaps xmm8, xmm0
;;   movddup xmm0, xmm8
;;   return
;; $i16x8_extract_lane_u
;;   movaps xmm8, xmm0
;;   pextrw eax, xmm8, 7
;;   return
;; $i16x8_replace_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pinsrw xmm0, esi, 7
;;   return
;; $i32x4_extract_lane
;;   movaps xmm8, xmm0
;;   pextrd eax, xmm8, 3
;;   return
;; $i32x4_replace_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pinsrd xmm0, esi, 3
;;   return
;; $i32x4_splat
;;   mov rsi, rdx
;;   movd xmm0, esi
;;   pshufd xmm0, xmm0, 0
;;   return
;; $i64x2_extract_lane
;;   movaps xmm8, xmm0
;;   pextrq rax, xmm8, 1
;;   return
;; $i64x2_splat
;;   mov rsi, rdx
;;   movq xmm0, rsi
;;   punpcklqdq xmm0, xmm0
;;   return
;; $i8x16_extract_lane_s
;;   movaps xmm8, xmm0
;;   pextrb eax, xmm8, 0xF
;;   movsx eax, al
;;   return
;; $i8x16_extract_lane_u
;;   movaps xmm8, xmm0
;;   pextrb eax, xmm8, 0xF
;;   return
;; $i8x16_replace_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pinsrb xmm0, esi, 0xF
;;   return
;;! x64 avx avx2
;; $f32x4_extract_lane
;;   movaps xmm8, xmm0
;;   vpshufd xmm0, xmm8, 0xFF
;;   return
;; $f32x4_replace_lane
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vinsertps xmm0, xmm8, xmm9, 0x30
;;   return
;; $f64x2_extract_lane
;;   movaps xmm8, xmm0
;;   vpshufd xmm0, xmm8, 0xEE
;;   return
;; $f64x2_replace_lane
;;   movaps xmm8, xmm0
;;   movaps xmm9, xmm1
;;   vmovlhps xmm0, xmm8, xmm9
;;   return
;; $f64x2_splat
;;   movaps xmm8, xmm0
;;   vmovddup xmm0, xmm8
;;   return
;; $i16x8_extract_lane_u
;;   movaps xmm8, xmm0
;;   vpextrw eax, xmm8, 7
;;   return
;; $i16x8_replace_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpinsrw xmm0, xmm8, esi, 7
;;   return
;; $i32x4_extract_lane
;;   movaps xmm8, xmm0
;;   vpextrd eax, xmm8, 3
;;   return
;; $i32x4_replace_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpinsrd xmm0, xmm8, esi, 3
;;   return
;; $i32x4_splat
;;   mov rsi, rdx
;;   vmovd xmm0, esi
;;   vpshufd xmm0, xmm0, 0
;;   return
;; $i64x2_extract_lane
;;   movaps xmm8, xmm0
;;   vpextrq rax, xmm8, 1
;;   return
;; $i64x2_splat
;;   mov rsi, rdx
;;   vmovq xmm0, rsi
;;   vpunpcklqdq xmm0, xmm0, xmm0
;;   return
;; $i8x16_extract_lane_s
;;   movaps xmm8, xmm0
;;   vpextrb eax, xmm8, 0xF
;;   movsx eax, al
;;   return
;; $i8x16_extract_lane_u
;;   movaps xmm8, xmm0
;;   vpextrb eax, xmm8, 0xF
;;   return
;; $i8x16_replace_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpinsrb xmm0, xmm8, esi, 0xF
;;   return
