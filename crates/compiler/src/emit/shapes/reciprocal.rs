//! Division by multiplication: what to multiply by.
//!
//! Source: Granlund and Montgomery, "Division by Invariant Integers using Multiplication", PLDI 1994, sections 4 to 6.

use crate::treaty::ty::Width;

/// For all `x` in range, `x / divisor` is `multiplier * x >> (width + shift)`, rounded towards minus infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reciprocal {
    /// Less than 2^(width + 1).
    pub(crate) multiplier: u128,
    /// Less than the width.
    pub(crate) shift: u32,
}

impl Reciprocal {
    /// The smallest multiplier that serves all `x` of so many bits, at most the width; or as many and a sign, for which
    /// -1 too much is what rounds towards zero. The divisor is at most 2^(width - 1), and no power of two.
    pub(crate) fn of(width: Width, divisor: u64, precision: u32) -> Reciprocal {
        let bits = width.bits();
        debug_assert!(divisor <= 1 << (bits - 1) && !divisor.is_power_of_two() && precision <= bits);
        let mut shift = u64::BITS - divisor.leading_zeros();
        // Between these two any multiplier is exact enough; both are below 2^128, as `shift` is below the width.
        let power = 1_u128 << (bits + shift);
        let mut low = power / u128::from(divisor);
        let mut high = (power + (1 << (bits + shift - precision))) / u128::from(divisor);
        while shift > 0 && low >> 1 < high >> 1 {
            low >>= 1;
            high >>= 1;
            shift -= 1;
        }
        Reciprocal { multiplier: high, shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked of a reciprocal, at the ends of each quotient's range and of the numbers' own.
    fn holds(width: Width, divisor: u64, precision: u32) {
        let Reciprocal { multiplier, shift } = Reciprocal::of(width, divisor, precision);
        assert!(multiplier >> (width.bits() + 1) == 0 && shift < width.bits(), "{divisor} of {precision} bits");
        let most = u64::MAX >> (u64::BITS - precision);
        let last = most / divisor;
        for quotient in [0, 1, 2, last / 2, last.saturating_sub(1), last] {
            let first = quotient.wrapping_mul(divisor);
            for x in [first.saturating_sub(1), first, first.saturating_add(1), most] {
                let x = x.min(most);
                // 128 bits are too few for the product, so it is made in two halves.
                let (m_high, m_low) = (multiplier >> 64, multiplier & u128::from(u64::MAX));
                let low = m_low * u128::from(x);
                let high = m_high * u128::from(x) + (low >> 64);
                let found = match width {
                    Width::W32 => (high << 64 | low & u128::from(u64::MAX)) >> (32 + shift),
                    Width::W64 => high >> shift,
                };
                assert_eq!(found as u64, x / divisor, "{x} by {divisor}, {precision} bits");
            }
        }
    }

    #[test]
    fn every_divisor_of_few_bits_and_some_of_many() {
        let mut divisors: Vec<u64> = (3..5000).collect();
        for bit in 12..63 {
            divisors.extend((1 << bit) - 3..(1 << bit) + 4);
            divisors.push((1_u64 << bit).wrapping_mul(0x9e37_79b9) >> 1);
        }
        for divisor in divisors {
            if divisor.is_power_of_two() {
                continue;
            }
            if divisor < 1 << 31 {
                for precision in [31, 32] {
                    holds(Width::W32, divisor, precision);
                }
            }
            if divisor < 1 << 63 {
                for precision in [63, 64] {
                    holds(Width::W64, divisor, precision);
                }
            }
        }
    }

    #[test]
    fn rounding_towards_zero_adds_one_below_zero() {
        let mut seed = 1_u64;
        for divisor in (3..2000_u64).filter(|divisor| !divisor.is_power_of_two()) {
            let Reciprocal { multiplier, shift } = Reciprocal::of(Width::W32, divisor, 31);
            for x in [i32::MIN, i32::MIN + 1, -1, -(divisor as i32), 1 - divisor as i32, 0, 1, i32::MAX] {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                for x in [x, (seed >> 32) as i32] {
                    let product = multiplier as i128 * i128::from(x) >> (32 + shift);
                    assert_eq!(product - i128::from(x >> 31), i128::from(x / divisor as i32), "{x} by {divisor}");
                }
            }
        }
    }
}
