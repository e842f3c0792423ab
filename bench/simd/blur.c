// An image: blurred by 1 2 1 both ways, sharpened against the blur with saturation, and thresholded.
#include "bench.h"

enum { WIDTH = 1024, HEIGHT = 512, ROUNDS = 24 };
static uint8_t image[HEIGHT][WIDTH], blurred[HEIGHT][WIDTH];

static v128_t weigh_low(v128_t above, v128_t here, v128_t below) {
    v128_t sum = wasm_i16x8_add(wasm_u16x8_extend_low_u8x16(above), wasm_u16x8_extend_low_u8x16(below));
    return wasm_i16x8_add(sum, wasm_i16x8_shl(wasm_u16x8_extend_low_u8x16(here), 1));
}

static v128_t weigh_high(v128_t above, v128_t here, v128_t below) {
    v128_t sum = wasm_i16x8_add(wasm_u16x8_extend_high_u8x16(above), wasm_u16x8_extend_high_u8x16(below));
    return wasm_i16x8_add(sum, wasm_i16x8_shl(wasm_u16x8_extend_high_u8x16(here), 1));
}

static v128_t weigh(v128_t above, v128_t here, v128_t below) {
    v128_t two = wasm_i16x8_const_splat(2);
    v128_t low = wasm_u16x8_shr(wasm_i16x8_add(weigh_low(above, here, below), two), 2);
    v128_t high = wasm_u16x8_shr(wasm_i16x8_add(weigh_high(above, here, below), two), 2);
    return wasm_u8x16_narrow_i16x8(low, high);
}

static void blur(void) {
    for (int y = 1; y < HEIGHT - 1; y++) {
        v128_t before = wasm_i8x16_const_splat(0);
        v128_t here = weigh(wasm_v128_load(&image[y - 1][0]), wasm_v128_load(&image[y][0]), wasm_v128_load(&image[y + 1][0]));
        for (int x = 0; x < WIDTH; x += 16) {
            int next = x + 16 < WIDTH ? x + 16 : 0;
            v128_t after = weigh(wasm_v128_load(&image[y - 1][next]), wasm_v128_load(&image[y][next]), wasm_v128_load(&image[y + 1][next]));
            v128_t left = wasm_i8x16_shuffle(before, here, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
            v128_t right = wasm_i8x16_shuffle(here, after, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
            wasm_v128_store(&blurred[y][x], weigh(left, here, right));
            before = here;
            here = after;
        }
    }
}

static void sharpen(void) {
    v128_t limit = wasm_u8x16_const_splat(250), mark = wasm_u8x16_const_splat(16);
    for (int i = 0; i < WIDTH * HEIGHT; i += 16) {
        v128_t sharp = wasm_v128_load((uint8_t *)image + i), soft = wasm_v128_load((uint8_t *)blurred + i);
        v128_t more = wasm_u8x16_add_sat(sharp, wasm_u8x16_sub_sat(sharp, soft));
        v128_t less = wasm_u8x16_sub_sat(more, wasm_u8x16_sub_sat(soft, sharp));
        v128_t bright = wasm_u8x16_gt(less, limit);
        wasm_v128_store((uint8_t *)image + i, wasm_v128_bitselect(mark, wasm_u8x16_avgr(less, soft), bright));
    }
}

void work(void) {
    uint32_t state = 1;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) image[y][x] = (uint8_t)next_random(&state);
    }
    for (int round = 0; round < ROUNDS; round++) {
        blur();
        sharpen();
    }
}

uint64_t checksum(void) { return hash(image, sizeof image); }
