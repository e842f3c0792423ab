;; Objects with tables of methods: shapes of three classes in an array, asked through call_ref for their areas, moved and
;; scaled, which makes new ones.
(module
  (rec
    (type $shape (sub (struct (field $class (ref $class)) (field $x f64) (field $y f64))))
    (type $area (func (param (ref $shape)) (result f64)))
    (type $scale (func (param (ref $shape) f64) (result (ref $shape))))
    (type $class (struct (field $area (ref $area)) (field $scale (ref $scale)))))
  (type $circle (sub final $shape (struct (field $class (ref $class)) (field $x f64) (field $y f64) (field $r f64))))
  (type $rect (sub $shape (struct
    (field $class (ref $class)) (field $x f64) (field $y f64) (field $w f64) (field $h f64))))
  (type $square (sub final $rect (struct
    (field $class (ref $class)) (field $x f64) (field $y f64) (field $w f64) (field $h f64) (field $turned i32))))
  (type $shapes (array (mut (ref null $shape))))

  (global $circle (mut (ref null $class)) (ref.null $class))
  (global $rect (mut (ref null $class)) (ref.null $class))
  (global $square (mut (ref null $class)) (ref.null $class))

  (func $circle_area (type $area)
    (local $this (ref $circle))
    (local.set $this (ref.cast (ref $circle) (local.get 0)))
    (f64.mul (f64.const 3.14159)
      (f64.mul (struct.get $circle $r (local.get $this)) (struct.get $circle $r (local.get $this)))))
  (func $rect_area (type $area)
    (local $this (ref $rect))
    (local.set $this (ref.cast (ref $rect) (local.get 0)))
    (f64.mul (struct.get $rect $w (local.get $this)) (struct.get $rect $h (local.get $this))))
  (func $circle_scale (type $scale)
    (local $this (ref $circle))
    (local.set $this (ref.cast (ref $circle) (local.get 0)))
    (struct.new $circle
      (struct.get $circle $class (local.get $this))
      (struct.get $circle $x (local.get $this))
      (struct.get $circle $y (local.get $this))
      (f64.mul (struct.get $circle $r (local.get $this)) (local.get 1))))
  (func $rect_scale (type $scale)
    (local $this (ref $rect))
    (local.set $this (ref.cast (ref $rect) (local.get 0)))
    (struct.new $rect
      (struct.get $rect $class (local.get $this))
      (struct.get $rect $x (local.get $this))
      (struct.get $rect $y (local.get $this))
      (f64.mul (struct.get $rect $w (local.get $this)) (local.get 1))
      (f64.mul (struct.get $rect $h (local.get $this)) (local.get 1))))
  (func $square_scale (type $scale)
    (local $this (ref $square))
    (local.set $this (ref.cast (ref $square) (local.get 0)))
    (struct.new $square
      (struct.get $square $class (local.get $this))
      (struct.get $square $x (local.get $this))
      (struct.get $square $y (local.get $this))
      (f64.mul (struct.get $square $w (local.get $this)) (local.get 1))
      (f64.mul (struct.get $square $h (local.get $this)) (local.get 1))
      (i32.xor (struct.get $square $turned (local.get $this)) (i32.const 1))))
  (elem declare func $circle_area $rect_area $circle_scale $rect_scale $square_scale)

  (func $make (param $i i32) (result (ref $shape))
    (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 3)))
      (then (return (struct.new $circle
        (ref.as_non_null (global.get $circle)) (f64.convert_i32_u (local.get $i)) (f64.const 1) (f64.const 2)))))
    (if (i32.eq (i32.rem_u (local.get $i) (i32.const 3)) (i32.const 1))
      (then (return (struct.new $rect
        (ref.as_non_null (global.get $rect)) (f64.const 0) (f64.convert_i32_u (local.get $i))
        (f64.const 3) (f64.const 4)))))
    (struct.new $square
      (ref.as_non_null (global.get $square)) (f64.const 0) (f64.const 0) (f64.const 5) (f64.const 5) (i32.const 0)))

  (func (export "run") (param $rounds i32) (result i32)
    (local $shapes (ref $shapes)) (local $i i32) (local $shape (ref null $shape)) (local $sum f64) (local $turned i32)
    (global.set $circle (struct.new $class (ref.func $circle_area) (ref.func $circle_scale)))
    (global.set $rect (struct.new $class (ref.func $rect_area) (ref.func $rect_scale)))
    (global.set $square (struct.new $class (ref.func $rect_area) (ref.func $square_scale)))
    (local.set $shapes (array.new_default $shapes (i32.const 3000)))
    (loop $fill
      (array.set $shapes (local.get $shapes) (local.get $i) (call $make (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (array.len (local.get $shapes)))))
    (loop $round
      (local.set $i (i32.const 0))
      (loop $each
        (local.set $shape (array.get $shapes (local.get $shapes) (local.get $i)))
        (local.set $sum (f64.add (local.get $sum)
          (call_ref $area
            (ref.as_non_null (local.get $shape))
            (struct.get $class $area (struct.get $shape $class (local.get $shape))))))
        (array.set $shapes (local.get $shapes) (local.get $i)
          (call_ref $scale
            (ref.as_non_null (local.get $shape))
            (select (f64.const 0.5) (f64.const 2) (i32.and (local.get $rounds) (i32.const 1)))
            (struct.get $class $scale (struct.get $shape $class (local.get $shape)))))
        (if (ref.test (ref $square) (local.get $shape))
          (then (local.set $turned (i32.add
            (local.get $turned)
            (struct.get $square $turned (ref.cast (ref $square) (local.get $shape)))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $each (i32.lt_u (local.get $i) (array.len (local.get $shapes)))))
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (i32.add (local.get $turned) (i32.wrap_i64 (i64.reinterpret_f64 (local.get $sum))))))
