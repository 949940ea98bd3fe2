//! A set of texts, or of patterns, that a text is looked up in. (otelcol's `filterset`)

use ottl::Pattern;
use settings::{Decode, Node, Problems};

/// What otelcol remembers of earlier matches. Our patterns run in linear time, so nothing is remembered here.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct RegexpSettings {
    /// Whether otelcol remembers matches.
    pub cacheenabled: bool,
    /// How many it remembers; 0 is no bound.
    pub cachemaxnumentries: i64,
}

/// Texts or patterns.
#[derive(Clone, Debug)]
pub enum Strings {
    /// One of these, in ascending order.
    Strict(Vec<Box<str>>),
    /// What matches one of these.
    Regexp(Vec<Pattern>),
}

/// Why texts cannot be compiled.
#[derive(Clone, Debug)]
pub struct StringsError {
    /// Whether it is the match type that is wrong, not a text.
    pub is_of_match_type: bool,
    /// In words.
    pub message: String,
}

impl Strings {
    /// Compiles texts.
    ///
    /// # Errors
    /// An unknown match type, or a pattern that is none.
    pub fn new(texts: &[String], match_type: &str, _regexp: Option<&RegexpSettings>) -> Result<Self, StringsError> {
        match match_type {
            "strict" => {
                let mut sorted: Vec<Box<str>> = texts.iter().map(|text| text.as_str().into()).collect();
                sorted.sort_unstable();
                Ok(Self::Strict(sorted))
            }
            "regexp" => {
                let compile = |text: &String| {
                    Pattern::new(text).map_err(|error| StringsError {
                        is_of_match_type: false,
                        message: format!("invalid pattern `{text}`: {error}; write it in Go's syntax (RE2)"),
                    })
                };
                texts.iter().map(compile).collect::<Result<_, _>>().map(Self::Regexp)
            }
            other => Err(unknown_match_type(other)),
        }
    }

    /// Whether a text is one of them.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Strict(texts) => texts.binary_search_by(|known| known.as_bytes().cmp(text)).is_ok(),
            Self::Regexp(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

/// The error of a match type that is neither `strict` nor `regexp`.
pub(crate) fn unknown_match_type(match_type: &str) -> StringsError {
    let message = match match_type {
        "" => "these properties need a `match_type`; write `strict` or `regexp`".to_string(),
        other => format!("unknown `match_type` `{other}`; write `strict` or `regexp`"),
    };
    StringsError { is_of_match_type: true, message }
}

impl RegexpSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        Node::map_of([
            ("cacheenabled", Node::from(self.cacheenabled)),
            ("cachemaxnumentries", self.cachemaxnumentries.into()),
        ])
    }
}

impl Decode for RegexpSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("regexp", p)?;
        fields.describe::<Self>();
        let settings = Self {
            cacheenabled: fields.take("cacheenabled", false, p),
            cachemaxnumentries: fields.take("cachemaxnumentries", 0, p),
        };
        let at = fields.node("cachemaxnumentries").map_or(fields.at(), |node| node.at);
        fields.finish(p);
        if settings.cacheenabled && settings.cachemaxnumentries < 0 {
            p.error(&at, "`cachemaxnumentries` must be zero or more", "write 0 for no bound".to_string());
            return None;
        }
        Some(settings)
    }
}
