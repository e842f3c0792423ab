;; Complete binary trees of several depths are made, counted and let go, while one of them lives throughout.
(module
  (type $node (struct (field (ref null $node)) (field (ref null $node))))

  (func $make (param $depth i32) (result (ref $node))
    (if (result (ref $node)) (local.get $depth)
      (then
        (struct.new $node
          (call $make (i32.sub (local.get $depth) (i32.const 1)))
          (call $make (i32.sub (local.get $depth) (i32.const 1)))))
      (else (struct.new $node (ref.null $node) (ref.null $node)))))

  (func $count (param $tree (ref $node)) (result i32)
    (local $left (ref null $node))
    (local.set $left (struct.get $node 0 (local.get $tree)))
    (if (result i32) (ref.is_null (local.get $left))
      (then (i32.const 1))
      (else
        (i32.add
          (i32.const 1)
          (i32.add
            (call $count (ref.as_non_null (local.get $left)))
            (call $count (ref.as_non_null (struct.get $node 1 (local.get $tree)))))))))

  (func (export "run") (param $rounds i32) (result i32)
    (local $long (ref null $node)) (local $depth i32) (local $times i32) (local $sum i32)
    (local.set $long (call $make (i32.const 14)))
    (loop $round
      (local.set $depth (i32.const 4))
      (loop $depths
        (local.set $times (i32.shl (i32.const 1) (i32.sub (i32.const 16) (local.get $depth))))
        (loop $again
          (local.set $sum (i32.add (local.get $sum) (call $count (call $make (local.get $depth)))))
          (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
        (local.set $depth (i32.add (local.get $depth) (i32.const 4)))
        (br_if $depths (i32.le_u (local.get $depth) (i32.const 12))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.add (local.get $sum) (call $count (ref.as_non_null (local.get $long))))))
