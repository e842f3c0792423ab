// Text: base64 there and back by swizzles, and UTF-8 told from what is none by looking both halves of each byte up.
#include "bench.h"

enum { BYTES = 48 * 1024, ROUNDS = 40 };
static uint8_t bytes[BYTES + 16], text[BYTES / 3 * 4 + 16], back[BYTES + 16];
static uint32_t valid;

static v128_t to_letters(v128_t sixes) {
    v128_t offsets = wasm_i8x16_const(65, 71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 0, 0);
    v128_t range = wasm_u8x16_sub_sat(sixes, wasm_u8x16_const_splat(51));
    v128_t lower = wasm_i8x16_gt(sixes, wasm_i8x16_const_splat(25));
    range = wasm_i8x16_sub(range, lower);
    return wasm_i8x16_add(sixes, wasm_i8x16_swizzle(offsets, range));
}

static void encode(void) {
    for (int from = 0, to = 0; from < BYTES; from += 12, to += 16) {
        v128_t in = wasm_v128_load(bytes + from);
        in = wasm_i8x16_shuffle(in, in, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
        v128_t a = wasm_v128_and(wasm_u32x4_shr(in, 10), wasm_i32x4_const_splat(0x3f));
        v128_t b = wasm_v128_and(wasm_i32x4_shl(in, 4), wasm_i32x4_const_splat(0x3f00));
        v128_t c = wasm_v128_and(wasm_u32x4_shr(in, 6), wasm_i32x4_const_splat(0x3f0000));
        v128_t d = wasm_v128_and(wasm_i32x4_shl(in, 8), wasm_i32x4_const_splat(0x3f000000));
        wasm_v128_store(text + to, to_letters(wasm_v128_or(wasm_v128_or(a, b), wasm_v128_or(c, d))));
    }
}

static int decode(void) {
    v128_t rolls = wasm_i8x16_const(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    for (int from = 0, to = 0; to < BYTES; from += 16, to += 12) {
        v128_t in = wasm_v128_load(text + from);
        v128_t high = wasm_u8x16_shr(in, 4);
        v128_t slash = wasm_i8x16_eq(in, wasm_i8x16_const_splat('/'));
        v128_t sixes = wasm_i8x16_add(in, wasm_i8x16_swizzle(rolls, wasm_i8x16_add(slash, high)));
        if (wasm_v128_any_true(wasm_u8x16_gt(sixes, wasm_u8x16_const_splat(63)))) return 0;
        v128_t even = wasm_i16x8_shl(wasm_v128_and(sixes, wasm_i16x8_const_splat(0xff)), 6);
        v128_t twelves = wasm_v128_or(even, wasm_u16x8_shr(sixes, 8));
        v128_t ones = wasm_i32x4_dot_i16x8(twelves, wasm_i32x4_const_splat(0x00011000));
        v128_t out = wasm_i8x16_shuffle(ones, wasm_i8x16_const_splat(0), 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 16, 16, 16, 16);
        wasm_v128_store(back + to, out);
    }
    return 1;
}

static v128_t look_up(v128_t table, v128_t index) { return wasm_i8x16_swizzle(table, index); }

// Which errors the pairs of neighbouring bytes could be part of; a bit each.
static int utf8(const uint8_t *in, int length) {
    v128_t high_of_first = wasm_u8x16_const(2, 2, 2, 2, 2, 2, 2, 2, 0x80, 0x80, 0x80, 0x80, 0x21, 1, 0x15, 0x49);
    v128_t low_of_first = wasm_u8x16_const(0xe7, 0xa3, 0x83, 0x83, 0x8b, 0xcb, 0xcb, 0xcb, 0xcb, 0xcb, 0xcb, 0xcb, 0xcb, 0xdb, 0xcb, 0xcb);
    v128_t high_of_second = wasm_u8x16_const(1, 1, 1, 1, 1, 1, 1, 1, 0xe6, 0xae, 0xba, 0xba, 1, 1, 1, 1);
    v128_t before = wasm_i8x16_const_splat(0), wrong = before;
    for (int i = 0; i < length; i += 16) {
        v128_t here = wasm_v128_load(in + i);
        if (!wasm_i8x16_bitmask(wasm_v128_or(here, before))) continue;
        v128_t first = wasm_i8x16_shuffle(before, here, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
        v128_t special = wasm_v128_and(
            wasm_v128_and(look_up(high_of_first, wasm_u8x16_shr(first, 4)), look_up(low_of_first, wasm_v128_and(first, wasm_i8x16_const_splat(15)))),
            look_up(high_of_second, wasm_u8x16_shr(here, 4)));
        v128_t second = wasm_i8x16_shuffle(before, here, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
        v128_t third = wasm_i8x16_shuffle(before, here, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
        v128_t must = wasm_v128_or(wasm_u8x16_sub_sat(second, wasm_u8x16_const_splat(0x60)), wasm_u8x16_sub_sat(third, wasm_u8x16_const_splat(0x70)));
        wrong = wasm_v128_or(wrong, wasm_v128_xor(wasm_v128_and(must, wasm_u8x16_const_splat(0x80)), special));
        before = here;
    }
    return !wasm_v128_any_true(wrong);
}

void work(void) {
    uint32_t state = 1;
    for (int i = 0; i < BYTES; i++) bytes[i] = (uint8_t)next_random(&state);
    for (int round = 0; round < ROUNDS; round++) {
        encode();
        valid += (uint32_t)decode();
        // Characters of one to four bytes, with a mistake in every third round.
        static const char sample[] = "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 plain and long enough to be skipped in part ";
        for (int i = 0; i < BYTES / 2; i++) back[i] = (uint8_t)sample[i % (sizeof sample - 1)];
        for (int i = BYTES / 2 - 16; i < BYTES / 2; i++) back[i] = ' ';
        if (round % 3 == 0) back[round * 57 + 1] = 0xc0;
        for (int again = 0; again < 4; again++) valid = valid * 3 + (uint32_t)utf8(back, BYTES / 2);
        bytes[round] ^= (uint8_t)valid;
    }
}

uint64_t checksum(void) { return hash(text, sizeof text) ^ hash(back, sizeof back) ^ valid; }
