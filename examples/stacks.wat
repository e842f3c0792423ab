;; Changes of stacks, as `bench stacks` measures them. Each function makes `n` round trips and returns their sum.
(module
  (type $ft (func (param i32)))
  (type $ct (cont $ft))
  (type $f0 (func))
  (type $c0 (cont $f0))
  (rec (type $fs (func (param i32 (ref null $cs)))) (type $cs (cont $fs)))
  (tag $yield (param i32))
  (tag $turn)

  ;; A generator: gives the numbers from n down to 1.
  (func $generate (type $ft)
    (loop $next
      (suspend $yield (local.get 0))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))

  ;; Takes them, one by one.
  (func (export "suspend") (param $n i32) (result i32) (local $k (ref null $c0)) (local $sum i32)
    (block $first (result i32 (ref $c0))
      (resume $ct (on $yield $first) (local.get $n) (cont.new $ct (ref.func $generate)))
      (return (i32.const 0)))
    (local.set $k)
    (local.set $sum)
    (loop $next
      (block $value (result i32 (ref $c0))
        (resume $c0 (on $yield $value) (local.get $k))
        (return (local.get $sum)))
      (local.set $k)
      (local.set $sum (i32.add (local.get $sum)))
      (br $next))
    (unreachable))

  ;; Two that switch to each other: the one counts down, the other gives each number back.
  (func $echo (type $fs)
    (loop $again
      (switch $cs $turn (local.get 0) (local.get 1))
      (local.set 1)
      (local.set 0)
      (br $again)))
  (global $sum (mut i32) (i32.const 0))
  (func $count (type $ft) (local $other (ref null $cs)) (local $sum i32)
    (local.set $other (cont.new $cs (ref.func $echo)))
    (loop $again
      (switch $cs $turn (local.get 0) (local.get $other))
      (local.set $other)
      (local.set $sum (i32.add (local.get $sum)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (global.set $sum (local.get $sum)))
  (func (export "switch") (param $n i32) (result i32)
    (resume $ct (on $turn switch) (local.get $n) (cont.new $ct (ref.func $count)))
    (global.get $sum))

  (elem declare func $generate $echo $count))
