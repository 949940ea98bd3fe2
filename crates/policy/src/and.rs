//! `and`: every one of its policies samples the trace, each looking at the whole of it.
//!
//! They are asked in order and the first that does not sample ends it, which matters to limiters standing later; an error
//! of one is an error of the whole. An empty list samples everything. Costly conditions beside cheap ones become whole
//! leaves, so that they run for the traces that are still open when they are due.

use crate::{
    kinds::{self, Class, Level, Policy},
    set::{Compiler, Seen, Test},
};
use settings::{Node, Problems};

/// Samples traces that all of its policies sample.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct And {
    /// What must all hold.
    pub and_sub_policy: Vec<Policy>,
}

impl And {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("and", p)?;
        fields.describe::<Self>();
        let node = fields.node("and_sub_policy");
        fields.finish(p);
        let and_sub_policy = kinds::decode_parts(node, "and_sub_policy", Level::And, p)?;
        if and_sub_policy.is_empty() {
            let help = "put policies into `and_sub_policy`, or use the type `always_sample` if it is meant".to_string();
            p.warning(&node.map_or(block.at, |node| node.at), "an empty `and` samples every trace", help);
        }
        Some(Self { and_sub_policy })
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        let policies = self.and_sub_policy.iter().map(Policy::effective);
        Some(Node::map_of([("and_sub_policy", Node::list_of(policies))]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Nested
    }

    pub(crate) fn explain(&self, _seen: &Seen<'_>) -> String {
        "every trace".to_string()
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        Test::And(compiler.all(&self.and_sub_policy))
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::{Bench, check};

    const SUBS: &str = "
      {name: text, type: string_attribute, string_attribute: {key: attribute_name, values: [VALUE], invert_match: INVERT}},
      {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";

    #[test]
    fn upstream_rows() {
        for (value, invert, expected) in [
            ("no_match", "false", false),
            ("attribute_value", "false", true),
            ("no_match", "true", true),
            ("attribute_value", "true", false),
        ] {
            let subs = SUBS.replace("VALUE", value).replace("INVERT", invert);
            let policy = format!("- {{name: p, type: and, and: {{and_sub_policy: [{subs}]}}}}");
            check(&policy, &[(r#"0+1 error attribute_name="attribute_value""#, expected)]);
            check(&policy, &[(r#"0+1 attribute_name="attribute_value""#, false)]);
        }
    }

    #[test]
    fn parts_may_match_on_different_spans() {
        let subs = SUBS.replace("VALUE", "a").replace("INVERT", "false");
        let policy = format!("- {{name: p, type: and, and: {{and_sub_policy: [{subs}]}}}}");
        check(
            &policy,
            &[(r#"0+1 error | 0+1 attribute_name="a""#, true), (r#"{attribute_name="a"} 0+1 | 0+1 error"#, true)],
        );
    }

    #[test]
    fn empty_samples_everything() {
        check("- {name: p, type: and, and: {and_sub_policy: []}}", &[("0+0", true)]);
        check("- {name: p, type: and}", &[("0+0", true)]);
    }

    #[test]
    fn patterns_beside_cheap_conditions_wait_for_them() {
        let policy = r#"
- {name: checkout errors, type: and, and: {and_sub_policy: [
    {name: route, type: string_attribute, string_attribute: {key: r, values: ['^/checkout'], enabled_regex_matching: true}},
    {name: failed, type: status_code, status_code: {status_codes: [ERROR]}}]}}"#;
        check(
            policy,
            &[
                (r#"0+1 r="/checkout/7""#, false),
                (r#"0+1 error r="/cart""#, false),
                (r#"0+1 error | 0+1 r="/checkout/7""#, true),
                (r#"0+1 error | {r="/checkout"} 0+1"#, true),
            ],
        );
        let mut bench = Bench::new(policy);
        assert_eq!(bench.why(r#"0+1 | 0+1 r="/checkout" | 0+1 error"#), "checkout errors › failed @3");
        assert_eq!(bench.set.state_words(), 3, "two leaves and what evaluation costs");
    }
}
