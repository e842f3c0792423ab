// The set of Mandelbrot, four points at a time in two pairs of doubles.
#include "bench.h"

enum { WIDTH = 320, HEIGHT = 200, MOST = 200 };
static uint8_t image[HEIGHT][WIDTH];

void work(void) {
    v128_t four = wasm_f64x2_const_splat(4);
    for (int y = 0; y < HEIGHT; y++) {
        v128_t ci = wasm_f64x2_splat(2.0 * y / HEIGHT - 1);
        for (int x = 0; x < WIDTH; x += 4) {
            v128_t cr0 = wasm_f64x2_make(3.0 * x / WIDTH - 2, 3.0 * (x + 1) / WIDTH - 2);
            v128_t cr1 = wasm_f64x2_make(3.0 * (x + 2) / WIDTH - 2, 3.0 * (x + 3) / WIDTH - 2);
            v128_t zr0 = cr0, zi0 = ci, zr1 = cr1, zi1 = ci;
            v128_t steps0 = wasm_i64x2_const_splat(0), steps1 = steps0;
            for (int step = 0; step < MOST; step++) {
                v128_t rr0 = wasm_f64x2_mul(zr0, zr0), ii0 = wasm_f64x2_mul(zi0, zi0);
                v128_t rr1 = wasm_f64x2_mul(zr1, zr1), ii1 = wasm_f64x2_mul(zi1, zi1);
                v128_t in0 = wasm_f64x2_le(wasm_f64x2_add(rr0, ii0), four);
                v128_t in1 = wasm_f64x2_le(wasm_f64x2_add(rr1, ii1), four);
                if (!wasm_v128_any_true(wasm_v128_or(in0, in1))) break;
                steps0 = wasm_i64x2_sub(steps0, in0);
                steps1 = wasm_i64x2_sub(steps1, in1);
                v128_t ri0 = wasm_f64x2_mul(zr0, zi0), ri1 = wasm_f64x2_mul(zr1, zi1);
                zr0 = wasm_f64x2_add(wasm_f64x2_sub(rr0, ii0), cr0);
                zr1 = wasm_f64x2_add(wasm_f64x2_sub(rr1, ii1), cr1);
                zi0 = wasm_f64x2_add(wasm_f64x2_add(ri0, ri0), ci);
                zi1 = wasm_f64x2_add(wasm_f64x2_add(ri1, ri1), ci);
            }
            image[y][x] = (uint8_t)wasm_i64x2_extract_lane(steps0, 0);
            image[y][x + 1] = (uint8_t)wasm_i64x2_extract_lane(steps0, 1);
            image[y][x + 2] = (uint8_t)wasm_i64x2_extract_lane(steps1, 0);
            image[y][x + 3] = (uint8_t)wasm_i64x2_extract_lane(steps1, 1);
        }
    }
}

uint64_t checksum(void) { return hash(image, sizeof image); }
