//! Paths: the context's name in front, the field it leads to, and what indexes that.

use super::{Compiler, Paths, did_you_mean};
use crate::{
    expr::Expr,
    path::{Attribute, Field, LogField, Name, Owner, TraceStateMember, fields},
    syntax::tree::{self, KeyKind, Segment},
};
use std::ops::Range;

impl Compiler<'_> {
    pub(super) fn path(&mut self, path: &tree::Path) -> Option<Expr> {
        let (context, segments) = self.split(&path.segments)?;
        let at = path.segments[0].at.start..path.segments.last()?.at.end;
        let Some((field, len)) = self.field(context, segments) else {
            return self.unknown(context, segments, &at);
        };
        let (used, rest) = segments.split_at(len);
        if let Some(extra) = rest.first() {
            let name = joined(used);
            let parts =
                fields(context).iter().filter_map(|(known, _)| known.strip_prefix(name.as_str())?.strip_prefix('.'));
            let suggestion = settings::suggest(&extra.name, parts);
            let message = format!("`{name}` has no part `{}`{}", extra.name, did_you_mean(suggestion));
            return self.fail(&extra.at, &message);
        }
        let (last, inner) = used.split_last()?;
        let is_indexable = matches!(field, Field::Attributes(_) | Field::TraceState | Field::Log(LogField::Body));
        let unusable = inner.iter().chain((!is_indexable).then_some(last)).flat_map(|segment| &segment.keys).next();
        if let Some(key) = unusable {
            let message = format!("`{}` cannot be indexed", joined(used));
            return self.fail(&key.at, &message);
        }
        match (field, last.keys.as_slice()) {
            (field, []) => Some(Expr::Field(field)),
            (Field::Attributes(owner), [first, rest @ ..]) => self.attribute(owner, first, rest),
            (Field::Log(_), keys) => Some(Expr::BodyPart(self.index(keys)?)),
            (_, [key]) => Some(Expr::TraceStateMember(self.member(key)?)),
            (_, [_, extra, ..]) => self.fail(&extra.at, "`trace_state` takes one key"),
        }
    }

    /// The context and what stands behind it. A name that is none belongs to the list's own context, and so does a context
    /// that nothing follows, or a key.
    fn split<'p>(&mut self, segments: &'p [Segment]) -> Option<(&'static str, &'p [Segment])> {
        let is_strict = self.is_statement || self.paths == Paths::Prefixed;
        let known = if is_strict { self.context.prefixes() } else { self.context.visible() };
        if let [first, rest @ ..] = segments
            && !rest.is_empty()
            && first.keys.is_empty()
            && let Some(context) = known.iter().find(|context| **context == first.name)
        {
            return Some((context, rest));
        }
        if self.paths == Paths::Prefixed {
            let path = joined(segments);
            let known = known.iter().map(|name| format!("`{name}.{path}`")).collect::<Vec<_>>().join(", ");
            let message = format!("`{path}` does not say which context it is of, write one of {known}");
            let at = segments[0].at.start..segments.last()?.at.end;
            return self.fail(&at, &message);
        }
        Some((self.context.name(), segments))
    }

    /// The field with the most segments, and how many these are. Caches are seen only in the own context.
    fn field(&self, context: &str, segments: &[Segment]) -> Option<(Field, usize)> {
        let own = self.context.name();
        (1..=segments.len()).rev().find_map(|len| {
            let name = joined(&segments[..len]);
            let (_, field) = fields(context).iter().find(|(known, _)| *known == name)?;
            (name != "cache" || context == own).then_some((*field, len))
        })
    }

    fn unknown<T>(&mut self, context: &'static str, segments: &[Segment], at: &Range<usize>) -> Option<T> {
        let is_own = context == self.context.name() && self.paths == Paths::Plain;
        let prefix = if is_own { String::new() } else { format!("{context}.") };
        let name = joined(segments);
        let known = fields(context).iter().map(|(known, _)| *known).filter(|known| *known != "cache");
        // Where the path as a whole is like no other, its first word may be; or that is a context misspelt.
        let first = segments.first().map_or("", |segment| &segment.name);
        let field = settings::suggest(&name, known.clone()).or_else(|| settings::suggest(first, known));
        let suggestion = match field {
            Some(field) => Some(format!("{prefix}{field}")),
            None if prefix.is_empty() && segments.len() > 1 => {
                let context = settings::suggest(first, self.context.visible().iter().copied());
                context.map(|context| format!("{context}.{}", joined(&segments[1..])))
            }
            None => None,
        };
        self.fail(at, &format!("unknown path `{prefix}{name}`{}", did_you_mean(suggestion.as_deref())))
    }

    fn attribute(&mut self, owner: Owner, first: &tree::Key, rest: &[tree::Key]) -> Option<Expr> {
        let name = match &first.kind {
            KeyKind::Str(key) if matches!(owner, Owner::Span | Owner::Resource) => {
                Name::Interned(self.keys.intern(key), key.as_str().into())
            }
            KeyKind::Str(key) => Name::Plain(key.as_str().into()),
            KeyKind::Int(_) => Name::Int,
            KeyKind::Node(node) => Name::Computed(self.expr(node)?),
        };
        let keys = self.index(rest)?;
        Some(Expr::Attribute(Box::new(Attribute { owner, name, keys })))
    }

    fn member(&mut self, key: &tree::Key) -> Option<TraceStateMember> {
        let key = match &key.kind {
            KeyKind::Str(key) => Some(key.as_str().into()),
            KeyKind::Int(_) => None,
            KeyKind::Node(node) => {
                self.expr(node)?;
                None
            }
        };
        Some(TraceStateMember { key })
    }
}

fn joined(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>().join(".")
}
