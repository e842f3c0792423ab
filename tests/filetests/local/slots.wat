;; Locals without homes: their slots are written when a register gives way, before calls, and before edges to where the local
;; may be read.
(module
  (memory 1)
  (func $call)
  ;; The call destroys what is in registers, so one touch is worth no home.
  (func $overwritten (param i32) (result i32) (local $a f64)
    (call $call)
    (local.set $a (f64.load (local.get 0)))
    (local.set $a (f64.add (local.get $a) (local.get $a)))
    (local.set $a (f64.mul (local.get $a) (local.get $a)))
    (call $call)
    (i32.trunc_f64_s (local.get $a)))
  (func $of_the_block (param i32) (local $inside f64) (local $outside f64)
    (local.set $outside (f64.load (local.get 0)))
    (block $b
      (local.set $inside (f64.add (local.get $outside) (local.get $outside)))
      (call $call)
      (local.set $inside (f64.load offset=8 (local.get 0)))
      (local.set $outside (f64.load offset=16 (local.get 0)))
      (br_if $b (local.get 0))
      (f64.store offset=8 (local.get 0) (local.get $inside)))
    (f64.store (local.get 0) (local.get $outside))))
