;; A server of HTTP, for `lightbeam serve examples/server.wat`: says hello, gives back under /echo what it is sent, and
;; traps under /trap. It imports `wasi:http` of WASI 0.2 by hand, with as much of it as it uses.
(component $server
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-of-io))

  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer $server $error-of-io (type $error-of-io'))
    (export "error" (type $error (eq $error-of-io')))
    (export "input-stream" (type $input-stream (sub resource)))
    (export "output-stream" (type $output-stream (sub resource)))
    (type $stream-error' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $input-stream)) (param "len" u64) (result (result (list u8) (error $stream-error)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $output-stream)) (param "contents" (list u8))
        (result (result (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input-stream-of-io))
  (alias export $streams "output-stream" (type $output-stream-of-io))

  (import "wasi:http/types@0.2.0" (instance $http
    (alias outer $server $input-stream-of-io (type $input-stream'))
    (alias outer $server $output-stream-of-io (type $output-stream'))
    (export "input-stream" (type $input-stream (eq $input-stream')))
    (export "output-stream" (type $output-stream (eq $output-stream')))
    (export "fields" (type $fields (sub resource)))
    (export "incoming-request" (type $incoming-request (sub resource)))
    (export "incoming-body" (type $incoming-body (sub resource)))
    (export "response-outparam" (type $response-outparam (sub resource)))
    (export "outgoing-response" (type $outgoing-response (sub resource)))
    (export "outgoing-body" (type $outgoing-body (sub resource)))
    (type $dns' (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns (eq $dns')))
    (type $tls' (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $tls (eq $tls')))
    (type $size' (record (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $size (eq $size')))
    (type $error-code' (variant
      (case "DNS-timeout") (case "DNS-error" $dns) (case "destination-not-found") (case "destination-unavailable")
      (case "destination-IP-prohibited") (case "destination-IP-unroutable") (case "connection-refused")
      (case "connection-terminated") (case "connection-timeout") (case "connection-read-timeout")
      (case "connection-write-timeout") (case "connection-limit-reached") (case "TLS-protocol-error")
      (case "TLS-certificate-error") (case "TLS-alert-received" $tls) (case "HTTP-request-denied")
      (case "HTTP-request-length-required") (case "HTTP-request-body-size" (option u64))
      (case "HTTP-request-method-invalid") (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32)) (case "HTTP-request-header-size" (option $size))
      (case "HTTP-request-trailer-section-size" (option u32)) (case "HTTP-request-trailer-size" $size)
      (case "HTTP-response-incomplete") (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $size) (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32)) (case "HTTP-response-trailer-size" $size)
      (case "HTTP-response-transfer-coding" (option string)) (case "HTTP-response-content-coding" (option string))
      (case "HTTP-response-timeout") (case "HTTP-upgrade-failed") (case "HTTP-protocol-error") (case "loop-detected")
      (case "configuration-error") (case "internal-error" (option string))))
    (export "error-code" (type $error-code (eq $error-code')))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[method]incoming-request.path-with-query"
      (func (param "self" (borrow $incoming-request)) (result (option string))))
    (export "[method]incoming-request.consume"
      (func (param "self" (borrow $incoming-request)) (result (result (own $incoming-body)))))
    (export "[method]incoming-body.stream"
      (func (param "self" (borrow $incoming-body)) (result (result (own $input-stream)))))
    (export "[constructor]outgoing-response"
      (func (param "headers" (own $fields)) (result (own $outgoing-response))))
    (export "[method]outgoing-response.body"
      (func (param "self" (borrow $outgoing-response)) (result (result (own $outgoing-body)))))
    (export "[static]response-outparam.set"
      (func (param "param" (own $response-outparam))
        (param "response" (result (own $outgoing-response) (error $error-code)))))
    (export "[method]outgoing-body.write"
      (func (param "self" (borrow $outgoing-body)) (result (result (own $output-stream)))))
    (export "[static]outgoing-body.finish"
      (func (param "this" (own $outgoing-body)) (param "trailers" (option (own $fields)))
        (result (result (error $error-code)))))))
  (alias export $http "incoming-request" (type $incoming-request))
  (alias export $http "incoming-body" (type $incoming-body))
  (alias export $http "response-outparam" (type $response-outparam))

  ;; What comes in, a path or a piece of a body, is read before the next comes, so that all of it goes to one place.
  (core module $space
    (memory (export "memory") 3)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (if (i32.gt_u (local.get 3) (i32.const 0x20000)) (then unreachable))
      (i32.const 0x10000)))
  (core instance $space (instantiate $space))

  (core func $fields (canon lower (func $http "[constructor]fields")))
  (core func $path (canon lower (func $http "[method]incoming-request.path-with-query")
    (memory (core memory $space "memory")) (realloc (core func $space "realloc"))))
  (core func $consume (canon lower (func $http "[method]incoming-request.consume") (memory (core memory $space "memory"))))
  (core func $stream (canon lower (func $http "[method]incoming-body.stream") (memory (core memory $space "memory"))))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
    (memory (core memory $space "memory")) (realloc (core func $space "realloc"))))
  (core func $response (canon lower (func $http "[constructor]outgoing-response")))
  (core func $body (canon lower (func $http "[method]outgoing-response.body") (memory (core memory $space "memory"))))
  (core func $set (canon lower (func $http "[static]response-outparam.set") (memory (core memory $space "memory"))))
  (core func $writer (canon lower (func $http "[method]outgoing-body.write") (memory (core memory $space "memory"))))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $space "memory"))))
  (core func $finish (canon lower (func $http "[static]outgoing-body.finish")
    (memory (core memory $space "memory")) (realloc (core func $space "realloc"))))
  (core func $drop-request (canon resource.drop $incoming-request))
  (core func $drop-incoming (canon resource.drop $incoming-body))
  (core func $drop-input (canon resource.drop $input-stream-of-io))
  (core func $drop-output (canon resource.drop $output-stream-of-io))

  (core module $main
    (import "space" "memory" (memory 3))
    (import "http" "fields" (func $fields (result i32)))
    (import "http" "path" (func $path (param i32 i32)))
    (import "http" "consume" (func $consume (param i32 i32)))
    (import "http" "stream" (func $stream (param i32 i32)))
    (import "http" "read" (func $read (param i32 i64 i32)))
    (import "http" "response" (func $response (param i32) (result i32)))
    (import "http" "body" (func $body (param i32 i32)))
    (import "http" "set" (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "http" "writer" (func $writer (param i32 i32)))
    (import "http" "write" (func $write (param i32 i32 i32 i32)))
    (import "http" "finish" (func $finish (param i32 i32 i32 i32)))
    (import "http" "drop-request" (func $drop-request (param i32)))
    (import "http" "drop-incoming" (func $drop-incoming (param i32)))
    (import "http" "drop-input" (func $drop-input (param i32)))
    (import "http" "drop-output" (func $drop-output (param i32)))
    (data (i32.const 0x100) "Hello from WebAssembly!\n")
    (data (i32.const 0x200) "/echo")
    (data (i32.const 0x208) "/trap")

    ;; What a result at 0 is of, or a trap if it is an error.
    (func $ok (result i32)
      (if (i32.load8_u (i32.const 0)) (then unreachable))
      (i32.load (i32.const 4)))

    ;; Is the path of a request, as the host gives it at 0, the five bytes at an address?
    (func $is (param $five i32) (result i32)
      (if (i32.or (i32.eqz (i32.load8_u (i32.const 0))) (i32.ne (i32.load (i32.const 8)) (i32.const 5)))
        (then (return (i32.const 0))))
      (i32.and
        (i32.eq (i32.load (i32.load (i32.const 4))) (i32.load (local.get $five)))
        (i32.eq (i32.load8_u offset=4 (i32.load (i32.const 4))) (i32.load8_u offset=4 (local.get $five)))))

    (func (export "handle") (param $request i32) (param $out i32)
      (local $echo i32) (local $response i32) (local $outgoing i32) (local $output i32)
      (call $path (local.get $request) (i32.const 0))
      (if (call $is (i32.const 0x208)) (then unreachable))
      (local.set $echo (call $is (i32.const 0x200)))

      (local.set $response (call $response (call $fields)))
      (call $body (local.get $response) (i32.const 0))
      (local.set $outgoing (call $ok))
      (call $set (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (call $writer (local.get $outgoing) (i32.const 0))
      (local.set $output (call $ok))
      (if (local.get $echo)
        (then (call $copy (local.get $request) (local.get $output)))
        (else (call $write (local.get $output) (i32.const 0x100) (i32.const 24) (i32.const 0))))
      (call $drop-output (local.get $output))
      (call $drop-request (local.get $request))
      (call $finish (local.get $outgoing) (i32.const 0) (i32.const 0) (i32.const 0)))

    ;; Writes the body of a request, piece by piece, until it is over or nobody reads any more.
    (func $copy (param $request i32) (param $output i32)
      (local $incoming i32) (local $input i32)
      (call $consume (local.get $request) (i32.const 0))
      (local.set $incoming (call $ok))
      (call $stream (local.get $incoming) (i32.const 0))
      (local.set $input (call $ok))
      (block $over
        (loop $next
          (call $read (local.get $input) (i64.const 4096) (i32.const 0))
          (br_if $over (i32.load8_u (i32.const 0)))
          (call $write (local.get $output) (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.const 0))
          (br_if $next (i32.eqz (i32.load8_u (i32.const 0))))))
      (call $drop-input (local.get $input))
      (call $drop-incoming (local.get $incoming))))

  (core instance $main (instantiate $main
    (with "space" (instance $space))
    (with "http" (instance
      (export "fields" (func $fields))
      (export "path" (func $path))
      (export "consume" (func $consume))
      (export "stream" (func $stream))
      (export "read" (func $read))
      (export "response" (func $response))
      (export "body" (func $body))
      (export "set" (func $set))
      (export "writer" (func $writer))
      (export "write" (func $write))
      (export "finish" (func $finish))
      (export "drop-request" (func $drop-request))
      (export "drop-incoming" (func $drop-incoming))
      (export "drop-input" (func $drop-input))
      (export "drop-output" (func $drop-output))))))

  (func $handle (param "request" (own $incoming-request)) (param "response-out" (own $response-outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
