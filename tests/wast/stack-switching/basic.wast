;; Generators, several suspensions, handlers in other functions, results, payloads.

(module
  (type $ft (func))
  (type $ct (cont $ft))
  (tag $yield (param i32))
  (global $seen (mut i32) (i32.const 0))

  (func $count (local $i i32)
    (loop $l
      (suspend $yield (local.get $i))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 5)))))

  (elem declare func $count)

  (func (export "sum") (result i32) (local $k (ref null $ct)) (local $sum i32) (local $v i32)
    (local.set $k (cont.new $ct (ref.func $count)))
    (loop $next
      (block $handler (result i32 (ref $ct))
        (resume $ct (on $yield $handler) (local.get $k))
        (return (local.get $sum)))
      (local.set $k)
      (local.set $v)
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 10)) (local.get $v)))
      (br $next))
    (unreachable))

  ;; Never resumed at all, and resumed to the end at once.
  (func (export "new") (drop (cont.new $ct (ref.func $count))))
  (func $nothing)
  (elem declare func $nothing)
  (func (export "run") (result i32)
    (resume $ct (cont.new $ct (ref.func $nothing)))
    (i32.const 7)))

(assert_return (invoke "sum") (i32.const 1234))
(assert_return (invoke "sum") (i32.const 1234))
(assert_return (invoke "new"))
(assert_return (invoke "run") (i32.const 7))
