// Product of matrices of floats, blocks of four rows by eight columns in registers.
#include "bench.h"

enum { N = 256, ROUNDS = 6 };
static float a[N][N], b[N][N], c[N][N];

static void multiply(void) {
    for (int i = 0; i < N; i += 4) {
        for (int j = 0; j < N; j += 8) {
            v128_t sum[4][2] = {};
            for (int k = 0; k < N; k++) {
                v128_t left = wasm_v128_load(&b[k][j]), right = wasm_v128_load(&b[k][j + 4]);
                for (int row = 0; row < 4; row++) {
                    v128_t scale = wasm_v128_load32_splat(&a[i + row][k]);
                    sum[row][0] = wasm_f32x4_add(sum[row][0], wasm_f32x4_mul(scale, left));
                    sum[row][1] = wasm_f32x4_add(sum[row][1], wasm_f32x4_mul(scale, right));
                }
            }
            for (int row = 0; row < 4; row++) {
                wasm_v128_store(&c[i + row][j], sum[row][0]);
                wasm_v128_store(&c[i + row][j + 4], sum[row][1]);
            }
        }
    }
}

void work(void) {
    uint32_t state = 1;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = (float)(next_random(&state) % 64) / 64;
            b[i][j] = (float)(next_random(&state) % 64) / 64;
        }
    }
    for (int round = 0; round < ROUNDS; round++) {
        multiply();
        for (int i = 0; i < N; i++) a[i][i] = c[i][i] / N;
    }
}

uint64_t checksum(void) { return hash(c, sizeof c); }
