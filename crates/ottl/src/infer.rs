//! Which context statements and conditions are of, found out from what they name.
//!
//! The most particular context that a path begins with is the one, unless it lacks a function or an enum that is named too;
//! then it is the first one, the most particular first, that sees the former and has all of these.

use crate::{
    editors,
    error::SyntaxError,
    functions::{self, Place},
    path::Context,
    syntax::{
        self,
        tree::{Call, Key, KeyKind, Node, NodeKind, Path},
    },
};
use std::collections::BTreeSet;

/// What statements and conditions name.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// The first words of paths, where another follows behind a dot.
    contexts: Vec<String>,
    editors: BTreeSet<String>,
    converters: BTreeSet<String>,
    enums: BTreeSet<String>,
}

impl Hints {
    /// Notes what a statement names.
    ///
    /// # Errors
    /// What is wrong with its syntax.
    pub fn statement(&mut self, text: &str) -> Result<(), SyntaxError> {
        let statement = syntax::parse_statement(text)?;
        self.editors.insert(statement.editor.name.clone());
        self.arguments(&statement.editor);
        if let Some(node) = &statement.condition {
            self.node(node);
        }
        Ok(())
    }

    /// Notes what a condition names.
    ///
    /// # Errors
    /// What is wrong with its syntax.
    pub fn condition(&mut self, text: &str) -> Result<(), SyntaxError> {
        self.node(&syntax::parse(text)?);
        Ok(())
    }

    /// The context that is meant, one of `candidates`; where none has all functions and enums, compiling for it tells which
    /// are missing.
    ///
    /// # Errors
    /// Why none is meant.
    pub fn infer(&self, candidates: &[Context]) -> Result<Context, String> {
        let rank = |name: &str| Context::ALL.iter().position(|context| context.name() == name);
        let ranked = self.contexts.iter().filter_map(|name| Some((rank(name)?, name)));
        // Only where no path begins with a context at all, other first words count.
        let named = ranked.min_by_key(|(rank, _)| *rank).map(|(_, name)| name).or(self.contexts.first());
        let known = || {
            let names: Vec<_> = candidates.iter().map(|context| format!("`{}`", context.name())).collect();
            names.join(", ")
        };
        let Some(name) = named else {
            let known = known();
            return Err(format!("no path says which context is meant, begin one with {known}, or write `context`"));
        };
        let Some(meant) = candidates.iter().copied().find(|context| context.name() == name) else {
            return Err(format!("the paths are of the context `{name}`, but here it is one of {}", known()));
        };
        let mut wider = Context::ALL.iter().copied().filter(|context| {
            *context != meant && candidates.contains(context) && context.prefixes().contains(&meant.name())
        });
        if self.is_known_to(meant) {
            return Ok(meant);
        }
        match wider.find(|context| self.is_known_to(*context)) {
            Some(context) => Ok(context),
            None => self.unknown_to_all().map_or(Ok(meant), Err),
        }
    }

    /// What no context that can be inferred has, although it has a meaning where the context is written.
    fn unknown_to_all(&self) -> Option<String> {
        let passed = self.enums.iter().find(|name| functions::find(name).is_some());
        let asked = self.converters.iter().find(|name| !self.has_converter(name, Context::Metric) && is_metrics(name));
        passed.or(asked).map(|name| format!("`{name}` can be used here only where the context is written: `context`"))
    }

    fn has_converter(&self, name: &str, context: Context) -> bool {
        functions::find(name).is_some_and(|function| match function.place {
            Place::Everywhere => true,
            Place::Spans => context == Context::Span,
            Place::MetricConditions => context == Context::Metric && self.editors.is_empty(),
        })
    }

