;; Operators on a reference that had made room for others, and is the last that had: looked at and taken off once.
(module
  (func (export "any-convert-3") (param externref) (result anyref)
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    any.convert_extern
    return)
  (func (export "any-convert-7") (param externref) (result anyref)
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    any.convert_extern
    return)
  (func (export "extern-convert-3") (param anyref) (result externref)
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    extern.convert_any
    return)
  (func (export "extern-convert-7") (param anyref) (result externref)
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    extern.convert_any
    return)
  (func (export "is-null-3") (param externref) (result i32)
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    ref.is_null
    return)
  (func (export "non-null-3") (param anyref) (result (ref any))
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    ref.as_non_null
    return)
  (func (export "i31-3") (param i32) (result (ref i31))
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    ref.i31
    return)
  (func (export "get-3") (param i31ref) (result i32)
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    i31.get_s
    return)
  (func (export "test-3") (param anyref) (result i32)
    i32.const 0
    i32.const 0
    i32.const 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    ref.test (ref i31)
    return)
  (func (export "eq-2") (param eqref) (result i32)
    i32.const 0
    i32.const 0
    local.get 0
    local.get 0
    i32.const 1
    i32.const 1
    i32.const 1
    i32.const 1
    drop
    drop
    drop
    drop
    ref.eq
    return))
;;! x64
;; func 0
;;   mov rsi, rdx
;;   mov eax, esi
;;   jmp L0
;; L0:
;;   return
;; func 1
;;   mov rsi, rdx
;;   mov eax, esi
;;   jmp L0
;; L0:
;;   return
;; func 2
;;   mov rsi, rdx
;;   mov eax, esi
;;   jmp L0
;; L0:
;;   return
;; func 3
;;   mov rsi, rdx
;;   mov eax, esi
;;   jmp L0
;; L0:
;;   return
;; func 4
;;   mov rsi, rdx
;;   test esi, esi
;;   sete al
;;   movzx eax, al
;;   jmp L0
;; L0:
;;   return
;; func 5
;;   mov rsi, rdx
;;   test esi, esi
;;   je L1
;;   mov eax, esi
;;   jmp L0
;; L0:
;;   return
;; L1:
;;   ud2  ; NullReference
;; func 6
;;   mov rsi, rdx
;;   lea eax, [rsi+rsi+1]
;;   jmp L0
;; L0:
;;   return
;; func 7
;;   mov rsi, rdx
;;   test esi, esi
;;   je L1
;;   mov eax, esi
;;   sar eax, 1
;;   jmp L0
;; L0:
;;   return
;; L1:
;;   ud2  ; NullReference
;; func 8
;;   mov rsi, rdx
;;   test esi, esi
;;   je L0
;;   test sil, 1
;;   je L0
;;   mov eax, 1
;;   jmp L1
;; L0:
;;   xor eax, eax
;; L1:
;;   jmp L2
;; L2:
;;   return
;; func 9
;;   mov rsi, rdx
;;   cmp esi, esi
;;   sete al
;;   movzx eax, al
;;   jmp L0
;; L0:
;;   return
