//! SHA3-256, which none of the packages that we have anyway offers.

/// The 24 constants that are mixed into the state, one a round.
const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Where each lane goes, in the order in which they are moved, and by how much it is turned then.
const MOVES: [(usize, u32); 24] = [
    (10, 1),
    (7, 3),
    (11, 6),
    (17, 10),
    (18, 15),
    (3, 21),
    (5, 28),
    (16, 36),
    (8, 45),
    (21, 55),
    (24, 2),
    (4, 14),
    (15, 27),
    (23, 41),
    (19, 56),
    (13, 8),
    (12, 25),
    (2, 43),
    (20, 62),
    (14, 18),
    (22, 39),
    (9, 61),
    (6, 20),
    (1, 44),
];

/// What one step takes in.
const BLOCK_BYTES: usize = 136;

/// The SHA3-256 of a text.
pub(super) fn sha3_256(text: &[u8]) -> [u8; 32] {
    let mut state = [0_u64; 25];
    let mut blocks = text.chunks_exact(BLOCK_BYTES);
    blocks.by_ref().for_each(|block| absorb(&mut state, block));
    let mut last = [0; BLOCK_BYTES];
    let rest = blocks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x06;
    last[BLOCK_BYTES - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut digest = [0; 32];
    for (bytes, lane) in digest.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&lane.to_le_bytes());
    }
    digest
}

fn absorb(state: &mut [u64; 25], block: &[u8]) {
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane ^= bytes.iter().rev().fold(0, |lane, byte| lane << 8 | u64::from(*byte));
    }
    ROUNDS.iter().for_each(|constant| round(state, *constant));
}

fn round(state: &mut [u64; 25], constant: u64) {
    let parity: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |parity, y| parity ^ state[x + 5 * y]));
    for (at, lane) in state.iter_mut().enumerate() {
        *lane ^= parity[(at + 4) % 5] ^ parity[(at + 1) % 5].rotate_left(1);
    }
    let mut carried = state[1];
    for (to, turned) in MOVES {
        carried = std::mem::replace(&mut state[to], carried.rotate_left(turned));
    }
    for row in state.chunks_exact_mut(5) {
        let before: [u64; 5] = std::array::from_fn(|x| row[x]);
        for (x, lane) in row.iter_mut().enumerate() {
            *lane ^= !before[(x + 1) % 5] & before[(x + 2) % 5];
        }
    }
    state[0] ^= constant;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        for (text, expected) in [
            ("", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
            ("abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        ] {
            let digest: String = sha3_256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digest, expected, "{text}");
        }
        // A block that is full, and one that has room for the end only.
        assert_ne!(sha3_256(&[0; BLOCK_BYTES]), sha3_256(&[0; BLOCK_BYTES - 1]));
    }
}
