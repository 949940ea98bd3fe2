//! "Did you mean …?": the nearest word by edit distance.

/// The candidate that `word` most likely stands for, if one is near enough: a third of its letters may be wrong, at least one.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let word = word.to_lowercase();
    let nearest = candidates.into_iter().map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate));
    let (distance, candidate) = nearest.min_by_key(|(distance, _)| *distance)?;
    let tolerated = (candidate.chars().count().max(word.chars().count()) / 3).max(1);
    (distance <= tolerated).then_some(candidate)
}

/// Longer words are no misspelt keys, and the distance takes time by the product of the lengths.
const WORD_BYTES_MAX: usize = 100;

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_word_or_none() {
        let known = ["latency", "status_code", "probabilistic", "and", "decision_wait"];
        for (word, expected) in [
            ("latncy", Some("latency")),
            ("latecny", Some("latency")),
            ("decision_wat", Some("decision_wait")),
            ("Latency", Some("latency")),
            ("adn", Some("and")),
            ("statuscode", Some("status_code")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(suggest(word, known), expected, "{word}");
        }
        assert_eq!(suggest(&"a".repeat(1000), known), None);
    }
}
