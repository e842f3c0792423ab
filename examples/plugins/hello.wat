;; A component of WASI 0.2 that says hello. It imports by hand as much of WASI as it uses.
(component $hello
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error-of-io))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer $hello $error-of-io (type $error'))
    (export "error" (type $error (eq $error')))
    (export "output-stream" (type $output-stream (sub resource)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $output-stream)) (param "contents" (list u8))
        (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-of-io))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer $hello $output-of-io (type $output'))
    (export "output-stream" (type $output (eq $output')))
    (export "get-stdout" (func (result (own $output))))))

  (core module $space
    (memory (export "memory") 1)
    (data (i32.const 16) "Hello from a component!\n"))
  (core instance $space (instantiate $space))
  (core func $get (canon lower (func $stdout "get-stdout")))
  (core func $drop (canon resource.drop $output-of-io))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $space "memory"))))

  (core module $main
    (import "io" "get" (func $get (result i32)))
    (import "io" "drop" (func $drop (param i32)))
    (import "io" "write" (func $write (param i32 i32 i32 i32)))
    (import "space" "memory" (memory 1))
    ;; Gives 0, or 1 if nothing could be written: the first byte of the result that `write` leaves at 0.
    (func (export "run") (result i32) (local $output i32)
      (call $write (local.tee $output (call $get)) (i32.const 16) (i32.const 24) (i32.const 0))
      (call $drop (local.get $output))
      (i32.load8_u (i32.const 0))))
  (core instance $main (instantiate $main
    (with "io" (instance
      (export "get" (func $get)) (export "drop" (func $drop)) (export "write" (func $write))))
    (with "space" (instance $space))))

  (func $run (result (result)) (canon lift (core func $main "run")))
  (component $exports
    (import "run" (func $run (result (result))))
    (export "run" (func $run)))
  (instance $cli (instantiate $exports (with "run" (func $run))))
  (export "wasi:cli/run@0.2.0" (instance $cli)))
