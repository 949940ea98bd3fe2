//! `error_mode`: what a condition or a statement that fails does to a request.

use settings::{Decode, Fields, Node, Problems};

/// What an error does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorMode {
    /// It is passed over, counted and logged.
    #[default]
    Ignore,
    /// It is passed over and counted, but not logged.
    Silent,
    /// It refuses the request.
    Propagate,
}

impl ErrorMode {
    const ALL: [Self; 3] = [Self::Ignore, Self::Silent, Self::Propagate];

    /// As configurations spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Silent => "silent",
            Self::Propagate => "propagate",
        }
    }

    /// Takes the mode that a group may have of its own; an empty text is how none is printed.
    pub(crate) fn take_own(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Self> {
        let node = fields.node("error_mode").filter(|node| !node.is_absent() && node.as_text() != Some(""))?;
        p.within("error_mode", |p| Self::decode(node, p))
    }
}

impl Decode for ErrorMode {
    fn shown(&self) -> Option<Node> {
        Some(self.name().into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        p.takes_words(node, Self::ALL.map(Self::name));
        p.takes_any_case(node);
        let written = String::decode(node, p)?;
        let mode = Self::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(&written));
        if mode.is_none() {
            let help = "it is `ignore`, `silent` or `propagate`".to_string();
            p.error(&node.at, format!("unknown error mode `{written}`"), help);
        }
        mode
    }
}
