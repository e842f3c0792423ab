;; What is shifted by a constant and then written is computed in the local's register, where others may still wait for
;; what the local held; and a mask of the lower half is a move.

(module
  (func (export "0") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 7 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "1") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 0 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "2") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 32 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "3") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 35 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "4") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const -1 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "5") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 7 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "6") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 0 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "7") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 32 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "8") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 35 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "9") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const -1 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "10") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 7 i32.rotr local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "11") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 7 i32.rotr local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "12") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 7 i32.shl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "13") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 7 i32.shl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "14") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 7 i32.shr_s local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "15") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 7 i32.shr_s local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "16") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.xor i32.const 7 i32.shr_u local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "17") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.xor i32.const 7 i32.shr_u local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "18") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.sub i32.const 7 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "19") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.sub i32.const 7 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "20") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.sub i32.const 7 i32.rotr local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "21") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.sub i32.const 7 i32.rotr local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "22") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.sub i32.const 7 i32.shl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "23") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.sub i32.const 7 i32.shl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "24") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.sub i32.const 7 i32.shr_s local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "25") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.sub i32.const 7 i32.shr_s local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "26") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.sub i32.const 7 i32.shr_u local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "27") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.sub i32.const 7 i32.shr_u local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "28") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.add i32.const 7 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "29") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.add i32.const 7 i32.rotl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "30") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.add i32.const 7 i32.rotr local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "31") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.add i32.const 7 i32.rotr local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "32") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.add i32.const 7 i32.shl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "33") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.add i32.const 7 i32.shl local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "34") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.add i32.const 7 i32.shr_s local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "35") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.add i32.const 7 i32.shr_s local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "36") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $x local.get $y i32.add i32.const 7 i32.shr_u local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "37") (param $x i32) (param $y i32) (result i32)
    local.get $x local.get $y local.get $x i32.add i32.const 7 i32.shr_u local.tee $x i32.sub
    local.get $x i32.xor)
  (func (export "38") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 7 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "39") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 0 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "40") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 64 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "41") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 67 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "42") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const -1 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "43") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 7 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "44") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 0 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "45") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 64 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "46") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 67 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "47") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const -1 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "48") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 7 i64.rotr local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "49") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 7 i64.rotr local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "50") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 7 i64.shl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "51") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 7 i64.shl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "52") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 7 i64.shr_s local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "53") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 7 i64.shr_s local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "54") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.xor i64.const 7 i64.shr_u local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "55") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.xor i64.const 7 i64.shr_u local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "56") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.sub i64.const 7 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "57") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.sub i64.const 7 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "58") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.sub i64.const 7 i64.rotr local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "59") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.sub i64.const 7 i64.rotr local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "60") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.sub i64.const 7 i64.shl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "61") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.sub i64.const 7 i64.shl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "62") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.sub i64.const 7 i64.shr_s local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "63") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.sub i64.const 7 i64.shr_s local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "64") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.sub i64.const 7 i64.shr_u local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "65") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.sub i64.const 7 i64.shr_u local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "66") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.add i64.const 7 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "67") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.add i64.const 7 i64.rotl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "68") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.add i64.const 7 i64.rotr local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "69") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.add i64.const 7 i64.rotr local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "70") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.add i64.const 7 i64.shl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "71") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.add i64.const 7 i64.shl local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "72") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.add i64.const 7 i64.shr_s local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "73") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.add i64.const 7 i64.shr_s local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "74") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $x local.get $y i64.add i64.const 7 i64.shr_u local.tee $x i64.sub
    local.get $x i64.xor)
  (func (export "75") (param $x i64) (param $y i64) (result i64)
    local.get $x local.get $y local.get $x i64.add i64.const 7 i64.shr_u local.tee $x i64.sub
    local.get $x i64.xor)
  ;; As long as there are other locals to choose from, in a loop that keeps them.
  (func (export "loop") (param $x i64) (param $y i64) (param $n i32) (result i64)
    (loop $next
      (local.set $x (i64.rotl (i64.xor (local.get $x) (local.get $y)) (i64.const 32)))
      (local.set $y (i64.rotl (i64.add (local.get $y) (local.get $x)) (i64.const 24)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.xor (local.get $x) (local.get $y)))

  (memory 1)
  (func (export "lower half") (param $x i64) (result i64)
    (i64.add (i64.and (local.get $x) (i64.const 0xffffffff)) (local.get $x)))
  (func (export "lower half in place") (param $x i64) (result i64)
    (local.set $x (i64.and (local.get $x) (i64.const 0xffffffff)))
    (local.get $x))
  (func (export "lower half of a load") (param $at i32) (result i64)
    (i64.and (i64.load (local.get $at)) (i64.const 0xffffffff)))
  (func (export "lower half is zero") (param $x i64) (result i32)
    (i64.eqz (i64.and (local.get $x) (i64.const 0xffffffff)))))

(assert_return (invoke "0" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60b563c5))
(assert_return (invoke "1" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e3573e1))
(assert_return (invoke "2" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e3573e1))
(assert_return (invoke "3" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7ea17b91))
(assert_return (invoke "4" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7eb47bc5))
(assert_return (invoke "5" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60b563c5))
(assert_return (invoke "6" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e3573e1))
(assert_return (invoke "7" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e3573e1))
(assert_return (invoke "8" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7ea17b91))
(assert_return (invoke "9" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7eb47bc5))
(assert_return (invoke "10" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e2803c9))
(assert_return (invoke "11" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e2803c9))
(assert_return (invoke "12" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60b56215))
(assert_return (invoke "13" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60b56215))
(assert_return (invoke "14" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e2803c9))
(assert_return (invoke "15" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e2803c9))
(assert_return (invoke "16" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e2803c9))
(assert_return (invoke "17" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e2803c9))
(assert_return (invoke "18" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e4a7bc1))
(assert_return (invoke "19" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7f254395))
(assert_return (invoke "20" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e357bd5))
(assert_return (invoke "21" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7ca873e9))
(assert_return (invoke "22" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e4a7a15))
(assert_return (invoke "23" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7f254215))
(assert_return (invoke "24" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e357bd5))
(assert_return (invoke "25" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x80a873e9))
(assert_return (invoke "26" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7e357bd5))
(assert_return (invoke "27" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7ca873e9))
(assert_return (invoke "28" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60257b91))
(assert_return (invoke "29" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60257b91))
(assert_return (invoke "30" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7cb20389))
(assert_return (invoke "31" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7cb20389))
(assert_return (invoke "32" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60257815))
(assert_return (invoke "33" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x60257815))
(assert_return (invoke "34" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x80b20389))
(assert_return (invoke "35" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x80b20389))
(assert_return (invoke "36" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7cb20389))
(assert_return (invoke "37" (i32.const 0x7f4a7c15) (i32.const 0x27d4eb4f)) (i32.const 0x7cb20389))
(assert_return (invoke "38" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x19a075a160b563c9))
(assert_return (invoke "39" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x1d3475b17e3573e1))
(assert_return (invoke "40" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x1d3475b17e3573e1))
(assert_return (invoke "41" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5e2601b47ea17b91))
(assert_return (invoke "42" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x41b666357eb47bc5))
(assert_return (invoke "43" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x19a075a160b563c9))
(assert_return (invoke "44" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x1d3475b17e3573e1))
(assert_return (invoke "45" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x1d3475b17e3573e1))
(assert_return (invoke "46" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5e2601b47ea17b91))
(assert_return (invoke "47" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x41b666357eb47bc5))
(assert_return (invoke "48" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5dc765a57e2803c9))
(assert_return (invoke "49" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5dc765a57e2803c9))
(assert_return (invoke "50" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x19a075a160b56215))
(assert_return (invoke "51" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x19a075a160b56215))
(assert_return (invoke "52" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9dc765a57e2803c9))
(assert_return (invoke "53" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9dc765a57e2803c9))
(assert_return (invoke "54" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9dc765a57e2803c9))
(assert_return (invoke "55" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9dc765a57e2803c9))
(assert_return (invoke "56" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x19b405a67e4a7bc5))
(assert_return (invoke "57" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5d0776317f254211))
(assert_return (invoke "58" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9d3779b47e357bd5))
(assert_return (invoke "59" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5da6753970a873e9))
(assert_return (invoke "60" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x19b405a67e4a7a15))
(assert_return (invoke "61" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5d0776317f254215))
(assert_return (invoke "62" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x613779b47e357bd5))
(assert_return (invoke "63" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9da6753970a873e9))
(assert_return (invoke "64" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9d3779b47e357bd5))
(assert_return (invoke "65" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9da6753970a873e9))
(assert_return (invoke "66" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5c30853660257bd5))
(assert_return (invoke "67" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5c30853660257bd5))
(assert_return (invoke "68" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x1db471267cb20389))
(assert_return (invoke "69" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x1db471267cb20389))
(assert_return (invoke "70" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5c30853660257815))
(assert_return (invoke "71" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x5c30853660257815))
(assert_return (invoke "72" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9db471267cb20389))
(assert_return (invoke "73" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9db471267cb20389))
(assert_return (invoke "74" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9db471267cb20389))
(assert_return (invoke "75" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f)) (i64.const 0x9db471267cb20389))
(assert_return (invoke "loop" (i64.const 0x9e3779b97f4a7c15) (i64.const 0xc2b2ae3d27d4eb4f) (i32.const 5)) (i64.const 0xc06351d14ff4c01c))
(assert_return (invoke "lower half" (i64.const 0x9e3779b97f4a7c15)) (i64.const 0x9e3779b9fe94f82a))
(assert_return (invoke "lower half in place" (i64.const 0x9e3779b97f4a7c15)) (i64.const 0x7f4a7c15))
(assert_trap (invoke "lower half of a load" (i32.const 65532)) "out of bounds memory access")
(assert_return (invoke "lower half is zero" (i64.const 0x100000000)) (i32.const 1))
(assert_return (invoke "lower half is zero" (i64.const 0x100000001)) (i32.const 0))
