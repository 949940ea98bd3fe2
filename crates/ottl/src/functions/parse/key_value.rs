//! Key-value pairs such as `k1=v1 k2="v 2"`: split at the pair delimiter outside of quotes, then at the first delimiter.
//!
//! Quotes are taken away wherever they stand; a backslash keeps a quote from being one and stays in the text.

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// The pairs in order, white space around keys and values taken away.
pub(super) fn parse(text: &[u8], delimiter: &[u8], pair_delimiter: &[u8]) -> Result<Vec<Pair>, &'static str> {
    if text.is_empty() {
        return Err("the text is empty");
    }
    let pairs = split_pairs(text, pair_delimiter)?;
    let pairs = pairs.iter().map(|pair| {
        let at = pair.windows(delimiter.len()).position(|window| window == delimiter);
        let at = at.ok_or("a pair has no delimiter")?;
        Ok((trimmed(&pair[..at]).to_vec(), trimmed(&pair[at + delimiter.len()..]).to_vec()))
    });
    pairs.collect()
}

fn split_pairs(text: &[u8], delimiter: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut pairs = Vec::new();
    let mut current = Vec::new();
    let mut quote = None;
    let mut is_escaped = false;
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(delimiter).filter(|_| quote.is_none()) {
            rest = after;
            if !current.is_empty() {
                pairs.push(std::mem::take(&mut current));
            }
            continue;
        }
        rest = after;
        if is_escaped {
            is_escaped = false;
        } else if quote == Some(*byte) {
            quote = None;
            continue;
        } else if quote.is_none() && matches!(byte, b'"' | b'\'') {
            quote = Some(*byte);
            continue;
        } else {
            is_escaped = *byte == b'\\';
        }
        current.push(*byte);
    }
    if quote.is_some() {
        return Err("a quoted value does not end");
    }
    if !current.is_empty() {
        pairs.push(current);
    }
    Ok(pairs)
}

/// Without Unicode's white space at both ends.
fn trimmed(text: &[u8]) -> &[u8] {
    let Some(first) = text.utf8_chunks().next() else { return text };
    let start = first.valid().len() - first.valid().trim_start().len();
    let text = &text[start..];
    let Some(last) = text.utf8_chunks().last().filter(|last| last.invalid().is_empty()) else { return text };
    &text[..text.len() - (last.valid().len() - last.valid().trim_end().len())]
}
