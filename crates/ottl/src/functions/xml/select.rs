//! The nodes that an XPath selects, in the order of the document, path after path.

use super::{
    scan::{Attribute, Name},
    tree::{DOCUMENT, NodeId, NodeKind, Tree},
    xpath::{Axis, Path, Predicate, Step, Test, XPath},
};
use std::collections::HashSet;

/// A selected node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Hit {
    Node(NodeId),
    /// An attribute of an element, by its index.
    Attribute(NodeId, usize),
}

impl Hit {
    /// Where it stands in the document; nodes are numbered in that order.
    fn place(self) -> (NodeId, usize) {
        match self {
            Self::Node(node) => (node, 0),
            Self::Attribute(node, index) => (node, index + 1),
        }
    }
}

/// All nodes, each once.
pub(super) fn select(tree: &Tree, xpath: &XPath) -> Vec<Hit> {
    unique(xpath.paths.iter().flat_map(|path| follow(tree, path, Hit::Node(DOCUMENT))))
}

fn unique(hits: impl IntoIterator<Item = Hit>) -> Vec<Hit> {
    let mut seen = HashSet::new();
    hits.into_iter().filter(|hit| seen.insert(*hit)).collect()
}

fn follow(tree: &Tree, path: &Path, from: Hit) -> Vec<Hit> {
    let from = if path.is_absolute { Hit::Node(DOCUMENT) } else { from };
    path.steps.iter().fold(vec![from], |hits, step| {
        let mut hits: Vec<_> = hits.into_iter().flat_map(|hit| step.from(tree, hit)).collect();
        hits.sort_unstable_by_key(|hit| hit.place());
        hits.dedup();
        hits
    })
}

impl Step {
    fn from(&self, tree: &Tree, hit: Hit) -> Vec<Hit> {
        let mut hits = self.axis.from(tree, hit);
        hits.retain(|hit| self.test.holds(tree, *hit));
        for predicate in &self.predicates {
            hits = predicate.filter(tree, hits);
        }
        hits
    }
}

impl Axis {
    fn from(self, tree: &Tree, hit: Hit) -> Vec<Hit> {
        match (self, hit) {
            (Self::Same | Self::DescendantOrSelf, Hit::Attribute(..)) => vec![hit],
            (Self::Same, Hit::Node(_)) => vec![hit],
            (Self::Child, Hit::Node(node)) => children(tree, node).map(Hit::Node).collect(),
            (Self::DescendantOrSelf, Hit::Node(node)) => {
                let mut hits = Vec::new();
                collect(tree, node, &mut hits);
                hits
            }
            (Self::Attribute, Hit::Node(node)) => {
                (0..attributes(tree, node).len()).map(|index| Hit::Attribute(node, index)).collect()
            }
            (Self::Parent, Hit::Node(DOCUMENT)) | (Self::Child | Self::Attribute, Hit::Attribute(..)) => Vec::new(),
            (Self::Parent, Hit::Node(node)) => vec![Hit::Node(tree.nodes[node].parent)],
            (Self::Parent, Hit::Attribute(node, _)) => vec![Hit::Node(node)],
        }
    }
}

fn collect(tree: &Tree, node: NodeId, hits: &mut Vec<Hit>) {
    hits.push(Hit::Node(node));
    children(tree, node).for_each(|child| collect(tree, child, hits));
}

/// White space counts only where it comes first, which is how the library of otelcol walks.
fn children(tree: &Tree, node: NodeId) -> impl Iterator<Item = NodeId> {
    let is_space = |node: NodeId| match &tree.nodes[node].kind {
        NodeKind::Text(text) => super::tree::trimmed(text).is_empty(),
        _ => false,
    };
    let children = tree.nodes[node].children.iter().copied().enumerate();
    children.filter(move |(index, child)| *index == 0 || !is_space(*child)).map(|(_, child)| child)
}

fn attributes(tree: &Tree, node: NodeId) -> &[Attribute] {
    if let NodeKind::Element(_, attributes) = &tree.nodes[node].kind { attributes } else { &[] }
}

impl Test {
    fn holds(&self, tree: &Tree, hit: Hit) -> bool {
        let name = name_of(tree, hit);
        match self {
            Self::AnyNode => true,
            Self::AnyName => name.is_some(),
            Self::Name(prefix, local) => name.is_some_and(|name| name.prefix == *prefix && name.local == *local),
            Self::Text => {
                matches!(hit, Hit::Node(node) if matches!(tree.nodes[node].kind, NodeKind::Text(_) | NodeKind::Cdata(_)))
            }
            Self::Comment => matches!(hit, Hit::Node(node) if matches!(tree.nodes[node].kind, NodeKind::Comment(_))),
        }
    }
}

fn name_of(tree: &Tree, hit: Hit) -> Option<&Name> {
    match hit {
        Hit::Attribute(node, index) => attributes(tree, node).get(index).map(|attribute| &attribute.name),
        Hit::Node(node) => match &tree.nodes[node].kind {
            NodeKind::Element(name, _) => Some(name),
            _ => None,
        },
    }
}

impl Predicate {
    fn filter(&self, tree: &Tree, mut hits: Vec<Hit>) -> Vec<Hit> {
        match self {
            Self::Position(position) => {
                position.checked_sub(1).and_then(|at| hits.get(at)).copied().into_iter().collect()
            }
            Self::Last => hits.last().copied().into_iter().collect(),
            Self::Exists(path) => {
                hits.retain(|hit| !follow(tree, path, *hit).is_empty());
                hits
            }
            Self::Compares { path, is_negated, text } => {
                let holds = |found: Hit| (value(tree, found) == *text) != *is_negated;
                hits.retain(|hit| follow(tree, path, *hit).into_iter().any(holds));
                hits
            }
        }
    }
}

/// The text that a node is compared by.
fn value(tree: &Tree, hit: Hit) -> Vec<u8> {
    let mut text = Vec::new();
    match hit {
        Hit::Attribute(node, index) => {
            text.extend_from_slice(attributes(tree, node).get(index).map_or(&[][..], |attribute| &attribute.value));
        }
        Hit::Node(node) => match &tree.nodes[node].kind {
            NodeKind::Element(..) | NodeKind::Text(_) => tree.inner_text(node, &mut text),
            NodeKind::Comment(comment) => text.extend_from_slice(comment),
            _ => {}
        },
    }
    text
}
