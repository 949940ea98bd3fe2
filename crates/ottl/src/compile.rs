//! From the tree to what is evaluated: names get their meaning, literals are checked and folded.
//!
//! Everything that is wrong is reported, not only the first; a part with an error has no result, and its siblings go on.

mod call;
mod path;
mod statement;

pub(crate) use statement::compile_statement;

use crate::{
    compare::compare,
    condition::Needs,
    error::SyntaxError,
    expr::{Expr, Math, Test, entry},
    path::{Context, Key},
    syntax::{
        self,
        tree::{self, KeyKind, Node, NodeKind},
    },
    value::{List, Map, Value},
};
use otlp::Keys;
use std::{borrow::Cow, ops::Range};

/// Compiles a condition.
pub(crate) fn compile(
    text: &str,
    context: Context,
    paths: Paths,
    keys: &mut Keys,
) -> Result<(Test, Needs), Vec<SyntaxError>> {
    let tree = syntax::parse(text).map_err(|error| vec![error])?;
    let mut compiler =
        Compiler { text, context, paths, is_statement: false, keys, needs: Needs::default(), errors: Vec::new() };
    match compiler.test(&tree) {
        Some(test) if compiler.errors.is_empty() => Ok((test, compiler.needs)),
        _ => Err(compiler.errors),
    }
}

/// Whether paths say which context they are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// They may: a path that begins with no context's name is of the own one.
    Plain,
    /// They must, because the context was inferred from them.
    Prefixed,
}

struct Compiler<'c> {
    text: &'c str,
    context: Context,
    paths: Paths,
    /// Whether it is a statement; else it is a condition that stands alone.
    is_statement: bool,
    keys: &'c mut Keys,
    needs: Needs,
    errors: Vec<SyntaxError>,
}

