//! `drop`: what passes every one of its policies is not sampled, whatever other policies say.
//!
//! Drop policies are asked before all others. An empty list drops everything.

use crate::{
    kinds::{self, Class, Level, Policy},
    set::{Compiler, Seen, Test},
};
use settings::{Node, Problems};

/// Drops traces that all of its policies sample, whatever others say.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct Drop {
    /// What must all hold.
    pub drop_sub_policy: Vec<Policy>,
}

impl Drop {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("drop", p)?;
        fields.describe::<Self>();
        let node = fields.node("drop_sub_policy");
        fields.finish(p);
        let drop_sub_policy = kinds::decode_parts(node, "drop_sub_policy", Level::Drop, p)?;
        if drop_sub_policy.is_empty() {
            let help = "put policies into `drop_sub_policy`, or take the policy out".to_string();
            p.warning(&node.map_or(block.at, |node| node.at), "an empty `drop` drops every trace", help);
        }
        Some(Self { drop_sub_policy })
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        let policies = self.drop_sub_policy.iter().map(Policy::effective);
        Some(Node::map_of([("drop_sub_policy", Node::list_of(policies))]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Nested
    }

    pub(crate) fn explain(&self, _seen: &Seen<'_>) -> String {
        "every trace".to_string()
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        Test::Drop(compiler.all(&self.drop_sub_policy))
    }
}

#[cfg(test)]
mod tests {
    use crate::notation::check;

    const SUBS: &str = "
      {name: text, type: string_attribute, string_attribute: {key: attribute_name, values: [VALUE], invert_match: INVERT}},
      {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}";

    /// With a policy after it that samples everything, a trace is kept unless it is dropped.
    #[test]
    fn upstream_rows() {
        for (value, invert, dropped) in [
            ("no_match", "false", false),
            ("attribute_value", "false", true),
            ("no_match", "true", true),
            ("attribute_value", "true", false),
        ] {
            let subs = SUBS.replace("VALUE", value).replace("INVERT", invert);
            let policy = format!("- {{name: d, type: drop, drop: {{drop_sub_policy: [{subs}]}}}}");
            let last = format!("- {{name: all, type: always_sample}}\n{policy}");
            let trace = r#"0+1 error attribute_name="attribute_value""#;
            check(&policy, &[(trace, false)]);
            check(&last, &[(trace, !dropped), (r#"0+1 attribute_name="attribute_value""#, true)]);
        }
    }

    #[test]
    fn an_empty_list_drops_everything() {
        check("- {name: all, type: always_sample}\n- {name: d, type: drop}", &[("0+1", false)]);
        check(
            "- {name: all, type: always_sample}\n- {name: d, type: drop, drop: {drop_sub_policy: []}}",
            &[("0+1", false)],
        );
    }

    #[test]
    fn with_not_inside() {
        let policy = "- {name: all, type: always_sample}\n- {name: d, type: drop, drop: {drop_sub_policy: [
            {name: n, type: not, not: {not_sub_policy: {name: e, type: status_code, status_code: {status_codes: [ERROR]}}}}]}}";
        check(policy, &[("0+1", false), ("0+1 error", true)]);
    }
}
