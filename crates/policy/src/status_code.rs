//! `status_code`: a span whose status is one of those listed.

use crate::{
    attribute,
    kinds::Class,
    set::{Compiler, Seen, Test},
};
use settings::{Location, Node, Problems};

/// Samples traces with a span of one of these status codes.
#[derive(Clone, Debug, PartialEq, Eq, settings::Documented)]
pub struct StatusCode {
    /// At least one.
    pub status_codes: Vec<Code>,
}

/// The codes that OTLP knows, under contrib's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 0, the default.
    Unset,
    /// 1.
    Ok,
    /// 2.
    Error,
}

/// The fold leaf: one bit a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codes(u8);

impl StatusCode {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("status_code", p)?;
        fields.describe::<Self>();
        let node = fields.node("status_codes");
        let names: Option<Vec<String>> = fields.optional("status_codes", p);
        fields.finish(p);
        if names.is_none() && node.is_some_and(|node| !node.is_absent()) {
            return None;
        }
        let names = names.unwrap_or_default();
        let at = node.map_or(block.at, |node| node.at);
        if names.is_empty() {
            p.error(&at, "`status_codes` is empty", "list at least one of `ERROR`, `OK`, `UNSET`".to_string());
            return None;
        }
        let place = |index: usize| node.and_then(|node| attribute::items(node).get(index)).map_or(at, |item| item.at);
        let codes = names.iter().enumerate().map(|(index, name)| Code::decode(name, place(index), p));
        // Collected before it is judged, so that every unknown code is told.
        let codes: Vec<Option<Code>> = codes.collect();
        codes.into_iter().collect::<Option<_>>().map(|status_codes| Self { status_codes })
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        let codes = self.status_codes.iter().map(|code| code.name());
        Some(Node::map_of([("status_codes", Node::list_of(codes))]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Fold
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let names: Vec<&str> = self.status_codes.iter().map(|code| code.name()).collect();
        let found = seen.span_at(seen.place).and_then(|span| Code::of_number(span.status_code));
        match found {
            _ if seen.is_opposite => format!("no span has status {}", names.join(" or ")),
            Some(code) => seen.in_span(&format!("status {}", code.name())),
            None => format!("status {}", names.join(" or ")),
        }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.status(Codes(self.status_codes.iter().fold(0, |bits, code| bits | 1 << *code as u8)))
    }
}

impl Code {
    fn of(name: &str) -> Option<Self> {
        [Self::Unset, Self::Ok, Self::Error].into_iter().find(|code| code.name() == name)
    }

    fn of_number(number: i32) -> Option<Self> {
        [Self::Unset, Self::Ok, Self::Error].into_iter().find(|code| *code as i32 == number)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Unset => "UNSET",
            Self::Ok => "OK",
            Self::Error => "ERROR",
        }
    }

    fn decode(name: &str, at: Location, p: &mut Problems) -> Option<Self> {
        let code = Self::of(name);
        if code.is_none() {
            let upper = Self::of(&name.to_uppercase());
            let hint = upper.map_or_else(String::new, |code| format!(", did you mean `{}`?", code.name()));
            let help = "status codes are `ERROR`, `OK` and `UNSET`, in upper case".to_string();
            p.error(&at, format!("unknown status code `{name}`{hint}"), help);
        }
        code
    }
}

impl Codes {
    /// A code that OTLP does not know is none of the three.
    #[inline]
    pub(crate) fn contain(self, status: i32) -> bool {
        (0..3).contains(&status) && self.0 >> status & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::check;

    #[test]
    fn upstream_rows() {
        for (codes, trace, expected) in [
            ("ERROR", "0+1, 0+1 ok, 0+1", false),
            ("OK, ERROR", "0+1, 0+1", false),
            ("UNSET", "0+1", true),
            ("OK, UNSET", "0+1 error, 0+1 ok", true),
            ("OK, ERROR, UNSET", "0+1 code=5", false),
            ("ERROR, ERROR", "0+1 | 0+1 | 0+1 error", true),
        ] {
            let policy = format!("- {{name: p, type: status_code, status_code: {{status_codes: [{codes}]}}}}");
            check(&policy, &[(trace, expected)]);
        }
        check("- {name: p, type: status_code, status_code: {status_codes: 'OK,ERROR'}}", &[("0+1 ok", true)]);
    }

    #[test]
    fn unknown_codes_are_no_code() {
        let all = Codes(0b111);
        for status in [-1, 3, 32, 34, i32::MIN, i32::MAX] {
            assert!(!all.contain(status), "{status}");
        }
    }
}