impl Compiler<'_> {
    fn test(&mut self, node: &Node) -> Option<Test> {
        match &node.kind {
            NodeKind::Or(nodes) => self.joined(nodes, true),
            NodeKind::And(nodes) => self.joined(nodes, false),
            NodeKind::Not(inner) => Some(match self.test(inner)? {
                Test::Constant(bool) => Test::Constant(!bool),
                test => Test::Not(Box::new(test)),
            }),
            NodeKind::Compare { operator, left, right } => {
                let (left, right) = (self.expr(left), self.expr(right));
                let (left, right) = (left?, right?);
                Some(match (left.constant(), right.constant()) {
                    (Some(a), Some(b)) => Test::Constant(compare(*operator, a, b, None).unwrap_or(false)),
                    _ => Test::Compare { operator: *operator, left, right },
                })
            }
            NodeKind::Bool(bool) => Some(Test::Constant(*bool)),
            NodeKind::Call(call) => self.call(call).map(Test::Bool),
            NodeKind::Group(inner) => self.test(inner),
            _ => self.fail(&node.at, "no condition"),
        }
    }

    /// Operands of `or` (whose absorbing value is true) or of `and`. A constant that decides does so wherever it stands.
    fn joined(&mut self, nodes: &[Node], absorbing: bool) -> Option<Test> {
        let tests: Vec<_> = nodes.iter().map(|node| self.test(node)).collect();
        let tests: Vec<_> = tests.into_iter().collect::<Option<_>>()?;
        if tests.iter().any(|test| matches!(test, Test::Constant(bool) if *bool == absorbing)) {
            return Some(Test::Constant(absorbing));
        }
        let mut tests: Vec<_> = tests.into_iter().filter(|test| !matches!(test, Test::Constant(_))).collect();
        Some(match tests.len() {
            0 => Test::Constant(!absorbing),
            1 => tests.remove(0),
            _ if absorbing => Test::Any(tests.into()),
            _ => Test::All(tests.into()),
        })
    }

    fn expr(&mut self, node: &Node) -> Option<Expr> {
        Some(Expr::Literal(match &node.kind {
            NodeKind::Nil => Value::Nil,
            NodeKind::Bool(bool) => Value::Bool(*bool),
            NodeKind::Int(int) => Value::Int(*int),
            NodeKind::Float(float) => Value::Float(*float),
            NodeKind::Str(text) => Value::string(text.as_bytes()),
            NodeKind::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.clone())),
            NodeKind::Enum(name) => self.constant(name, &node.at)?,
            NodeKind::Path(path) => return self.path(path),
            NodeKind::Call(call) => return self.call(call),
            NodeKind::Group(inner) | NodeKind::Positive(inner) => return self.expr(inner),
            NodeKind::Negative(inner) => return self.negative(inner),
            NodeKind::Chain { first, rest } => {
                let first = self.expr(first);
                let rest: Vec<_> = rest.iter().map(|(operator, node)| Some((*operator, self.expr(node)?))).collect();
                let rest = rest.into_iter().collect::<Option<_>>()?;
                return Some(Expr::Math(Box::new(Math { first: first?, rest })));
            }
            NodeKind::List(nodes) => return self.list(nodes),
            NodeKind::Map(entries) => return self.map(entries, &node.at),
            _ => return self.fail(&node.at, "no value"),
        }))
    }

    /// The sign becomes a part of a number, not of a parenthesis around one.
    fn negative(&mut self, inner: &Node) -> Option<Expr> {
        Some(match &inner.kind {
            NodeKind::Int(int) => Expr::Literal(Value::Int(-int)),
            NodeKind::Float(float) => Expr::Literal(Value::Float(-float)),
            _ => Expr::Negative(Box::new(self.expr(inner)?)),
        })
    }

    fn list(&mut self, nodes: &[Node]) -> Option<Expr> {
        let items = self.exprs(nodes)?;
        if items.iter().any(|item| item.constant().is_none()) {
            return Some(Expr::List(items.into()));
        }
        let items = items.iter().filter_map(Expr::constant).cloned().collect();
        Some(Expr::Literal(Value::List(List::native(items))))
    }

    /// All of them, or all their errors.
    fn exprs(&mut self, nodes: &[Node]) -> Option<Vec<Expr>> {
        let exprs: Vec<_> = nodes.iter().map(|node| self.expr(node)).collect();
        exprs.into_iter().collect()
    }

    /// Of equal keys the last one counts.
    fn map(&mut self, nodes: &[(String, Node)], at: &Range<usize>) -> Option<Expr> {
        let mut entries: Vec<(Box<str>, Expr)> = Vec::new();
        for (key, node) in nodes {
            let expr = self.expr(node)?;
            match entries.iter_mut().find(|(known, _)| **known == **key) {
                Some((_, known)) => *known = expr,
                None => entries.push((key.as_str().into(), expr)),
            }
        }
        if entries.iter().any(|(_, expr)| expr.constant().is_none()) {
            return Some(Expr::Map(entries.into()));
        }
        let mut constant = Vec::new();
        for (key, expr) in &entries {
            match entry(key, expr.constant().cloned().unwrap_or(Value::Nil)) {
                Ok((key, value)) => constant.push((Cow::Owned(key.into_owned()), value.into_owned())),
                Err(error) => return self.fail(at, &error.to_string()),
            }
        }
        Some(Expr::Literal(Value::Map(Map::data(constant))))
    }

    fn constant(&mut self, name: &str, at: &Range<usize>) -> Option<Value<'static>> {
        let enums = self.context.enums();
        if let Some((_, value)) = enums.iter().find(|(known, _)| *known == name) {
            return Some(Value::Int(*value));
        }
        if enums.is_empty() {
            return self.fail(at, &format!("unknown enum `{name}`, the context `{}` has none", self.context.name()));
        }
        let suggestion = settings::suggest(name, enums.iter().map(|(known, _)| *known));
        self.fail(at, &format!("unknown enum `{name}`{}", did_you_mean(suggestion)))
    }

    fn index(&mut self, keys: &[tree::Key]) -> Option<Box<[Key]>> {
        let keys: Vec<_> = keys.iter().map(|key| self.key(key)).collect();
        keys.into_iter().collect()
    }

    fn key(&mut self, key: &tree::Key) -> Option<Key> {
        Some(match &key.kind {
            KeyKind::Str(text) => Key::Str(text.as_str().into()),
            KeyKind::Int(int) => Key::Int(*int),
            KeyKind::Node(node) => Key::Computed(self.expr(node)?),
        })
    }

    fn fail<T>(&mut self, at: &Range<usize>, message: &str) -> Option<T> {
        self.errors.push(SyntaxError { at: at.clone(), message: message.to_string() });
        None
    }
}

/// The end of a message about a misspelt word.
fn did_you_mean(word: Option<&str>) -> String {
    word.map_or(String::new(), |word| format!(", did you mean `{word}`?"))
}
