//! How far a text goes without a byte that JSON strings write otherwise: eight bytes at a time.

/// How many bytes come before the first quote, backslash or control character.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let before = words.len() * 8;
    before + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// Whether all bytes are ASCII, and none is a quote, a backslash or a control character.
#[inline]
pub(super) fn is_plain_ascii(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let special = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        specials(word) | (word & HIGH)
    };
    // The rest as part of the last eight bytes, some of which are looked at twice.
    let last = match bytes.last_chunk() {
        Some(last) => special(last),
        None => u64::from(rest.iter().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20 | 0x80..))),
    };
    words.iter().fold(last, |found, word| found | special(word)) == 0
}

/// The highest bit of the first byte that is special, if there is one. What stands above it may be wrong: a borrow goes
/// upwards from bytes that are.
#[inline]
fn specials(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    (below(quotes, 1) | below(backslashes, 1) | below(word, 0x20)) & HIGH
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_at_each_place() {
        for len in 0..=24 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    for around in [b'a', b' ', b'!', b'#', b']', b'[', 0x7f, 0x80, 0xff] {
                        let mut bytes = vec![around; len];
                        bytes[at] = byte;
                        let is_special = matches!(byte, b'"' | b'\\' | 0..0x20);
                        assert_eq!(plain_len(&bytes), if is_special { at } else { len }, "{bytes:?}");
                        let is_plain = !is_special && byte < 0x80 && (around < 0x80 || len == 1);
                        assert_eq!(is_plain_ascii(&bytes), is_plain, "{bytes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_of_several() {
        for (text, len) in
            [("ab\"\"\"\"\"\"", 2), ("abcdefg\\\"", 7), ("abcdefgh\n\\", 8), ("\u{1}\"", 0), ("abcdefgh", 8)]
        {
            assert_eq!(plain_len(text.as_bytes()), len, "{text:?}");
        }
    }
}
