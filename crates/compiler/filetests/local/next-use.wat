;; Straight lines with more locals than registers: which copies give way, and which are stored.
(module
  (memory 1)
  ;; Those that are read last give way, though they came last.
  (func $in_order (param $p i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32) (local $f i32) (local $g i32)
    (local $h i32) (local $i i32) (local $j i32) (local $k i32) (local $l i32) (local $m i32)
    (local.set $a (i32.load offset=0 (local.get $p)))
    (local.set $b (i32.load offset=4 (local.get $p)))
    (local.set $c (i32.load offset=8 (local.get $p)))
    (local.set $d (i32.load offset=12 (local.get $p)))
    (local.set $e (i32.load offset=16 (local.get $p)))
    (local.set $f (i32.load offset=20 (local.get $p)))
    (local.set $g (i32.load offset=24 (local.get $p)))
    (local.set $h (i32.load offset=28 (local.get $p)))
    (local.set $i (i32.load offset=32 (local.get $p)))
    (local.set $j (i32.load offset=36 (local.get $p)))
    (local.set $k (i32.load offset=40 (local.get $p)))
    (local.set $l (i32.load offset=44 (local.get $p)))
    (local.set $m (i32.load offset=48 (local.get $p)))
    (local.set $p (i32.xor (local.get $p) (local.get $a)))
    (local.set $p (i32.xor (local.get $p) (local.get $b)))
    (local.set $p (i32.xor (local.get $p) (local.get $c)))
    (local.set $p (i32.xor (local.get $p) (local.get $d)))
    (local.set $p (i32.xor (local.get $p) (local.get $e)))
    (local.set $p (i32.xor (local.get $p) (local.get $f)))
    (local.set $p (i32.xor (local.get $p) (local.get $g)))
    (local.set $p (i32.xor (local.get $p) (local.get $h)))
    (local.set $p (i32.xor (local.get $p) (local.get $i)))
    (local.set $p (i32.xor (local.get $p) (local.get $j)))
    (local.set $p (i32.xor (local.get $p) (local.get $k)))
    (local.set $p (i32.xor (local.get $p) (local.get $l)))
    (local.set $p (i32.xor (local.get $p) (local.get $m)))
    (local.get $p))
  ;; What is written before it is read again is not stored, and the last read takes the register.
  (func $dead (param $p i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32) (local $f i32) (local $g i32)
    (local $h i32) (local $i i32) (local $j i32) (local $k i32) (local $l i32) (local $m i32)
    (local.set $a (i32.load offset=0 (local.get $p)))
    (local.set $b (i32.load offset=4 (local.get $p)))
    (local.set $c (i32.load offset=8 (local.get $p)))
    (local.set $d (i32.load offset=12 (local.get $p)))
    (local.set $e (i32.load offset=16 (local.get $p)))
    (local.set $f (i32.load offset=20 (local.get $p)))
    (local.set $g (i32.load offset=24 (local.get $p)))
    (local.set $h (i32.load offset=28 (local.get $p)))
    (local.set $i (i32.load offset=32 (local.get $p)))
    (local.set $j (i32.load offset=36 (local.get $p)))
    (local.set $k (i32.load offset=40 (local.get $p)))
    (local.set $l (i32.load offset=44 (local.get $p)))
    (local.set $m (i32.load offset=48 (local.get $p)))
    (local.set $a (i32.rotl (local.get $a) (i32.const 1)))
    (local.set $b (i32.rotl (local.get $b) (i32.const 2)))
    (local.set $c (i32.rotl (local.get $c) (i32.const 3)))
    (local.set $d (i32.rotl (local.get $d) (i32.const 4)))
    (local.set $e (i32.rotl (local.get $e) (i32.const 5)))
    (local.set $f (i32.rotl (local.get $f) (i32.const 6)))
    (local.set $g (i32.rotl (local.get $g) (i32.const 7)))
    (local.set $h (i32.rotl (local.get $h) (i32.const 8)))
    (local.set $i (i32.rotl (local.get $i) (i32.const 9)))
    (local.set $j (i32.rotl (local.get $j) (i32.const 10)))
    (local.set $k (i32.rotl (local.get $k) (i32.const 11)))
    (local.set $l (i32.rotl (local.get $l) (i32.const 12)))
    (local.set $m (i32.rotl (local.get $m) (i32.const 13)))
    (local.set $b (i32.sub (local.get $a) (local.get $b)))
    (local.set $c (i32.sub (local.get $b) (local.get $c)))
    (local.set $d (i32.sub (local.get $c) (local.get $d)))
    (local.set $e (i32.sub (local.get $d) (local.get $e)))
    (local.set $f (i32.sub (local.get $e) (local.get $f)))
    (local.set $g (i32.sub (local.get $f) (local.get $g)))
    (local.set $h (i32.sub (local.get $g) (local.get $h)))
    (local.set $i (i32.sub (local.get $h) (local.get $i)))
    (local.set $j (i32.sub (local.get $i) (local.get $j)))
    (local.set $k (i32.sub (local.get $j) (local.get $k)))
    (local.set $l (i32.sub (local.get $k) (local.get $l)))
    (local.set $m (i32.sub (local.get $l) (local.get $m)))
    (local.get $m))
  ;; In lines as long as this no local has a home.
  (func $no_homes (param $p i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32) (local $f i32) (local $g i32)
    (local $h i32) (local $i i32) (local $j i32) (local $k i32) (local $l i32) (local $m i32)
    (local.set $a (i32.load offset=0 (local.get $p)))
    (local.set $b (i32.load offset=4 (local.get $p)))
    (local.set $c (i32.load offset=8 (local.get $p)))
    (local.set $d (i32.load offset=12 (local.get $p)))
    (local.set $e (i32.load offset=16 (local.get $p)))
    (local.set $f (i32.load offset=20 (local.get $p)))
    (local.set $g (i32.load offset=24 (local.get $p)))
    (local.set $h (i32.load offset=28 (local.get $p)))
    (local.set $i (i32.load offset=32 (local.get $p)))
    (local.set $j (i32.load offset=36 (local.get $p)))
    (local.set $k (i32.load offset=40 (local.get $p)))
    (local.set $l (i32.load offset=44 (local.get $p)))
    (local.set $m (i32.load offset=48 (local.get $p)))
    (local.set $a (i32.add (local.get $a) (local.get $f)))
    (local.set $b (i32.add (local.get $b) (local.get $g)))
    (local.set $c (i32.add (local.get $c) (local.get $h)))
    (local.set $d (i32.add (local.get $d) (local.get $i)))
    (local.set $e (i32.add (local.get $e) (local.get $j)))
    (local.set $f (i32.add (local.get $f) (local.get $k)))
    (local.set $g (i32.add (local.get $g) (local.get $l)))
    (local.set $h (i32.add (local.get $h) (local.get $m)))
    (local.set $i (i32.add (local.get $i) (local.get $a)))
    (local.set $j (i32.add (local.get $j) (local.get $b)))
    (local.set $k (i32.add (local.get $k) (local.get $c)))
    (local.set $l (i32.add (local.get $l) (local.get $d)))
    (local.set $m (i32.add (local.get $m) (local.get $e)))
    (local.set $a (i32.add (local.get $a) (local.get $i)))
    (local.set $b (i32.add (local.get $b) (local.get $j)))
    (local.set $c (i32.add (local.get $c) (local.get $k)))
    (local.set $d (i32.add (local.get $d) (local.get $l)))
    (local.set $e (i32.add (local.get $e) (local.get $m)))
    (local.set $f (i32.add (local.get $f) (local.get $a)))
    (local.set $g (i32.add (local.get $g) (local.get $b)))
    (local.set $h (i32.add (local.get $h) (local.get $c)))
    (local.set $i (i32.add (local.get $i) (local.get $d)))
    (local.set $j (i32.add (local.get $j) (local.get $e)))
    (local.set $k (i32.add (local.get $k) (local.get $f)))
    (local.set $l (i32.add (local.get $l) (local.get $g)))
    (local.set $m (i32.add (local.get $m) (local.get $h)))
    (i32.xor (local.get $m) (local.get $a)))
  ;; A value waits while its local is written: it keeps the register.
  (func $waits (param $p i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32) (local $f i32) (local $g i32)
    (local $h i32) (local $i i32) (local $j i32) (local $k i32) (local $l i32) (local $m i32)
    (local.set $a (i32.load offset=0 (local.get $p)))
    (local.set $b (i32.load offset=4 (local.get $p)))
    (local.set $c (i32.load offset=8 (local.get $p)))
    (local.set $d (i32.load offset=12 (local.get $p)))
    (local.set $e (i32.load offset=16 (local.get $p)))
    (local.set $f (i32.load offset=20 (local.get $p)))
    (local.set $g (i32.load offset=24 (local.get $p)))
    (local.set $h (i32.load offset=28 (local.get $p)))
    (local.set $i (i32.load offset=32 (local.get $p)))
    (local.set $j (i32.load offset=36 (local.get $p)))
    (local.set $k (i32.load offset=40 (local.get $p)))
    (local.set $l (i32.load offset=44 (local.get $p)))
    (local.set $m (i32.load offset=48 (local.get $p)))
    (local.get $m) (local.set $m (i32.load offset=64 (local.get $p)))
    (i32.sub (local.get $m))
    (i32.xor (local.get $a))
    (i32.xor (local.get $b))
    (i32.xor (local.get $c))
    (i32.xor (local.get $d))
    (i32.xor (local.get $e))
    (i32.xor (local.get $f))
    (i32.xor (local.get $g))
    (i32.xor (local.get $h))
    (i32.xor (local.get $i))
    (i32.xor (local.get $j))
    (i32.xor (local.get $k))
    (i32.xor (local.get $l))))
