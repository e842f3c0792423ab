// ChaCha20, one block at a time in four registers: additions, exclusive ors and rotations, each waiting for the last.
#include "bench.h"

enum { BYTES = 64 * 1024, ROUNDS = 12 };
static uint8_t message[BYTES];

#define ROTATE(v, n) wasm_v128_or(wasm_i32x4_shl(v, n), wasm_u32x4_shr(v, 32 - n))
#define ROTATE16(v) wasm_i8x16_shuffle(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define ROTATE8(v) wasm_i8x16_shuffle(v, v, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)

#define QUARTERS \
    a = wasm_i32x4_add(a, b), d = wasm_v128_xor(d, a), d = ROTATE16(d); \
    c = wasm_i32x4_add(c, d), b = wasm_v128_xor(b, c), b = ROTATE(b, 12); \
    a = wasm_i32x4_add(a, b), d = wasm_v128_xor(d, a), d = ROTATE8(d); \
    c = wasm_i32x4_add(c, d), b = wasm_v128_xor(b, c), b = ROTATE(b, 7);

void work(void) {
    v128_t a0 = wasm_i32x4_const(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
    v128_t b0 = wasm_i32x4_const(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);
    v128_t c0 = wasm_i32x4_const(0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c);
    v128_t d0 = wasm_i32x4_const(0, 0x09000000, 0x4a000000, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int at = 0; at < BYTES; at += 64) {
            v128_t a = a0, b = b0, c = c0, d = d0;
            for (int i = 0; i < 10; i++) {
                QUARTERS
                b = wasm_i32x4_shuffle(b, b, 1, 2, 3, 0);
                c = wasm_i32x4_shuffle(c, c, 2, 3, 0, 1);
                d = wasm_i32x4_shuffle(d, d, 3, 0, 1, 2);
                QUARTERS
                b = wasm_i32x4_shuffle(b, b, 3, 0, 1, 2);
                c = wasm_i32x4_shuffle(c, c, 2, 3, 0, 1);
                d = wasm_i32x4_shuffle(d, d, 1, 2, 3, 0);
            }
            uint8_t *out = message + at;
            wasm_v128_store(out, wasm_v128_xor(wasm_v128_load(out), wasm_i32x4_add(a, a0)));
            wasm_v128_store(out + 16, wasm_v128_xor(wasm_v128_load(out + 16), wasm_i32x4_add(b, b0)));
            wasm_v128_store(out + 32, wasm_v128_xor(wasm_v128_load(out + 32), wasm_i32x4_add(c, c0)));
            wasm_v128_store(out + 48, wasm_v128_xor(wasm_v128_load(out + 48), wasm_i32x4_add(d, d0)));
            d0 = wasm_i32x4_add(d0, wasm_i32x4_const(1, 0, 0, 0));
        }
    }
}

uint64_t checksum(void) { return hash(message, sizeof message); }
