//! A text that must be one of a few words.

use crate::node::Node;
use crate::problems::Problems;
use crate::suggest::suggest;

/// What a word means, out of a closed list of them; any other is told with the nearest and all that there are.
pub fn one_of<T: Copy>(node: &Node, what: &str, words: &[(&str, T)], p: &mut Problems) -> Option<T> {
    p.takes_words(node, words.iter().map(|(word, _)| *word));
    let text = node.text(p)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*meaning);
    }
    let known = || words.iter().map(|(word, _)| *word).filter(|word| !word.is_empty());
    let mut message = format!("unknown {what} `{text}`");
    if let Some(meant) = suggest(&text, known()) {
        message.push_str(&format!(", did you mean `{meant}`?"));
    }
    p.error(&node.at, message, format!("it is one of {}", quoted(known())));
    None
}

/// Words in backticks, for messages.
pub fn quoted<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
