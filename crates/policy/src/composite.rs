//! `composite`: its parts share a limit of spans a second, each within its own share.
//!
//! The parts are asked in the order of `composite_sub_policy`; `policy_order` has no effect in otelcol either. The first part
//! that samples a trace has the say: if the trace does not fit its share of this second of the wall clock, the trace is
//! refused, and parts further on are not asked. A share is compared with what its own part accepted, never with the sum.

use crate::{
    kinds::{self, Class, Level, Policy},
    set::{Compiler, Seen, Share, Test},
};
use settings::{Fields, Node, Problems};

/// Samples by several policies, each within its share of a common rate of spans.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct Composite {
    /// What shares are of.
    pub max_total_spans_per_second: i64,
    /// Without effect.
    pub policy_order: Vec<String>,
    /// The parts.
    pub composite_sub_policy: Vec<Policy>,
    /// The parts' shares; one that is not here has an equal share.
    pub rate_allocation: Vec<Allocation>,
}

/// What part of the limit is whose.
#[derive(Clone, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct Allocation {
    /// The part's name.
    pub policy: String,
    /// Percent of the limit; 0 or less = an equal share.
    pub percent: i64,
}

impl Composite {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("composite", p)?;
        fields.describe::<Self>();
        let max_total_spans_per_second = fields.take("max_total_spans_per_second", 0, p);
        let policy_order = fields.take("policy_order", Vec::new(), p);
        let rate_allocation = Allocation::decode_all(&mut fields, p);
        let parts = fields.node("composite_sub_policy");
        let at = |key: &str, fields: &mut Fields<'_>| fields.node(key).map_or(block.at, |node| node.at);
        let (order_at, rates_at) = (at("policy_order", &mut fields), at("rate_allocation", &mut fields));
        fields.finish(p);
        let composite_sub_policy = kinds::decode_parts(parts, "composite_sub_policy", Level::Composite, p);
        let settings = Self {
            max_total_spans_per_second,
            policy_order,
            composite_sub_policy: composite_sub_policy?,
            rate_allocation: rate_allocation?,
        };
        if settings.composite_sub_policy.is_empty() {
            let help = "put policies into `composite_sub_policy`".to_string();
            p.warning(&block.at, "a `composite` without parts samples nothing", help);
        }
        if max_total_spans_per_second <= 0 {
            let help = "write how many spans may pass in a second".to_string();
            p.warning(&block.at, "`max_total_spans_per_second` is not above 0, so nothing is sampled", help);
        }
        settings.warn_of_order(order_at, p);
        settings.warn_of_rates(rates_at, p);
        Some(settings)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.composite_sub_policy.iter().map(|part| part.name.as_str())
    }

    fn warn_of_order(&self, at: settings::Location, p: &mut Problems) {
        if !self.policy_order.is_empty() && !self.names().eq(self.policy_order.iter().map(String::as_str)) {
            let help =
                "put the parts into the order in which they are to be asked, and remove `policy_order`".to_string();
            p.warning(&at, "`policy_order` has no effect, the order of `composite_sub_policy` counts", help);
        }
    }

    fn warn_of_rates(&self, at: settings::Location, p: &mut Problems) {
        for name in self.names() {
            if !self.rate_allocation.iter().any(|allocation| allocation.policy == name) {
                let equal = self.share(name).spans;
                let message =
                    format!("`{name}` is not in `rate_allocation` and gets an equal share, {equal} spans a second");
                p.warning(&at, message, "add it with a `percent`".to_string());
            }
        }
        for Allocation { policy, .. } in &self.rate_allocation {
            if !self.names().any(|name| name == policy) {
                let help = format!("the parts are {}", settings::quoted(self.names()));
                p.warning(&at, format!("`rate_allocation` names `{policy}`, which is no part of the composite"), help);
            }
        }
    }

    /// A part's share, in f64 as in otelcol: 29 % of 100 are 28. Of several allocations the last one counts.
    fn share(&self, name: &str) -> Share {
        self.share_of(name, self.max_total_spans_per_second)
    }

    fn share_of(&self, name: &str, total: i64) -> Share {
        let allocation = self.rate_allocation.iter().rev().find(|allocation| allocation.policy == name);
        let spans = match allocation {
            Some(Allocation { percent: percent @ 1.., .. }) => *percent as f64 / 100.0 * total as f64,
            _ => total as f64 / self.composite_sub_policy.len() as f64,
        };
        // A trace has to fit the whole as well, which is smaller where a share is above 100 %.
        Share { spans: (spans as i64).min(total) }
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        let rates = self.rate_allocation.iter().map(|allocation| {
            Node::map_of([("percent", Node::from(allocation.percent)), ("policy", Node::from(&allocation.policy))])
        });
        Some(Node::map_of([
            ("composite_sub_policy", Node::list_of(self.composite_sub_policy.iter().map(Policy::effective))),
            ("max_total_spans_per_second", Node::from(self.max_total_spans_per_second)),
            ("policy_order", Node::list_of(&self.policy_order)),
            ("rate_allocation", Node::list_of(rates)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Nested
    }

    pub(crate) fn explain(&self, _seen: &Seen<'_>) -> String {
        "nothing".to_string()
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        let total = compiler.divide(self.max_total_spans_per_second);
        let shares: Vec<Share> = self.names().map(|name| self.share_of(name, total)).collect();
        let rules = compiler.in_turn(&self.composite_sub_policy);
        compiler.composite(rules.into_iter().zip(shares).collect())
    }
}

impl Allocation {
    fn decode_all(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Vec<Self>> {
        let Some(node) = fields.node("rate_allocation").filter(|node| !node.is_absent()) else {
            return Some(Vec::new());
        };
        let items = node.list("rate_allocation", p)?;
        let decoded = items.iter().enumerate().map(|(at, item)| {
            p.within(format!("rate_allocation[{at}]"), |p| {
                let mut fields = item.map("rate_allocation", p)?;
                fields.describe::<Self>();
                let allocation =
                    Self { policy: fields.take("policy", String::new(), p), percent: fields.take("percent", 0, p) };
                fields.finish(p);
                Some(allocation)
            })
        });
        // Collected before it is judged, so that the problems of every entry are told.
        let decoded: Vec<Option<Self>> = decoded.collect();
        decoded.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Now,
        notation::{Bench, EPOCH_NS, START},
    };

    /// `(second, [trace, whether it is sampled])` for a composite over parts given as `name, kind, percent`.
    #[track_caller]
    fn check(total: i64, parts: &[(&str, &str, i64)], decisions: &[(u64, &[(&str, bool)])]) {
        let subs: Vec<String> = parts.iter().map(|(name, kind, _)| format!("{{name: {name}, {kind}}}")).collect();
        let rates: Vec<String> =
            parts.iter().map(|(name, _, percent)| format!("{{policy: {name}, percent: {percent}}}")).collect();
        let policy = format!(
            "- {{name: p, type: composite, composite: {{max_total_spans_per_second: {total},
            composite_sub_policy: [{}], rate_allocation: [{}]}}}}",
            subs.join(", "),
            rates.join(", ")
        );
        let mut bench = Bench::new(&policy);
        for (second, traces) in decisions {
            let texts: Vec<&str> = traces.iter().map(|(text, _)| *text).collect();
            let now = Now { wall_ns: EPOCH_NS + second * 1_000_000_000, ..START };
            let sampled: Vec<bool> = bench.verdicts(&texts, now).iter().map(|verdict| verdict.keep).collect();
            let expected: Vec<bool> = traces.iter().map(|(_, sampled)| *sampled).collect();
            assert_eq!(sampled, expected, "{policy} in second {second}");
        }
    }

    const TAG: &str = "type: numeric_attribute, numeric_attribute: {key: tag, min_value: 1, max_value: 100}";
    const ALWAYS: &str = "type: always_sample";
    const FOO: &str = "type: string_attribute, string_attribute: {key: foo, values: [bar]}";
    const NOT_FOO: &str = "type: string_attribute, string_attribute: {key: foo, values: [bar], invert_match: true}";

    #[test]
    fn not_sampled() {
        check(1000, &[("a", TAG, 10), ("b", TAG, 10)], &[(0, &[("0+1", false)])]);
    }

    #[test]
    fn the_second_samples() {
        check(1000, &[("a", TAG, 10), ("b", ALWAYS, 10)], &[(0, &[("0+1", true)])]);
    }

    #[test]
    fn overflow_does_not_fall_through() {
        let traces = [("0+1 tag=10", true), ("0+1 tag=11", false), ("0+1 tag=1001", true)];
        check(3, &[("a", TAG, 34), ("b", ALWAYS, 34)], &[(0, &traces)]);
    }

    #[test]
    fn repeated_and_inverted() {
        check(10, &[("a", TAG, 200), ("b", ALWAYS, 200)], &[(0, &[("0+1", true); 10])]);
        check(10, &[("a", FOO, 200), ("b", NOT_FOO, 200)], &[(0, &[("0+1", true); 10])]);
        check(10, &[("a", ALWAYS, 200)], &[(0, &[("0+1", true); 10]), (0, &[("0+1", false)])]);
    }

    #[test]
    fn throttling() {
        let (yes, no) = (&[("0+1", true); 10], &[("0+1", false); 10]);
        check(10, &[("a", ALWAYS, 100)], &[(0, yes), (0, no), (1, yes)]);
    }

    #[test]
    fn two_parts() {
        let yes: &[(&str, bool)] = &[("0+1", true); 5];
        let no: &[(&str, bool)] = &[("0+1", false); 5];
        let parts = [("a", TAG, 50), ("b", ALWAYS, 50)];
        check(10, &parts, &[(0, yes), (0, no), (1, yes), (1, &[("0+1", false); 20]), (2, yes)]);
    }

    #[test]
    fn a_smaller_trace_may_still_fit() {
        let traces = [("0+1, 0+1, 0+1", true), ("0+1, 0+1, 0+1", false), ("0+1, 0+1", true), ("0+1", false)];
        check(5, &[("a", ALWAYS, 100)], &[(0, &traces)]);
    }

    #[test]
    fn shares() {
        let composite = |total: i64, rates: &[(&str, i64)]| Composite {
            max_total_spans_per_second: total,
            rate_allocation: rates
                .iter()
                .map(|(policy, percent)| Allocation { policy: (*policy).to_string(), percent: *percent })
                .collect(),
            composite_sub_policy: ["a", "b"].map(|name| Policy { name: name.to_string(), kind: kind() }).to_vec(),
            ..Composite::default()
        };
        for (total, rates, a, b) in [
            (1000, &[("a", 25), ("b", 0)][..], 250, 500),
            (1000, &[("a", 25)], 250, 500),
            (1000, &[], 500, 500),
            (100, &[("a", 29), ("b", 58)], 28, 57),
            (100, &[("a", 1), ("a", 60), ("b", -5)], 60, 50),
            (100, &[("a", 150), ("c", 10)], 100, 50),
            (3, &[], 1, 1),
            (0, &[("a", 50)], 0, 0),
            (-10, &[("a", 50)], -10, -10),
        ] {
            let composite = composite(total, rates);
            assert_eq!((composite.share("a").spans, composite.share("b").spans), (a, b), "{total} {rates:?}");
        }
    }

    fn kind() -> crate::Kind {
        crate::Kind::AlwaysSample(crate::always_sample::AlwaysSample)
    }
}
