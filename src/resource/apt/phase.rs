//! Which machines a phased update has reached, by the draw apt makes.
//!
//! Apt seeds the generator `minstd_rand` of the C++ library with the source package, its version and the machine's id,
//! draws a number from 0 to 100, and leaves out updates whose percentage is below it. The steps are those of the C++ standard
//! (`seed_seq::generate`, a linear congruence) and of GNU's `uniform_int_distribution`, with which apt is built.

/// Whether this machine is among those that get the update.
pub(super) fn reached(source: &str, version: &str, machine_id: &str, percentage: u32) -> bool {
    draw(format!("{source}-{version}-{machine_id}").as_bytes()) <= percentage
}

/// The number drawn, from 0 to 100.
fn draw(seed: &[u8]) -> u32 {
    const MODULUS: u64 = 0x7fff_ffff;
    // Four words are asked for, of which the last seeds the generator.
    let word = u64::from(generate(seed)[3]) % MODULUS;
    let mut state = if word == 0 { 1 } else { word };
    let scaling = (MODULUS - 2) / 101;
    loop {
        state = state * 48_271 % MODULUS;
        let number = (state - 1) / scaling;
        if number <= 100 {
            return u32::try_from(number).unwrap_or(100);
        }
    }
}

/// `seed_seq::generate` for four words.
fn generate(seed: &[u8]) -> [u32; 4] {
    let mut words = [0x8b8b_8b8b_u32; 4];
    let mix = |x: u32| x ^ (x >> 27);
    let length = u32::try_from(seed.len()).unwrap_or(u32::MAX);
    let rounds = (seed.len() + 1).max(4);
    let at = |words: &[u32; 4], index: usize| words.get(index % 4).copied().unwrap_or_default();
    let set = |words: &mut [u32; 4], index: usize, value: u32| {
        if let Some(word) = words.get_mut(index % 4) {
            *word = value;
        }
    };
    // With four words the distances are p = 1 and q = 2.
    for k in 0..rounds {
        let r1 = mix(at(&words, k) ^ at(&words, k + 1) ^ at(&words, k + 3)).wrapping_mul(1_664_525);
        let own = u32::try_from(k % 4).unwrap_or_default();
        let r2 = match k {
            0 => r1.wrapping_add(length),
            // Characters are signed where apt runs.
            k if k <= seed.len() => {
                r1.wrapping_add(own).wrapping_add(seed.get(k - 1).map_or(0, |byte| i32::from(byte.cast_signed()).cast_unsigned()))
            }
            _ => r1.wrapping_add(own),
        };
        let (one, two) = (at(&words, k + 1).wrapping_add(r1), at(&words, k + 2).wrapping_add(r2));
        set(&mut words, k + 1, one);
        set(&mut words, k + 2, two);
        set(&mut words, k, r2);
    }
    for k in rounds..rounds + 4 {
        let r3 = mix(at(&words, k).wrapping_add(at(&words, k + 1)).wrapping_add(at(&words, k + 3))).wrapping_mul(1_566_083_941);
        let r4 = r3.wrapping_sub(u32::try_from(k % 4).unwrap_or_default());
        let (one, two) = (at(&words, k + 1) ^ r3, at(&words, k + 2) ^ r4);
        set(&mut words, k + 1, one);
        set(&mut words, k + 2, two);
        set(&mut words, k, r4);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drawn by a program of eight lines in C++, compiled with g++ 12.
    #[test]
    fn draws_are_those_of_the_c_library() {
        for (seed, number) in [
            ("", 63),
            ("a", 94),
            ("ab", 53),
            ("abc", 18),
            ("openssl-3.0.13-0ubuntu3.4-0123456789abcdef0123456789abcdef", 59),
            ("systemd-255.4-1ubuntu8.8-fedcba9876543210fedcba9876543210", 27),
            ("linux-meta-6.8.0-60.63-b08dfa6083e7567a1921a715000001fb", 33),
            ("x-1-00000000000000000000000000000000", 38),
            ("snapd-2.67.1+24.04-ffffffffffffffffffffffffffffffff", 41),
        ] {
            assert_eq!(draw(seed.as_bytes()), number, "{seed}");
        }
    }
}
