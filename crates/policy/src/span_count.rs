//! `span_count`: how many spans the trace has, counted over all that were accepted for it.
//!
//! It needs no state of its own: the count is in the candidate.

use crate::{
    kinds::Class,
    set::{Compiler, Seen, Test, counted, grouped},
};
use settings::{Node, Problems};

/// Samples traces by the number of their spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct SpanCount {
    /// At least so many.
    pub min_spans: i32,
    /// At most so many; 0 = no upper bound.
    pub max_spans: i32,
}

impl SpanCount {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("span_count", p)?;
        fields.describe::<Self>();
        let settings = Self { min_spans: fields.take("min_spans", 0, p), max_spans: fields.take("max_spans", 0, p) };
        fields.finish(p);
        if settings.max_spans != 0 && settings.max_spans < settings.min_spans.max(1) {
            let message = "`max_spans` is below `min_spans`, so nothing can match";
            p.warning(&block.at, message, "0 means no upper bound".to_string());
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([("max_spans", Node::from(self.max_spans)), ("min_spans", Node::from(self.min_spans))]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Stateless
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let (min, max) = (i64::from(self.min_spans), i64::from(self.max_spans));
        let bounds = match (min, max) {
            (_, 0) if seen.is_opposite => format!("< {}", grouped(min)),
            (_, 0) => format!("≥ {}", grouped(min)),
            _ if seen.is_opposite => format!("are not {} to {}", grouped(min), grouped(max)),
            _ => format!("are {} to {}", grouped(min), grouped(max)),
        };
        format!("{} {bounds}", counted(i64::try_from(seen.spans.len()).unwrap_or(i64::MAX), "span"))
    }

    pub(crate) fn compile(&self, _compiler: &mut Compiler<'_>) -> Test {
        Test::SpanCount(*self)
    }

    pub(crate) fn contains(self, spans: u32) -> bool {
        let spans = i64::from(spans);
        spans >= i64::from(self.min_spans) && (self.max_spans == 0 || spans <= i64::from(self.max_spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::check;

    #[test]
    fn bounds() {
        for (min_spans, max_spans, passes, fails) in [
            (0, 0, &[1, 3, 4_000_000_000][..], &[][..]),
            (3, 0, &[3, 4, 6], &[1, 2]),
            (0, 20, &[1, 15, 19, 20], &[21]),
            (3, 20, &[3, 4, 15, 20], &[1, 2, 21]),
            (1, 2, &[1, 2], &[3]),
            (5, 2, &[], &[2, 3, 5]),
            (0, -1, &[], &[1]),
        ] {
            let settings = SpanCount { min_spans, max_spans };
            for (counts, expected) in [(passes, true), (fails, false)] {
                for count in counts {
                    assert_eq!(settings.contains(*count), expected, "{settings:?} {count}");
                }
            }
        }
    }

    #[test]
    fn counts_over_pieces() {
        let band = "- {name: p, type: span_count, span_count: {min_spans: 3, max_spans: 4}}";
        let traces = [
            ("0+1, 0+1", false),
            ("0+1 | 0+1, 0+1", true),
            ("0+1|0+1|0+1|0+1", true),
            ("0+1,0+1,0+1 | 0+1,0+1", false),
        ];
        check(band, &traces);
        check("- {name: p, type: span_count, span_count: {}}", &[("0+1, 0+1, 0+1", true)]);
    }
}
