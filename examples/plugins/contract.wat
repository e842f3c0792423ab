;; A contract: adds up the square roots of the numbers below its input. For 0 it gives a NaN, for very much it never ends.
(module
  (func (export "run") (param $n i64) (result f64) (local $sum f64)
    (if (i64.eqz (local.get $n)) (then (return (f64.div (f64.const 0) (f64.neg (f64.const 0))))))
    (loop $next
      (local.set $n (i64.sub (local.get $n) (i64.const 1)))
      (local.set $sum (f64.add (local.get $sum) (f64.sqrt (f64.convert_i64_u (local.get $n)))))
      (br_if $next (i64.ne (local.get $n) (i64.const 0))))
    (local.get $sum)))
