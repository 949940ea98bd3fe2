//! The tree of a condition or statement, each node with its place in the text.

use super::Operator;
use std::ops::Range;

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    /// What is done.
    pub(crate) editor: Call,
    /// When.
    pub(crate) condition: Option<Node>,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Range<usize>,
    pub(crate) kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NodeKind {
    // Conditions.
    Or(Vec<Node>),
    And(Vec<Node>),
    Not(Box<Node>),
    Compare {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
    },
    // Conditions as well as values.
    Bool(bool),
    Call(Call),
    Group(Box<Node>),
    // Values.
    Nil,
    Str(String),
    Bytes(Vec<u8>),
    Float(f64),
    Int(i64),
    Enum(String),
    /// A converter's name without a call, as an argument.
    Function(String),
    Path(Path),
    List(Vec<Node>),
    /// Keys as written, also equal ones.
    Map(Vec<(String, Node)>),
    /// Operands of one precedence, from left to right.
    Chain {
        first: Box<Node>,
        rest: Vec<(Arithmetic, Node)>,
    },
    Negative(Box<Node>),
    Positive(Box<Node>),
}

/// A calculation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// `attributes["a"].b`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    /// At least one.
    pub(crate) segments: Vec<Segment>,
}

/// A name of a path with what indexes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Segment {
    pub(crate) at: Range<usize>,
    pub(crate) name: String,
    pub(crate) keys: Vec<Key>,
}

/// An index.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) at: Range<usize>,
    pub(crate) kind: KeyKind,
}

/// What an index is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KeyKind {
    Str(String),
    Int(i64),
    Node(Node),
}

/// A converter's call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) name_at: Range<usize>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) keys: Vec<Key>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<(String, Range<usize>)>,
    pub(crate) value: Node,
}

impl Node {
    /// Whether it can be calculated with.
    pub(crate) fn is_math(&self) -> bool {
        match &self.kind {
            NodeKind::Group(inner) => inner.is_math(),
            NodeKind::Call(_)
            | NodeKind::Float(_)
            | NodeKind::Int(_)
            | NodeKind::Path(_)
            | NodeKind::Chain { .. }
            | NodeKind::Negative(_)
            | NodeKind::Positive(_) => true,
            _ => false,
        }
    }

    /// Whether it can stand for true or false.
    pub(crate) fn is_condition(&self) -> bool {
        match &self.kind {
            NodeKind::Group(inner) => inner.is_condition(),
            NodeKind::Or(_)
            | NodeKind::And(_)
            | NodeKind::Not(_)
            | NodeKind::Compare { .. }
            | NodeKind::Bool(_)
            | NodeKind::Call(_) => true,
            _ => false,
        }
    }

    /// Whether it can be compared or passed.
    pub(crate) fn is_value(&self) -> bool {
        self.is_math()
            || matches!(
                self.kind,
                NodeKind::Nil
                    | NodeKind::Bool(_)
                    | NodeKind::Str(_)
                    | NodeKind::Bytes(_)
                    | NodeKind::Enum(_)
                    | NodeKind::List(_)
                    | NodeKind::Map(_)
            )
    }
}
