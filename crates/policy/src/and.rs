//! `and`: every one of its policies samples the trace, each looking at the whole of it.
//!
//! They are asked in order and the first that does not sample ends it, which matters to limiters standing later; an error
//! of one is an error of the whole. An empty list samples everything. Costly conditions beside cheap ones become whole
//! leaves, so that they run for the traces that are still open when they are due.

use crate::{
    kinds::{self, Class, Level, Policy},
    set::{Compiler, Test},
};
use settings::{Node, Problems};

/// The settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct And {
    /// What must all hold.
    pub and_sub_policy: Vec<Policy>,
}

impl And {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("and", p)?;
        let node = fields.node("and_sub_policy");
        fields.finish(p);
        let list = |node| p.within("and_sub_policy", |p| kinds::decode_list(node, "and_sub_policy", Level::And, p));
        let and_sub_policy = node.map_or(Some(Vec::new()), list)?;
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

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        let cheap = self.and_sub_policy.iter().any(|policy| policy.kind.is_cheap_filter());
        compiler.beside_cheap(cheap, |compiler| {
            Test::And(self.and_sub_policy.iter().map(|policy| compiler.rule(policy)).collect())
        })
    }
}
