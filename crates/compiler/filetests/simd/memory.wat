;; Parts of vectors in memory: repeated, extended, one lane.
(module
  (memory 1)
  (func $v128_load16_lane (param i32 v128) (result v128) (v128.load16_lane 7 (local.get 0) (local.get 1)))
  (func $v128_load16x4_s (param i32) (result v128) (v128.load16x4_s offset=8 (local.get 0)))
  (func $v128_load16x4_u (param i32) (result v128) (v128.load16x4_u offset=8 (local.get 0)))
  (func $v128_load32_splat (param i32) (result v128) (v128.load32_splat offset=8 (local.get 0)))
  (func $v128_load32_zero (param i32) (result v128) (v128.load32_zero offset=8 (local.get 0)))
  (func $v128_load32x2_s (param i32) (result v128) (v128.load32x2_s offset=8 (local.get 0)))
  (func $v128_load32x2_u (param i32) (result v128) (v128.load32x2_u offset=8 (local.get 0)))
  (func $v128_load64_lane (param i32 v128) (result v128) (v128.load64_lane 1 (local.get 0) (local.get 1)))
  (func $v128_load64_splat (param i32) (result v128) (v128.load64_splat offset=8 (local.get 0)))
  (func $v128_load64_zero (param i32) (result v128) (v128.load64_zero offset=8 (local.get 0)))
  (func $v128_load8_lane (param i32 v128) (result v128) (v128.load8_lane 15 (local.get 0) (local.get 1)))
  (func $v128_load8_splat (param i32) (result v128) (v128.load8_splat offset=8 (local.get 0)))
  (func $v128_load8x8_s (param i32) (result v128) (v128.load8x8_s offset=8 (local.get 0)))
  (func $v128_store16_lane (param i32 v128) (v128.store16_lane 7 (local.get 0) (local.get 1)))
  (func $v128_store32_lane (param i32 v128) (v128.store32_lane 3 (local.get 0) (local.get 1)))
  (func $v128_store8_lane (param i32 v128) (v128.store8_lane 15 (local.get 0) (local.get 1))))
;;! x64
;; $v128_load16_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pinsrw xmm0, [r14+rsi], 7  ; MemoryOutOfBounds
;;   return
;; $v128_load16x4_s
;;   mov rsi, rdx
;;   pmovsxwd xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load16x4_u
;;   mov rsi, rdx
;;   pmovzxwd xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load32_splat
;;   mov rsi, rdx
;;   movss xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   shufps xmm0, xmm0, 0
;;   return
;; $v128_load32_zero
;;   mov rsi, rdx
;;   movss xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load32x2_s
;;   mov rsi, rdx
;;   pmovsxdq xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load32x2_u
;;   mov rsi, rdx
;;   pmovzxdq xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load64_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   movhps xmm0, [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; $v128_load64_splat
;;   mov rsi, rdx
;;   movddup xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load64_zero
;;   mov rsi, rdx
;;   movsd xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load8_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   movaps xmm0, xmm8
;;   pinsrb xmm0, [r14+rsi], 0xF  ; MemoryOutOfBounds
;;   return
;; $v128_load8_splat
;;   mov rsi, rdx
;;   pxor xmm15, xmm15
;;   movaps xmm0, xmm15
;;   pinsrb xmm0, [r14+rsi+8], 0  ; MemoryOutOfBounds
;;   pshufb xmm0, xmm15
;;   return
;; $v128_load8x8_s
;;   mov rsi, rdx
;;   pmovsxbw xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_store16_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   pextrw [r14+rsi], xmm8, 7  ; MemoryOutOfBounds
;;   return
;; $v128_store32_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   pextrd [r14+rsi], xmm8, 3  ; MemoryOutOfBounds
;;   return
;; $v128_store8_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   pextrb [r14+rsi], xmm8, 0xF  ; MemoryOutOfBounds
;;   return
;;! x64 avx avx2
;; $v128_load16_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpinsrw xmm0, xmm8, [r14+rsi], 7  ; MemoryOutOfBounds
;;   return
;; $v128_load16x4_s
;;   mov rsi, rdx
;;   vpmovsxwd xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load16x4_u
;;   mov rsi, rdx
;;   vpmovzxwd xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load32_splat
;;   mov rsi, rdx
;;   vbroadcastss xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load32_zero
;;   mov rsi, rdx
;;   movss xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load32x2_s
;;   mov rsi, rdx
;;   vpmovsxdq xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load32x2_u
;;   mov rsi, rdx
;;   vpmovzxdq xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load64_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vmovhps xmm0, xmm8, [r14+rsi]  ; MemoryOutOfBounds
;;   return
;; $v128_load64_splat
;;   mov rsi, rdx
;;   vmovddup xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load64_zero
;;   mov rsi, rdx
;;   movsd xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load8_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpinsrb xmm0, xmm8, [r14+rsi], 0xF  ; MemoryOutOfBounds
;;   return
;; $v128_load8_splat
;;   mov rsi, rdx
;;   vpbroadcastb xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_load8x8_s
;;   mov rsi, rdx
;;   vpmovsxbw xmm0, [r14+rsi+8]  ; MemoryOutOfBounds
;;   return
;; $v128_store16_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpextrw [r14+rsi], xmm8, 7  ; MemoryOutOfBounds
;;   return
;; $v128_store32_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpextrd [r14+rsi], xmm8, 3  ; MemoryOutOfBounds
;;   return
;; $v128_store8_lane
;;   mov rsi, rdx
;;   movaps xmm8, xmm0
;;   vpextrb [r14+rsi], xmm8, 0xF  ; MemoryOutOfBounds
;;   return