    fn is_known_to(&self, context: Context) -> bool {
        let has_editor = |name: &String| editors::find(name).is_some_and(|editor| editor.is_known_to(context));
        let has_enum = |name: &String| context.enums().iter().any(|(known, _)| known == name);
        self.editors.iter().all(has_editor)
            && self.converters.iter().all(|name| self.has_converter(name, context))
            && self.enums.iter().all(has_enum)
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Or(nodes) | NodeKind::And(nodes) | NodeKind::List(nodes) => {
                nodes.iter().for_each(|node| self.node(node));
            }
            NodeKind::Not(inner) | NodeKind::Group(inner) | NodeKind::Negative(inner) | NodeKind::Positive(inner) => {
                self.node(inner);
            }
            NodeKind::Compare { left, right, .. } => {
                self.node(left);
                self.node(right);
            }
            NodeKind::Call(call) => {
                self.converters.insert(call.name.clone());
                self.arguments(call);
                self.keys(&call.keys);
            }
            NodeKind::Path(path) => self.path(path),
            NodeKind::Map(entries) => entries.iter().for_each(|(_, node)| self.node(node)),
            NodeKind::Chain { first, rest } => {
                self.node(first);
                rest.iter().for_each(|(_, node)| self.node(node));
            }
            NodeKind::Enum(name) => {
                self.enums.insert(name.clone());
            }
            NodeKind::Bool(_)
            | NodeKind::Nil
            | NodeKind::Str(_)
            | NodeKind::Bytes(_)
            | NodeKind::Float(_)
            | NodeKind::Int(_)
            | NodeKind::Function(_) => {}
        }
    }

    fn arguments(&mut self, call: &Call) {
        for argument in &call.arguments {
            // A converter that is passed and has no lower-case letter reads like an enum, one that every context lacks.
            self.node(&argument.value);
        }
    }

    fn path(&mut self, path: &Path) {
        if let [first, _, ..] = path.segments.as_slice()
            && first.keys.is_empty()
        {
            self.contexts.push(first.name.clone());
        }
        path.segments.iter().for_each(|segment| self.keys(&segment.keys));
    }

    fn keys(&mut self, keys: &[Key]) {
        for key in keys {
            if let KeyKind::Node(node) = &key.kind {
                self.node(node);
            }
        }
    }
}

fn is_metrics(name: &str) -> bool {
    functions::find(name).is_some_and(|function| function.place == Place::MetricConditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACES: [Context; 4] = [Context::Resource, Context::Scope, Context::Span, Context::SpanEvent];

    #[track_caller]
    fn check(statements: &[&str], expected: Result<Context, &str>) {
        let mut hints = Hints::default();
        statements.iter().for_each(|text| hints.statement(text).expect("a statement"));
        assert_eq!(hints.infer(&TRACES).map_err(|_| ""), expected, "{statements:?}");
    }

    #[test]
    fn the_most_particular_context_is_meant() {
        check(&[r#"set(resource.attributes["a"], 1)"#], Ok(Context::Resource));
        check(&[r#"set(resource.attributes["a"], span.name)"#], Ok(Context::Span));
        check(&[r#"set(resource.attributes["a"], 1) where span.name == "x""#], Ok(Context::Span));
        check(&[r#"set(span.attributes["a"], 1)"#, "set(spanevent.name, span.name)"], Ok(Context::SpanEvent));
        check(&[r#"set(resource.attributes["a"], 1) where IsRootSpan()"#], Ok(Context::Span));
        check(&[r#"set(resource.attributes["a"], STATUS_CODE_OK)"#], Ok(Context::SpanEvent));
        check(&[r#"set(name, "x")"#], Err(""));
        check(&["set(log.body, 1)"], Err(""));
        check(&["set(status.code, 1)"], Err(""));
        check(&["set(status.code, 1)", "set(span.name, scope.name)"], Ok(Context::Span));
        check(&[r#"replace_pattern(span.name, "a", "b", SHA256)"#], Err(""));
        check(&[r#"replace_pattern(span.name, "a", "b", ToUpperCase)"#], Ok(Context::Span));
        check(&["set(span.name, Foo())"], Ok(Context::Span));
    }
}
