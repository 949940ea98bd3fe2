//! `not`: the opposite of another policy. An error of it stays an error.

use crate::{
    kinds::{Class, Kind, Level, Policy},
    set::{Compiler, Seen, Side, Test},
};
use settings::{Node, Problems};

/// Samples traces that its policy does not sample.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct Not {
    /// What must not hold.
    pub not_sub_policy: Box<Policy>,
}

impl Not {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("not", p)?;
        fields.describe::<Self>();
        let node = fields.node("not_sub_policy").filter(|node| !node.is_absent());
        fields.finish(p);
        let Some(node) = node else {
            p.error(&block.at, "a `not` needs a `not_sub_policy`", "put the policy to turn round into it".to_string());
            return None;
        };
        let policy = p.within("not_sub_policy", |p| Policy::decode(node, Level::Not, p))?;
        Some(Self { not_sub_policy: Box::new(policy) })
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([("not_sub_policy", self.not_sub_policy.effective())]))
    }

    pub(crate) fn class(&self) -> Class {
        self.not_sub_policy.kind.class()
    }

    pub(crate) fn explain(&self, _seen: &Seen<'_>) -> String {
        "the opposite".to_string()
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        let seed = match &self.not_sub_policy.kind {
            Kind::Probabilistic(chance) => compiler.seed(chance.salt(), Side::Opposite),
            _ => 0,
        };
        Test::Not { rule: Box::new(compiler.opposite(&self.not_sub_policy)), seed }
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::check;

    #[test]
    fn upstream_rows() {
        let not = |policy: &str| format!("- {{name: p, type: not, not: {{not_sub_policy: {{name: s, {policy}}}}}}}");
        check(&not("type: always_sample"), &[("0+1", false)]);
        check(&not("type: status_code, status_code: {status_codes: [ERROR]}"), &[("0+1", true), ("0+1 error", false)]);
        check(&not("type: latency, latency: {threshold_ms: 5}"), &[("0+5", true), ("0+6", false)]);
        let inverted = "type: string_attribute, string_attribute: {key: k, values: [v], invert_match: true}";
        check(&not(inverted), &[(r#"0+1 k="v""#, true), ("0+1", false)]);
        let limit = "type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 1}";
        check(&not(limit), &[("0+1", false), ("0+1, 0+1", true)]);
    }

    #[test]
    fn inside_and() {
        let policy = "- {name: p, type: and, and: {and_sub_policy: [
            {name: slow, type: latency, latency: {threshold_ms: 5}},
            {name: n, type: not, not: {not_sub_policy:
                {name: r, type: string_attribute, string_attribute: {key: k, values: ['^v'], enabled_regex_matching: true}}}}]}}";
        check(policy, &[("0+9", true), (r#"0+9 k="v1""#, false), ("0+1", false), (r#"0+9 | 0+1 k="w""#, true)]);
    }
}
