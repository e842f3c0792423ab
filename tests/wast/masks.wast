;; What a compare gives is a mask of whole lanes, for which a selection of bits may be one of lanes; as long as it is what
;; the compare gave that is selected by, on every way here.

(module
  (func (export "direct") (param v128 v128) (result v128)
    (v128.bitselect (local.get 0) (local.get 1) (i16x8.gt_u (local.get 0) (local.get 1))))

  (func (export "twice") (param $a v128) (param $b v128) (param $c v128) (result v128) (local $mask v128)
    (local.set $mask (i32x4.lt_u (local.get $a) (local.get $b)))
    (local.set $a (v128.bitselect (local.get $a) (local.get $b) (local.get $mask)))
    (local.set $b (v128.bitselect (local.get $c) (local.get $b) (local.get $mask)))
    (i32x4.add (local.get $a) (local.get $b)))

  ;; The mask is overwritten by what it selected.
  (func (export "overwritten") (param $a v128) (param $b v128) (param $c v128) (result v128) (local $mask v128)
    (local.set $mask (f32x4.lt (local.get $a) (local.get $b)))
    (local.set $mask (v128.bitselect (local.get $c) (local.get $b) (local.get $mask)))
    (v128.bitselect (local.get $a) (local.get $b) (local.get $mask)))

  ;; A label stands between: the other way brings bits.
  (func (export "label") (param $bits v128) (param $other i32) (param $a v128) (param $b v128) (result v128)
    (local.get $a) (local.get $b)
    (block $l (result v128)
      (br_if $l (local.get $bits) (local.get $other))
      drop
      (i8x16.eq (local.get $a) (local.get $b)))
    (v128.bitselect))

  (func (export "constant") (param v128) (result v128)
    (i8x16.lt_u (local.get 0) (v128.const i8x16 0 1 2 127 128 129 254 255 0 1 2 127 128 129 254 255)))
  (func (export "high_u") (param v128) (result v128)
    (v128.xor (i16x8.extend_high_i8x16_u (local.get 0))
      (v128.xor (i32x4.extend_high_i16x8_u (local.get 0)) (i64x2.extend_high_i32x4_u (local.get 0))))))

(assert_return (invoke "direct" (v128.const i16x8 1 2 3 0x8000 0xffff 0 5 6) (v128.const i16x8 2 1 3 0x7fff 0 0xffff 6 5))
  (v128.const i16x8 2 2 3 0x8000 0xffff 0xffff 6 6))
(assert_return
  (invoke "twice" (v128.const i32x4 1 0x80000000 3 4) (v128.const i32x4 2 1 3 0xffffffff) (v128.const i32x4 10 20 30 40))
  (v128.const i32x4 11 2 6 44))
(assert_return
  (invoke "overwritten" (v128.const f32x4 1 2 3 4) (v128.const f32x4 2 1 4 3) (v128.const i32x4 1 2 0x0f0f0f0f 4))
  (v128.const i32x4 0x40000000 0 0x40800000 0x40000000))
(assert_return
  (invoke "label" (v128.const i32x4 0x0f0f0f0f 0x10101010 0x80808080 1) (i32.const 1) (v128.const i32x4 -1 -1 -1 -1)
    (v128.const i32x4 0 0 0 0))
  (v128.const i32x4 0x0f0f0f0f 0x10101010 0x80808080 1))
(assert_return
  (invoke "label" (v128.const i32x4 0x0f0f0f0f 0x10101010 0x80808080 1) (i32.const 0) (v128.const i32x4 -1 0 -1 -1)
    (v128.const i32x4 0 0 0 0))
  (v128.const i32x4 0 0 0 0))
(assert_return
  (invoke "constant" (v128.const i8x16 0 0 0 0 0 0 0 0 255 1 127 128 127 128 255 254))
  (v128.const i8x16 0 -1 -1 -1 -1 -1 -1 -1 0 0 0 0 -1 -1 0 -1))
(assert_return (invoke "high_u" (v128.const i8x16 0 0 0 0 0 0 0 0 255 1 2 3 4 5 6 255))
  (v128.const i8x16 255 0 3 3 0 3 3 0 4 0 3 255 0 255 255 0))
