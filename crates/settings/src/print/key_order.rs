//! The order in which yaml.v3 prints a map's keys: numbers in them by their value, so that `otlp/2` comes before `otlp/10`,
//! and what is no letter before letters.
//!
//! The rule is not transitive for all keys, so nothing that relies on that may sort by it.

/// The items with their keys in order.
pub(super) fn ordered<T>(items: &[T], key: impl Fn(&T) -> &str) -> Vec<&T> {
    let mut ordered: Vec<&T> = Vec::with_capacity(items.len());
    for item in items {
        let at = ordered.partition_point(|before| !is_before(key(item), key(before)));
        ordered.insert(at, item);
    }
    ordered
}

fn is_before(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len() < b.len() };
    let (Some(x), Some(y)) = (a.get(at), b.get(at)) else { return false };
    let before = a.get(..at).unwrap_or_default();
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x < y,
        (false, false) => {}
        (is_letter, _) => {
            let digits = before.last().is_some_and(char::is_ascii_digit);
            return is_letter == digits;
        }
    }
    // Zeros count only where they do not lead.
    let is_inside = before.iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
    let first = u64::from((*x == '0' || *y == '0') && is_inside);
    let number = |text: &[char]| {
        let digits = text.iter().map_while(|c| c.to_digit(10));
        digits
            .fold((first, 0), |(number, count), digit| (number.wrapping_mul(10).wrapping_add(digit.into()), count + 1))
    };
    let (m, n) = (number(a.get(at..).unwrap_or_default()), number(b.get(at..).unwrap_or_default()));
    if m == n { x < y } else { m < n }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_yaml_v3_orders_keys() {
        // As `print-config` printed them.
        let expected = [
            "", "1x", "2x", "3.1x", "4x", "B", "a-b", "a_b", "a1", "a01", "a2", "a02", "a10", "a100a", "a100b",
            "a100b/1", "a100b/2", "a100b/02", "a100b/10", "aB", "ab/1", "abc/1", "b", "b1", "b01", "b3", "b03", "b11",
            "bb", "c2.10", "c10.2", "d1", "d7", "d7abc", "d12", "d12a", "e2b", "e4b", "e21a", "z10", "z100", "z1001",
            "é1",
        ];
        let mut shuffled = expected;
        shuffled.reverse();
        shuffled.rotate_left(7);
        assert_eq!(ordered(&shuffled, |key| key), expected.iter().collect::<Vec<_>>());
        let keys = ["otlp/10", "otlp/2", "otlp"];
        assert_eq!(ordered(&keys, |key| key), [&"otlp", &"otlp/2", &"otlp/10"]);
    }
}