;;! x64
;; $in_order
;;   mov rsi, rdx
;;   mov edi, [r14+rsi]  ; MemoryOutOfBounds
;;   mov r8d, [r14+rsi+4]  ; MemoryOutOfBounds
;;   mov r9d, [r14+rsi+8]  ; MemoryOutOfBounds
;;   mov eax, [r14+rsi+0xC]  ; MemoryOutOfBounds
;;   mov ecx, [r14+rsi+0x10]  ; MemoryOutOfBounds
;;   mov edx, [r14+rsi+0x14]  ; MemoryOutOfBounds
;;   mov r10d, [r14+rsi+0x18]  ; MemoryOutOfBounds
;;   mov [rbp-0x10], ecx
;;   mov ecx, [r14+rsi+0x1C]  ; MemoryOutOfBounds
;;   mov [rbp-0x20], r10d
;;   mov r10d, [r14+rsi+0x20]  ; MemoryOutOfBounds
;;   mov [rbp-0x18], edx
;;   mov edx, [r14+rsi+0x24]  ; MemoryOutOfBounds
;;   mov [rbp-8], eax
;;   mov eax, [r14+rsi+0x28]  ; MemoryOutOfBounds
;;   mov [rbp-0x40], eax
;;   mov eax, [r14+rsi+0x2C]  ; MemoryOutOfBounds
;;   mov [rbp-0x48], eax
;;   mov eax, [r14+rsi+0x30]  ; MemoryOutOfBounds
;;   xor esi, edi
;;   xor esi, r8d
;;   xor esi, r9d
;;   mov r11d, [rbp-8]
;;   xor esi, r11d
;;   mov r11d, [rbp-0x10]
;;   xor esi, r11d
;;   mov r11d, [rbp-0x18]
;;   xor esi, r11d
;;   mov r11d, [rbp-0x20]
;;   xor esi, r11d
;;   xor esi, ecx
;;   xor esi, r10d
;;   xor esi, edx
;;   mov r11d, [rbp-0x40]
;;   xor esi, r11d
;;   mov r11d, [rbp-0x48]
;;   xor esi, r11d
;;   xor esi, eax
;;   mov eax, esi
;;   return
;;   ud2  ; StackOverflow
;; $dead
;;   mov rsi, rdx
;;   mov eax, [r14+rsi]  ; MemoryOutOfBounds
;;   mov edi, [r14+rsi+4]  ; MemoryOutOfBounds
;;   mov r8d, [r14+rsi+8]  ; MemoryOutOfBounds
;;   mov r9d, [r14+rsi+0xC]  ; MemoryOutOfBounds
;;   mov ebx, [r14+rsi+0x10]  ; MemoryOutOfBounds
;;   mov r12d, [r14+rsi+0x14]  ; MemoryOutOfBounds
;;   mov r13d, [r14+rsi+0x18]  ; MemoryOutOfBounds
;;   mov ecx, [r14+rsi+0x1C]  ; MemoryOutOfBounds
;;   mov edx, [r14+rsi+0x20]  ; MemoryOutOfBounds
;;   mov r10d, [r14+rsi+0x24]  ; MemoryOutOfBounds
;;   mov [rbp-0x28], ecx
;;   mov ecx, [r14+rsi+0x28]  ; MemoryOutOfBounds
;;   mov [rbp-0x38], r10d
;;   mov r10d, [r14+rsi+0x2C]  ; MemoryOutOfBounds
;;   mov [rbp-0x30], edx
;;   mov edx, [r14+rsi+0x30]  ; MemoryOutOfBounds
;;   mov [rbp-0x50], edx
;;   mov edx, eax
;;   rol edx, 1
;;   rol edi, 2
;;   rol r8d, 3
;;   rol r9d, 4
;;   rol ebx, 5
;;   rol r12d, 6
;;   rol r13d, 7
;;   mov eax, [rbp-0x28]
;;   rol eax, 8
;;   mov [rbp-0x28], eax
;;   mov eax, [rbp-0x30]
;;   rol eax, 9
;;   mov [rbp-0x30], eax
;;   mov eax, [rbp-0x38]
;;   rol eax, 0xA
;;   rol ecx, 0xB
;;   rol r10d, 0xC
;;   mov [rbp-0x48], r10d
;;   mov r10d, [rbp-0x50]
;;   rol r10d, 0xD
;;   sub edx, edi
;;   mov edi, edx
;;   mov edx, edi
;;   sub edx, r8d
;;   mov r8d, edx
;;   mov edx, r8d
;;   sub edx, r9d
;;   mov r9d, edx
;;   mov edx, r9d
;;   sub edx, ebx
;;   mov ebx, edx
;;   mov edx, ebx
;;   sub edx, r12d
;;   mov r12d, edx
;;   mov edx, r12d
;;   sub edx, r13d
;;   mov r13d, edx
;;   mov r11d, [rbp-0x28]
;;   mov edx, r13d
;;   sub edx, r11d
;;   mov r11d, [rbp-0x30]
;;   sub edx, r11d
;;   sub edx, eax
;;   sub edx, ecx
;;   mov r11d, [rbp-0x48]
;;   sub edx, r11d
;;   sub edx, r10d
;;   mov eax, edx
;;   return
;;   ud2  ; StackOverflow
;; $no_homes
;;   mov [rbp-0x20], edx
;;   mov eax, [r14+rdx]  ; MemoryOutOfBounds
;;   mov ecx, [r14+rdx+4]  ; MemoryOutOfBounds
;;   mov ebx, [r14+rdx+8]  ; MemoryOutOfBounds
;;   mov esi, [r14+rdx+0xC]  ; MemoryOutOfBounds
;;   mov edi, [r14+rdx+0x10]  ; MemoryOutOfBounds
;;   mov r8d, [r14+rdx+0x14]  ; MemoryOutOfBounds
;;   mov r9d, [r14+rdx+0x18]  ; MemoryOutOfBounds
;;   mov r10d, [r14+rdx+0x1C]  ; MemoryOutOfBounds
;;   mov r12d, [r14+rdx+0x20]  ; MemoryOutOfBounds
;;   mov r13d, [r14+rdx+0x24]  ; MemoryOutOfBounds
;;   mov [rbp-0x30], ecx
;;   mov ecx, [r14+rdx+0x28]  ; MemoryOutOfBounds
;;   mov [rbp-0x40], esi
;;   mov esi, [r14+rdx+0x2C]  ; MemoryOutOfBounds
;;   mov [rbp-0x50], r8d
;;   mov r8d, [r14+rdx+0x30]  ; MemoryOutOfBounds
;;   mov [rbp-0x68], r12d
;;   mov r12d, [rbp-0x50]
;;   add r12d, eax
;;   mov eax, [rbp-0x30]
;;   add eax, r9d
;;   add ebx, r10d
;;   mov edx, [rbp-0x40]
;;   mov r11d, [rbp-0x68]
;;   add edx, r11d
;;   add edi, r13d
;;   mov [rbp-0x48], edi
;;   mov edi, [rbp-0x50]
;;   add edi, ecx
;;   add r9d, esi
;;   add r10d, r8d
;;   mov [rbp-0x60], r10d
;;   mov r10d, [rbp-0x68]
;;   add r10d, r12d
;;   add r13d, eax
;;   add ecx, ebx
;;   add esi, edx
;;   mov r11d, [rbp-0x48]
;;   add r8d, r11d
;;   add r12d, r10d
;;   add eax, r13d
;;   add ebx, ecx
;;   add edx, esi
;;   mov [rbp-0x80], esi
;;   mov esi, [rbp-0x48]
;;   add esi, r8d
;;   add edi, r12d
;;   add r9d, eax
;;   mov r11d, [rbp-0x60]
;;   add ebx, r11d
;;   add r10d, edx
;;   add r13d, esi
;;   add ecx, edi
;;   mov r11d, [rbp-0x80]
;;   add r9d, r11d
;;   add r8d, ebx
;;   xor r8d, r12d
;;   mov eax, r8d
;;   return
;;   ud2  ; StackOverflow
;; $waits
;;   mov rsi, rdx
;;   mov r8d, [r14+rsi]  ; MemoryOutOfBounds
;;   mov r9d, [r14+rsi+4]  ; MemoryOutOfBounds
;;   mov eax, [r14+rsi+8]  ; MemoryOutOfBounds
;;   mov ecx, [r14+rsi+0xC]  ; MemoryOutOfBounds
;;   mov edx, [r14+rsi+0x10]  ; MemoryOutOfBounds
;;   mov r10d, [r14+rsi+0x14]  ; MemoryOutOfBounds
;;   mov [rbp-0x10], ecx
;;   mov ecx, [r14+rsi+0x18]  ; MemoryOutOfBounds
;;   mov [rbp-0x20], r10d
;;   mov r10d, [r14+rsi+0x1C]  ; MemoryOutOfBounds
;;   mov [rbp-0x18], edx
;;   mov edx, [r14+rsi+0x20]  ; MemoryOutOfBounds
;;   mov [rbp-8], eax
;;   mov eax, [r14+rsi+0x24]  ; MemoryOutOfBounds
;;   mov [rbp-0x40], eax
;;   mov eax, [r14+rsi+0x28]  ; MemoryOutOfBounds
;;   mov [rbp-0x48], eax
;;   mov eax, [r14+rsi+0x2C]  ; MemoryOutOfBounds
;;   mov edi, [r14+rsi+0x30]  ; MemoryOutOfBounds
;;   mov [rbp-0x50], eax
;;   mov eax, edi
;;   mov edi, [r14+rsi+0x40]  ; MemoryOutOfBounds
;;   sub eax, edi
;;   xor eax, r8d
;;   xor eax, r9d
;;   mov r11d, [rbp-8]
;;   xor eax, r11d
;;   mov r11d, [rbp-0x10]
;;   xor eax, r11d
;;   mov r11d, [rbp-0x18]
;;   xor eax, r11d
;;   mov r11d, [rbp-0x20]
;;   xor eax, r11d
;;   xor eax, ecx
;;   xor eax, r10d
;;   xor eax, edx
;;   mov r11d, [rbp-0x40]
;;   xor eax, r11d
;;   mov r11d, [rbp-0x48]
;;   xor eax, r11d
;;   mov r11d, [rbp-0x50]
;;   xor eax, r11d
;;   return
;;   ud2  ; StackOverflow
