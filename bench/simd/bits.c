// Integers: bits that differ counted, products of words summed, the least and greatest and their places, prefix sums.
#include "bench.h"

enum { WORDS = 32 * 1024, ROUNDS = 60 };
static uint32_t left[WORDS], right[WORDS];
static uint64_t result;

static uint64_t distance(void) {
    v128_t total = wasm_i64x2_const_splat(0);
    for (int i = 0; i < WORDS; i += 16) {
        v128_t bytes = wasm_i8x16_const_splat(0);
        for (int j = 0; j < 16; j += 4) {
            v128_t differ = wasm_v128_xor(wasm_v128_load(left + i + j), wasm_v128_load(right + i + j));
            bytes = wasm_i8x16_add(bytes, wasm_i8x16_popcnt(differ));
        }
        v128_t doubles = wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(bytes));
        total = wasm_i64x2_add(total, wasm_i64x2_add(wasm_u64x2_extend_low_u32x4(doubles), wasm_u64x2_extend_high_u32x4(doubles)));
    }
    return (uint64_t)wasm_i64x2_extract_lane(total, 0) + (uint64_t)wasm_i64x2_extract_lane(total, 1);
}

static uint32_t product(void) {
    v128_t sum = wasm_i32x4_const_splat(0), more = sum;
    for (int i = 0; i < WORDS; i += 8) {
        sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_v128_load(left + i), wasm_v128_load(right + i)));
        more = wasm_i32x4_add(more, wasm_i32x4_mul(wasm_v128_load(left + i + 4), wasm_v128_load(right + i + 4)));
    }
    sum = wasm_v128_xor(sum, more);
    return (uint32_t)(wasm_i32x4_extract_lane(sum, 0) ^ wasm_i32x4_extract_lane(sum, 1) ^ wasm_i32x4_extract_lane(sum, 2) ^ wasm_i32x4_extract_lane(sum, 3));
}

static uint32_t greatest(void) {
    v128_t best = wasm_v128_load(left), places = wasm_i32x4_const(0, 1, 2, 3), where = places;
    for (int i = 4; i < WORDS; i += 4) {
        places = wasm_i32x4_add(places, wasm_i32x4_const_splat(4));
        v128_t here = wasm_v128_load(left + i);
        v128_t better = wasm_u32x4_gt(here, best);
        best = wasm_v128_bitselect(here, best, better);
        where = wasm_v128_bitselect(places, where, better);
    }
    uint32_t most = wasm_u32x4_extract_lane(best, 0), place = wasm_u32x4_extract_lane(where, 0);
    if (wasm_u32x4_extract_lane(best, 1) > most) most = wasm_u32x4_extract_lane(best, 1), place = wasm_u32x4_extract_lane(where, 1);
    if (wasm_u32x4_extract_lane(best, 2) > most) most = wasm_u32x4_extract_lane(best, 2), place = wasm_u32x4_extract_lane(where, 2);
    if (wasm_u32x4_extract_lane(best, 3) > most) most = wasm_u32x4_extract_lane(best, 3), place = wasm_u32x4_extract_lane(where, 3);
    return most ^ place;
}

static int find(uint32_t what) {
    v128_t wanted = wasm_u32x4_splat(what);
    for (int i = 0; i < WORDS; i += 4) {
        v128_t same = wasm_i32x4_eq(wasm_v128_load(left + i), wanted);
        if (wasm_v128_any_true(same)) return i + __builtin_ctz(wasm_i32x4_bitmask(same));
    }
    return -1;
}

static void prefix(void) {
    v128_t carry = wasm_i32x4_const_splat(0);
    for (int i = 0; i < WORDS; i += 4) {
        v128_t sum = wasm_v128_load(right + i), zero = wasm_i32x4_const_splat(0);
        sum = wasm_i32x4_add(sum, wasm_i32x4_shuffle(sum, zero, 4, 0, 1, 2));
        sum = wasm_i32x4_add(sum, wasm_i32x4_shuffle(sum, zero, 4, 4, 0, 1));
        sum = wasm_i32x4_add(sum, carry);
        wasm_v128_store(right + i, sum);
        carry = wasm_i32x4_shuffle(sum, sum, 3, 3, 3, 3);
    }
}

void work(void) {
    uint32_t state = 1;
    for (int i = 0; i < WORDS; i++) left[i] = next_random(&state), right[i] = next_random(&state);
    for (int round = 0; round < ROUNDS; round++) {
        result = result * 31 + distance();
        result = result * 31 + product();
        result = result * 31 + greatest();
        result = result * 31 + (uint64_t)find(left[WORDS - 1 - round]);
        prefix();
    }
}

uint64_t checksum(void) { return hash(right, sizeof right) ^ result; }
