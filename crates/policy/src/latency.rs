//! `latency`: the trace takes longer than a threshold, from its earliest start to its latest end.
//!
//! contrib asks after *each* span, in arrival order, so a trace that grows past the upper bound is still sampled if some
//! prefix of it lay within; and a timestamp of 0 reads as "not set yet". Both are kept: the fold carries the running extent
//! and asks after each span.

use crate::{
    kinds::Class,
    set::{Compiler, Seen, Test, grouped},
};
use settings::{Node, Problems};

/// Samples traces by their duration, from the start of the first span to the end of the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct Latency {
    /// Longer than this many milliseconds.
    pub threshold_ms: i64,
    /// And at most this many; 0 = no upper bound.
    pub upper_threshold_ms: i64,
}

/// The fold leaf: is the extent within the bounds?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    threshold_ms: i64,
    upper_threshold_ms: i64,
}

/// Earliest start and latest end of the spans so far, 0 = unset. All latency policies of a set share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    start_ns: u64,
    end_ns: u64,
}

impl Latency {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("latency", p)?;
        fields.describe::<Self>();
        let settings = Self {
            threshold_ms: fields.take("threshold_ms", 0, p),
            upper_threshold_ms: fields.take("upper_threshold_ms", 0, p),
        };
        fields.finish(p);
        if settings.upper_threshold_ms != 0 && settings.upper_threshold_ms <= settings.threshold_ms {
            let message = "`upper_threshold_ms` is not above `threshold_ms`, so nothing can match";
            p.warning(&block.at, message, "0 means no upper bound".to_string());
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("threshold_ms", Node::from(self.threshold_ms)),
            ("upper_threshold_ms", Node::from(self.upper_threshold_ms)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Fold
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let ms = |ms: i64| format!("{} ms", grouped(ms));
        let (over, upper) = (ms(self.threshold_ms), self.upper_threshold_ms);
        let window = Window { threshold_ms: self.threshold_ms, upper_threshold_ms: upper };
        let took_ms = self.took_ms(window, seen);
        match took_ms {
            None if upper == 0 => format!("longer than {over}"),
            None => format!("longer than {over}, at most {}", ms(upper)),
            Some(took) if upper == 0 => format!("{} {} {over}", ms(took), if seen.is_opposite { "≤" } else { ">" }),
            Some(took) if seen.is_opposite => format!("{}, never between {over} and {}", ms(took), ms(upper)),
            Some(took) => format!("{over} < {} ≤ {}", ms(took), ms(upper)),
        }
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.latency(Window { threshold_ms: self.threshold_ms, upper_threshold_ms: self.upper_threshold_ms })
    }
}

impl Latency {
    /// What the trace took: as a whole, if that is within the bounds or is not asked to be, else up to where it was.
    fn took_ms(self, window: Window, seen: &Seen<'_>) -> Option<i64> {
        let mut extent = Extent::default();
        let mut first = None;
        let mut took_ms = None;
        for span in seen.views() {
            extent.add(span.start_ns, span.end_ns);
            took_ms = Some(extent.duration_ms());
            first = first.or(took_ms.filter(|ms| window.contains(*ms)));
        }
        if seen.is_opposite { took_ms } else { took_ms.filter(|ms| window.contains(*ms)).or(first) }
    }
}

impl Window {
    #[inline]
    pub(crate) fn contains(self, duration_ms: i64) -> bool {
        duration_ms > self.threshold_ms && (self.upper_threshold_ms == 0 || duration_ms <= self.upper_threshold_ms)
    }
}

impl Extent {
    /// Words of state.
    pub(crate) const WORDS: usize = 4;

    #[inline]
    pub(crate) fn load(words: [u32; Self::WORDS]) -> Self {
        let join = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        Self { start_ns: join(words[0], words[1]), end_ns: join(words[2], words[3]) }
    }

    #[inline]
    pub(crate) fn store(self) -> [u32; Self::WORDS] {
        let (low, high) = (|ns: u64| ns as u32, |ns: u64| (ns >> 32) as u32);
        [low(self.start_ns), high(self.start_ns), low(self.end_ns), high(self.end_ns)]
    }

    #[inline]
    pub(crate) fn add(&mut self, start_ns: u64, end_ns: u64) {
        if self.start_ns == 0 || start_ns < self.start_ns {
            self.start_ns = start_ns;
        }
        if self.end_ns == 0 || end_ns > self.end_ns {
            self.end_ns = end_ns;
        }
    }

    /// Whole milliseconds, toward zero; the difference wraps and is read as signed, so an absurd one may be negative.
    #[inline]
    pub(crate) fn duration_ms(self) -> i64 {
        self.end_ns.wrapping_sub(self.start_ns).cast_signed() / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notation::check;

    /// Durations in milliseconds as the notation writes them.
    #[test]
    fn upstream_rows() {
        for (threshold, upper, trace, expected) in [
            (5000, 0, "0+4500", false),
            (5000, 0, "0+5000", false),
            (5000, 0, "0+3000, 2500+3000", true),
            (5000, 0, "0+3000 | 2500+3000", true),
            (5000, 10_000, "0+4500", false),
            (5000, 10_000, "0+5000", false),
            (5000, 10_000, "0+5001", true),
            (5000, 10_000, "0+10000", true),
            (5000, 10_000, "0+10001", false),
            (5000, 10_000, "0+3000, 2500+3000", true),
            (5000, 10_000, "0+6000, 0+20000", true),
            (5000, 10_000, "0+20000, 0+6000", false),
            (1000, 0, "0+1000", false),
            (1000, 0, "0+1000.999999", false),
            (1000, 0, "0+1001", true),
            (0, 0, "0+0", false),
            (0, 0, "0+1", true),
            (0, 0, "0+0.999999", false),
        ] {
            let bounds = format!("threshold_ms: {threshold}, upper_threshold_ms: {upper}");
            check(&format!("- {{name: p, type: latency, latency: {{{bounds}}}}}"), &[(trace, expected)]);
        }
    }

    /// Times as sent, in nanoseconds.
    #[test]
    fn odd_times() {
        const T: u64 = 1_700_000_000_000_000_000;
        const MS: u64 = 1_000_000;
        const HALF: u64 = 1 << 63;
        for (threshold_ms, upper_threshold_ms, spans, expected) in [
            (5, 0, &[(0, T)][..], true),
            (5, 0, &[(T, 0)], false),
            (5, 0, &[(T, T - 10 * MS)], false),
            (5, 0, &[(HALF + 5, HALF + 5)], false),
            (5, 0, &[(T, T + HALF)], false),
            (-1, 0, &[(T, 0)], false),
            (-1, 0, &[(T, T)], true),
            (-20, 0, &[(T, T - 10 * MS)], true),
            (5, 10, &[(0, T), (T, T + 7 * MS)], true),
            (5, 10, &[(T + 5000 * MS, T + 5001 * MS), (0, T + MS), (T + 5000 * MS, T + 5001 * MS)], false),
        ] {
            let window = Window { threshold_ms, upper_threshold_ms };
            let mut words = [0; Extent::WORDS];
            let hit = spans.iter().any(|(start_ns, end_ns)| {
                let mut extent = Extent::load(words);
                extent.add(*start_ns, *end_ns);
                words = extent.store();
                window.contains(extent.duration_ms())
            });
            assert_eq!(hit, expected, "{threshold_ms}..{upper_threshold_ms} {spans:?}");
        }
    }
}
