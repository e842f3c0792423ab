;; `switch`: continuations that hand over to each other under one handler.

;; Two tasks that take turns, each counting its own number down.
(module
  (rec
    (type $ft (func (param (ref null $ct))))
    (type $ct (cont $ft)))
  (tag $t)
  (global $trace (mut i64) (i64.const 0))

  (func $note (param i32)
    (global.set $trace
      (i64.add (i64.mul (global.get $trace) (i64.const 10)) (i64.extend_i32_u (local.get 0)))))

  ;; Gets whoever switched here.
  (func $task (type $ft) (param $other (ref null $ct)) (local $n i32)
    (local.set $n (i32.const 3))
    (loop $l
      (call $note (local.get $n))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (local.set $other (switch $ct $t (local.get $other)))
      (br_if $l (local.get $n))))
  (elem declare func $task)

  (type $ft0 (func))
  (type $ct0 (cont $ft0))
  (func $first (local $k (ref null $ct))
    (local.set $k (cont.new $ct (ref.func $task)))
    (call $note (i32.const 9))
    (local.set $k (switch $ct $t (local.get $k)))
    (call $note (i32.const 8))
    (local.set $k (switch $ct $t (local.get $k)))
    (call $note (i32.const 7)))
  (elem declare func $first)

  (func (export "turns") (result i64)
    (global.set $trace (i64.const 0))
    (resume $ct0 (on $t switch) (cont.new $ct0 (ref.func $first)))
    (global.get $trace))

  ;; No handler for switching: one for suspending does not count.
  (func (export "unhandled")
    (block $h (result (ref $ct0))
      (resume $ct0 (on $s $h) (cont.new $ct0 (ref.func $first)))
      (return))
    (drop))
  (tag $s)
  (func (export "nobody") (drop (switch $ct $t (cont.new $ct (ref.func $task)))))
)
(assert_return (invoke "turns") (i64.const 93827))
(assert_return (invoke "turns") (i64.const 93827))
(assert_trap (invoke "unhandled") "unhandled tag")
(assert_trap (invoke "nobody") "unhandled tag")

;; Values cross a switch, and the function that ends is not the one that was resumed.
(module
  (rec
    (type $ft (func (param i32 f64 (ref null $ct)) (result i32)))
    (type $ct (cont $ft)))
  (type $fs (func (param i32) (result i32)))
  (type $cs (cont $fs))
  (tag $t (result i32))
  (global $f (mut f64) (f64.const 0))
  (func $other (type $ft) (local $i i32) (local $d f64) (local $k (ref null $ct))
    (global.set $f (local.get 1))
    (switch $ct $t (i32.add (local.get 0) (i32.const 1)) (f64.const 2.5) (local.get 2))
    (local.set $k) (local.set $d) (local.set $i)
    (global.set $f (f64.add (global.get $f) (local.get $d)))
    (i32.mul (local.get $i) (i32.const 100)))
  (func $main (type $fs) (local $i i32) (local $d f64) (local $k (ref null $ct))
    (switch $ct $t (local.get 0) (f64.const 1.25) (cont.new $ct (ref.func $other)))
    (local.set $k) (local.set $d) (local.set $i)
    (global.set $f (f64.add (global.get $f) (local.get $d)))
    (switch $ct $t (i32.add (local.get $i) (i32.const 1)) (f64.const 4) (local.get $k))
    (unreachable))
  (elem declare func $other $main)
  (func (export "values") (param i32) (result i32 f64)
    (resume $cs (on $t switch) (local.get 0) (cont.new $cs (ref.func $main)))
    (global.get $f)))
(assert_return (invoke "values" (i32.const 5)) (i32.const 700) (f64.const 7.75))

;; A scheduler: tasks in a queue, each switches to the next, the last returns to the scheduler.
(module
  (rec
    (type $ft (func (param (ref null $ct))))
    (type $ct (cont $ft)))
  (tag $yield)
  (table $queue 64 (ref null $ct))
  (global $head (mut i32) (i32.const 0))
  (global $tail (mut i32) (i32.const 0))
  (global $done (mut i32) (i32.const 0))
  (global $switches (mut i32) (i32.const 0))
  (func $enqueue (param (ref null $ct))
    (table.set $queue (i32.rem_u (global.get $tail) (i32.const 64)) (local.get 0))
    (global.set $tail (i32.add (global.get $tail) (i32.const 1))))
  (func $dequeue (result (ref null $ct))
    (if (i32.eq (global.get $head) (global.get $tail)) (then (return (ref.null $ct))))
    (table.get $queue (i32.rem_u (global.get $head) (i32.const 64)))
    (global.set $head (i32.add (global.get $head) (i32.const 1))))
  (func $yield_now (local $k (ref null $ct))
    (local.set $k (call $dequeue))
    (if (ref.is_null (local.get $k)) (then (return)))
    (global.set $switches (i32.add (global.get $switches) (i32.const 1)))
    (switch $ct $yield (local.get $k))
    (call $came_from))
  ;; Whoever switched here waits in the queue, if it still wants to run.
  (func $came_from (param (ref null $ct))
    (if (i32.eqz (ref.is_null (local.get 0))) (then (call $enqueue (local.get 0)))))
  (func $task (type $ft) (param $from (ref null $ct)) (local $n i32)
    (call $came_from (local.get $from))
    (local.set $n (i32.const 10))
    (loop $l
      (call $yield_now)
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (global.set $done (i32.add (global.get $done) (i32.const 1))))
  (elem declare func $task)
  (func (export "schedule") (param $n i32) (result i32 i32) (local $k (ref null $ct))
    (global.set $done (i32.const 0)) (global.set $switches (i32.const 0))
    (loop $l
      (call $enqueue (cont.new $ct (ref.func $task)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (loop $next
      (local.set $k (call $dequeue))
      (if (i32.eqz (ref.is_null (local.get $k)))
        (then (resume $ct (on $yield switch) (ref.null $ct) (local.get $k)) (br $next))))
    (global.get $done) (global.get $switches)))
(assert_return (invoke "schedule" (i32.const 1)) (i32.const 1) (i32.const 0))
(assert_return (invoke "schedule" (i32.const 7)) (i32.const 7) (i32.const 70))
(assert_return (invoke "schedule" (i32.const 40)) (i32.const 40) (i32.const 400))
