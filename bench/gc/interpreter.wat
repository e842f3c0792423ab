;; A tree-walking interpreter: expressions are structures of subtypes, told apart by casts; values are small numbers as
;; they are and boxed numbers, in an array of variables. The program counts primes and mixes a number.
(module
  (type $expr (sub (struct)))
  (type $const (sub final $expr (struct (field $value (ref eq)))))
  (type $get (sub final $expr (struct (field $name i32))))
  (type $set (sub final $expr (struct (field $name i32) (field $to (ref $expr)))))
  ;; Types of one shape are one type, unless they are in one group.
  (rec
    (type $binary (sub $expr (struct (field $left (ref $expr)) (field $right (ref $expr)))))
    (type $add (sub final $binary (struct (field $left (ref $expr)) (field $right (ref $expr)))))
    (type $mul (sub final $binary (struct (field $left (ref $expr)) (field $right (ref $expr)))))
    (type $rem (sub final $binary (struct (field $left (ref $expr)) (field $right (ref $expr)))))
    (type $less (sub final $binary (struct (field $left (ref $expr)) (field $right (ref $expr))))))
  (type $if (sub final $expr (struct (field $cond (ref $expr)) (field $yes (ref $expr)) (field $no (ref $expr)))))
  (type $while (sub final $expr (struct (field $cond (ref $expr)) (field $body (ref $expr)))))
  (type $list (array (ref $expr)))
  (type $block (sub final $expr (struct (field $body (ref $list)))))
  (type $boxed (struct (field i64)))
  (type $env (array (mut (ref eq))))

  (func $value (param $n i64) (result (ref eq))
    (if (result (ref eq)) (i64.lt_u (i64.add (local.get $n) (i64.const 0x20000000)) (i64.const 0x40000000))
      (then (ref.i31 (i32.wrap_i64 (local.get $n))))
      (else (struct.new $boxed (local.get $n)))))

  (func $number (param $value (ref eq)) (result i64)
    (block $other (result (ref eq))
      (return (i64.extend_i32_s (i31.get_s (br_on_cast_fail $other (ref eq) (ref i31) (local.get $value))))))
    (struct.get $boxed 0 (ref.cast (ref $boxed))))

  (func $eval (param $expr (ref $expr)) (param $env (ref $env)) (result (ref eq))
    (local $i i32) (local $list (ref $list)) (local $if (ref $if)) (local $while (ref $while))
    (block $const (result (ref $const))
    (block $get (result (ref $get))
    (block $set (result (ref $set))
    (block $binary (result (ref $binary))
    (block $if (result (ref $if))
    (block $while (result (ref $while))
    (block $block (result (ref $block))
      (br_on_cast $get (ref $expr) (ref $get) (local.get $expr))
      (br_on_cast $const (ref $expr) (ref $const))
      (br_on_cast $binary (ref $expr) (ref $binary))
      (br_on_cast $set (ref $expr) (ref $set))
      (br_on_cast $if (ref $expr) (ref $if))
      (br_on_cast $block (ref $expr) (ref $block))
      (br_on_cast $while (ref $expr) (ref $while))
      unreachable)
      ;; $block
      (local.set $list (struct.get $block $body))
      (loop $next
        (if (i32.lt_u (local.get $i) (array.len (local.get $list)))
          (then
            (drop (call $eval (array.get $list (local.get $list) (local.get $i)) (local.get $env)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next))))
      (return (ref.i31 (i32.const 0))))
      ;; $while
      (local.set $while)
      (loop $again
        (if (i64.ne (call $number (call $eval (struct.get $while $cond (local.get $while)) (local.get $env)))
              (i64.const 0))
          (then
            (drop (call $eval (struct.get $while $body (local.get $while)) (local.get $env)))
            (br $again))))
      (return (ref.i31 (i32.const 0))))
      ;; $if
      (local.set $if)
      (return_call $eval
        (if (result (ref $expr))
          (i64.ne (call $number (call $eval (struct.get $if $cond (local.get $if)) (local.get $env))) (i64.const 0))
          (then (struct.get $if $yes (local.get $if)))
          (else (struct.get $if $no (local.get $if))))
        (local.get $env)))
      ;; $binary
      (return_call $binary (local.get $env)))
      ;; $set
      (drop)
      (array.set $env (local.get $env)
        (struct.get $set $name (ref.cast (ref $set) (local.get $expr)))
        (call $eval (struct.get $set $to (ref.cast (ref $set) (local.get $expr))) (local.get $env)))
      (return (ref.i31 (i32.const 0))))
      ;; $get
      (local.set $i (struct.get $get $name))
      (return (array.get $env (local.get $env) (local.get $i))))
    ;; $const
    (struct.get $const $value))

  (func $binary (param $expr (ref $binary)) (param $env (ref $env)) (result (ref eq))
    (local $left i64) (local $right i64)
    (local.set $left (call $number (call $eval (struct.get $binary $left (local.get $expr)) (local.get $env))))
    (local.set $right (call $number (call $eval (struct.get $binary $right (local.get $expr)) (local.get $env))))
    (if (ref.test (ref $add) (local.get $expr))
      (then (return_call $value (i64.add (local.get $left) (local.get $right)))))
    (if (ref.test (ref $mul) (local.get $expr))
      (then (return_call $value (i64.mul (local.get $left) (local.get $right)))))
    (if (ref.test (ref $less) (local.get $expr))
      (then (return (ref.i31 (i64.lt_s (local.get $left) (local.get $right))))))
    (drop (ref.cast (ref $rem) (local.get $expr)))
    (call $value (i64.rem_s (local.get $left) (local.get $right))))

  ;; How a program is written down.
  (func $n (param i64) (result (ref $expr)) (struct.new $const (call $value (local.get 0))))
  (func $v (param i32) (result (ref $expr)) (struct.new $get (local.get 0)))
  (func $let (param i32 (ref $expr)) (result (ref $expr)) (struct.new $set (local.get 0) (local.get 1)))
  (func $plus (param (ref $expr) (ref $expr)) (result (ref $expr)) (struct.new $add (local.get 0) (local.get 1)))
  (func $times (param (ref $expr) (ref $expr)) (result (ref $expr)) (struct.new $mul (local.get 0) (local.get 1)))
  (func $modulo (param (ref $expr) (ref $expr)) (result (ref $expr)) (struct.new $rem (local.get 0) (local.get 1)))
  (func $lt (param (ref $expr) (ref $expr)) (result (ref $expr)) (struct.new $less (local.get 0) (local.get 1)))
  (func $choose (param (ref $expr) (ref $expr) (ref $expr)) (result (ref $expr))
    (struct.new $if (local.get 0) (local.get 1) (local.get 2)))
  (func $repeat (param (ref $expr) (ref $expr)) (result (ref $expr)) (struct.new $while (local.get 0) (local.get 1)))
  (func $two (param (ref $expr) (ref $expr)) (result (ref $expr))
    (struct.new $block (array.new_fixed $list 2 (local.get 0) (local.get 1))))
  (func $three (param (ref $expr) (ref $expr) (ref $expr)) (result (ref $expr))
    (struct.new $block (array.new_fixed $list 3 (local.get 0) (local.get 1) (local.get 2))))

  ;; i = 2; while i < 700: d = 2; while d * d < i + 1 and i % d: d = d + 1; primes += i < d * d; i = i + 1
  (func $primes (result (ref $expr))
    (call $two
      (call $let (i32.const 0) (call $n (i64.const 2)))
      (call $repeat (call $lt (call $v (i32.const 0)) (call $n (i64.const 700)))
        (call $three
          (call $let (i32.const 1) (call $n (i64.const 2)))
          (call $repeat
            (call $choose
              (call $lt (call $times (call $v (i32.const 1)) (call $v (i32.const 1)))
                        (call $plus (call $v (i32.const 0)) (call $n (i64.const 1))))
              (call $modulo (call $v (i32.const 0)) (call $v (i32.const 1)))
              (call $n (i64.const 0)))
            (call $let (i32.const 1) (call $plus (call $v (i32.const 1)) (call $n (i64.const 1)))))
          (call $two
            (call $let (i32.const 2) (call $plus (call $v (i32.const 2))
              (call $lt (call $v (i32.const 0)) (call $times (call $v (i32.const 1)) (call $v (i32.const 1))))))
            (call $let (i32.const 0) (call $plus (call $v (i32.const 0)) (call $n (i64.const 1)))))))))

  ;; x = 1; i = 0; while i < 3000: x = x * 6364136223846793005 + 1442695040888963407; i = i + 1
  (func $mix (result (ref $expr))
    (call $three
      (call $let (i32.const 0) (call $n (i64.const 0)))
      (call $let (i32.const 3) (call $n (i64.const 1)))
      (call $repeat (call $lt (call $v (i32.const 0)) (call $n (i64.const 3000)))
        (call $two
          (call $let (i32.const 3)
            (call $plus (call $times (call $v (i32.const 3)) (call $n (i64.const 6364136223846793005)))
                        (call $n (i64.const 1442695040888963407))))
          (call $let (i32.const 0) (call $plus (call $v (i32.const 0)) (call $n (i64.const 1))))))))

  (func (export "run") (param $rounds i32) (result i32)
    (local $env (ref $env)) (local $primes (ref $expr)) (local $mix (ref $expr))
    (local.set $env (array.new $env (ref.i31 (i32.const 0)) (i32.const 4)))
    (local.set $primes (call $primes))
    (local.set $mix (call $mix))
    (loop $round
      (drop (call $eval (local.get $primes) (local.get $env)))
      (drop (call $eval (local.get $mix) (local.get $env)))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.wrap_i64 (i64.add
      (call $number (array.get $env (local.get $env) (i32.const 2)))
      (call $number (array.get $env (local.get $env) (i32.const 3)))))))
