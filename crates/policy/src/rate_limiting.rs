//! `rate_limiting`: as many traces as their spans fit a token bucket. The batch class: it is about all candidates together.
//!
//! One bucket per policy, on the monotonic clock, charged for every trace that reaches it in order of first arrival, also
//! when another policy samples the trace anyway or a later part of the same `and` refuses it.

use crate::{
    kinds::Class,
    set::{Compiler, Seen, Test, Unit, counted, grouped},
};
use settings::{Node, Problems};

/// Samples traces up to so many spans per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct RateLimiting {
    /// Tokens earned a second; a trace costs as many as it has spans.
    pub spans_per_second: i64,
    /// The most tokens there can be; 0 = twice the rate.
    pub burst_capacity: i64,
}

impl RateLimiting {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("rate_limiting", p)?;
        fields.describe::<Self>();
        let settings = Self {
            spans_per_second: fields.take("spans_per_second", 0, p),
            burst_capacity: fields.take("burst_capacity", 0, p),
        };
        fields.finish(p);
        if settings.spans_per_second <= 0 {
            let message = "`spans_per_second` is not above 0, so no traces pass but those of the first burst";
            let help = "write how many spans may pass in a second".to_string();
            p.warning(&block.at, message, help);
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("burst_capacity", Node::from(self.burst_capacity)),
            ("spans_per_second", Node::from(self.spans_per_second)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Batch
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let spans = counted(i64::try_from(seen.spans.len()).unwrap_or(i64::MAX), "span");
        let verb = if seen.is_opposite { "exceed" } else { "fit" };
        format!("{spans} {verb} {} a second", grouped(self.spans_per_second))
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.limit(self.spans_per_second, self.burst_capacity, Unit::Spans)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Now,
        notation::{Bench, START},
    };

    /// `(milliseconds after the start, traces that are due then)`, each trace with its number of spans and whether it passes.
    fn check(policies: &str, decisions: &[(u64, &[(usize, bool)])]) {
        let mut bench = Bench::new(policies);
        for (at_ms, traces) in decisions {
            let texts: Vec<String> = traces.iter().map(|(spans, _)| vec!["0+1"; *spans].join(",")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let now = Now { mono_ns: START.mono_ns + at_ms * 1_000_000, ..START };
            let verdicts: Vec<bool> = bench.verdicts(&texts, now).iter().map(|verdict| verdict.keep).collect();
            let expected: Vec<bool> = traces.iter().map(|(_, passes)| *passes).collect();
            assert_eq!(verdicts, expected, "{policies} at {at_ms} ms");
        }
    }

    #[test]
    fn upstream_rows() {
        let policy = |rate: i64, burst: i64| {
            let block = format!("{{spans_per_second: {rate}, burst_capacity: {burst}}}");
            format!("- {{name: p, type: rate_limiting, rate_limiting: {block}}}")
        };
        check(&policy(3, 3), &[(0, &[(3, true), (1, false)])]);
        check(&policy(3, 2), &[(0, &[(3, false)])]);
        check(&policy(2, 0), &[(0, &[(1, true), (1, true), (1, true), (1, true), (1, false)])]);
        check(&policy(4, 2), &[(0, &[(2, true)]), (0, &[(2, false)]), (600, &[(2, true)])]);
        check(&policy(0, 0), &[(0, &[(1, false)]), (9000, &[(1, false)])]);
    }

    #[test]
    fn charged_also_when_it_does_not_matter() {
        let others = "
- {name: pairs, type: span_count, span_count: {min_spans: 2}}
- {name: p, type: rate_limiting, rate_limiting: {spans_per_second: 2}}";
        check(others, &[(0, &[(2, true), (2, true), (1, false)]), (500, &[(1, true), (1, false)])]);
        let later_part = "
- {name: p, type: and, and: {and_sub_policy: [
    {name: r, type: rate_limiting, rate_limiting: {spans_per_second: 2}},
    {name: s, type: span_count, span_count: {min_spans: 2}}]}}";
        check(later_part, &[(0, &[(1, false), (1, false), (2, true), (2, false)])]);
        let earlier_part = "
- {name: p, type: and, and: {and_sub_policy: [
    {name: s, type: span_count, span_count: {min_spans: 2}},
    {name: r, type: rate_limiting, rate_limiting: {spans_per_second: 2}}]}}";
        check(earlier_part, &[(0, &[(1, false), (1, false), (2, true), (2, true), (2, false)])]);
    }

    #[test]
    fn each_policy_has_its_own() {
        let two = "
- {name: a, type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 1}}
- {name: b, type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 2}}";
        check(two, &[(0, &[(1, true), (1, true), (1, false)])]);
    }
}
