//! Paths of which only the words are left: `/users/42/cart` becomes `/users/*/cart`.
//!
//! A part of a path stays if it looks like English, by how probable its letters are behind one another; the rules and the
//! table are those of Grafana's `clusterurl`, which otelcol uses. What follows a `?`, `&` or `#` goes.

/// The table of letters.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// The logarithm of how probable the second letter is behind the first, by 27 × first + second.
    likely: Vec<f64>,
}

/// `a` to `z` and the space.
const LETTERS: usize = 27;
/// What is less likely is no word.
const LIKELY_MIN: f64 = 0.015_099_318_064_947_853;
/// Parts of a path beyond these go.
const PARTS_MAX: usize = 10;

impl Words {
    pub(super) fn new() -> Self {
        let rows = include_str!("url_model.txt").lines().filter(|line| !line.starts_with('#'));
        Self { likely: rows.flat_map(str::split_whitespace).filter_map(|number| number.parse().ok()).collect() }
    }

    /// The path with a `*` for each part that is no word.
    pub(super) fn only(&self, path: &[u8]) -> Vec<u8> {
        let mut text = path.to_vec();
        // What is done ends at `done`; the part that is being read stands from there to `read`.
        let (mut done, mut read) = (0, 0);
        let (mut is_id, mut may_be_odd) = (false, true);
        let mut parts = 0;
        for &byte in path {
            match byte {
                b'?' | b'&' | b'#' => {
                    if is_id && done < text.len() {
                        put(&mut text, &mut done, b'*');
                    } else if !is_id && read > done {
                        done = read;
                    }
                    text.truncate(done);
                    break;
                }
                b'/' => {
                    parts += 1;
                    if is_id {
                        put(&mut text, &mut done, b'*');
                    } else if read > done {
                        self.end_part(&mut text, &mut done, read);
                    }
                    if parts >= PARTS_MAX {
                        break;
                    }
                    put(&mut text, &mut done, b'/');
                    (read, is_id, may_be_odd) = (done, false, true);
                }
                _ if is_id => {}
                _ => {
                    put(&mut text, &mut read, byte);
                    if !matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b' ') {
                        // As in `v1`.
                        if may_be_odd && read - done == 2 {
                            may_be_odd = false;
                        } else {
                            is_id = true;
                        }
                    }
                }
            }
        }
        if is_id {
            put(&mut text, &mut done, b'*');
        } else if read > done && !text.is_empty() {
            self.end_part(&mut text, &mut done, read);
        }
        text.truncate(done);
        text
    }

    fn end_part(&self, text: &mut [u8], done: &mut usize, read: usize) {
        if text.get(*done..read).is_some_and(|part| self.is_word(part)) {
            *done = read;
        } else {
            put(text, done, b'*');
        }
    }

    fn is_word(&self, part: &[u8]) -> bool {
        let mut letters = part.iter().filter_map(|byte| match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => Some(usize::from(letter - b'a')),
            b' ' => Some(LETTERS - 1),
            _ => None,
        });
        let Some(mut before) = letters.next() else { return true };
        let (mut sum, mut pairs) = (0.0, 0.0);
        for letter in letters {
            sum += self.likely.get(before * LETTERS + letter).copied().unwrap_or(0.0);
            pairs += 1.0;
            before = letter;
        }
        let likely: f64 = if pairs == 0.0 { 1.0 } else { (sum / pairs).exp() };
        likely > LIKELY_MIN
    }
}

/// What lies behind the end is not written.
fn put(text: &mut [u8], at: &mut usize, byte: u8) {
    if let Some(place) = text.get_mut(*at) {
        *place = byte;
        *at += 1;
    }
}

/// Whether nothing is left of a path but asterisks.
pub(super) fn is_all_masked(path: &[u8]) -> bool {
    let mut parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| part == b"*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay() {
        let words = Words::new();
        assert_eq!(words.likely.len(), LETTERS * LETTERS);
        for (path, expected) in [
            ("", ""),
            ("/", "/"),
            ("/users/42/cart", "/users/*/cart"),
            ("/users/fdklsd/j4elk/23993/job/2", "/users/*/j4elk/*/job/*"),
            ("123/ljgdflgjf", "*/*"),
            ("/v1/products/2?id=7", "/v1/products/*"),
            ("/products?id=7", "/products"),
            ("/zzzqqq?id=7", "/zzzqqq"),
            ("?a", ""),
            ("GET /users/42", "GET /users/*"),
            ("/attach", "/attach"),
            ("/123#x", "/*"),
            ("/a/b/c/d/e/f/g/h/i/j/k", "/a/b/c/d/e/f/g/h/i"),
        ] {
            let found = words.only(path.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found), expected, "{path}");
        }
    }

    #[test]
    fn all_masked() {
        for (path, expected) in [("", false), ("/", false), ("/*", true), ("*/*/", true), ("/a/*", false)] {
            assert_eq!(is_all_masked(path.as_bytes()), expected, "{path}");
        }
    }
}
