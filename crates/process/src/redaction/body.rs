//! Log bodies: texts in lists and maps of any depth, each named by the way to it, such as `user.[0].name`.

use super::{
    rules::{ByKey, Place, Rules},
    summary::Tally,
};
use crate::{any_value, attribute_list::AttributeList, splice::Splice, walk};
use otlp::{
    Value,
    wire::{DEPTH_MAX, WireError, put_len},
};
use std::borrow::Cow;

/// The way to a value.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// The body itself.
    Root,
    /// A map's value.
    Key(&'p Path<'p>, &'p [u8]),
    /// A list's item.
    Index(&'p Path<'p>, usize),
}

/// `AnyValue.array_value`.
const ARRAY: u32 = 5;
/// `AnyValue.kvlist_value`.
const MAP: u32 = 6;
/// Field of a list or a map: an item.
const ITEM: u32 = 1;

impl Rules {
    /// What the `AnyValue` at a path becomes, if it changes. One that is too deep stays as it is.
    pub(super) fn value(
        &self,
        body: &[u8],
        path: Path<'_>,
        depth: u32,
        tally: &mut Tally<'_>,
    ) -> Result<Option<Vec<u8>>, WireError> {
        let edited = match any_value::read(body) {
            _ if depth > DEPTH_MAX => return Ok(None),
            Value::Map(map) => self.map(map, path, depth, tally)?.map(|edited| (MAP, edited)),
            Value::Array(items) => self.items(items, path, depth, tally)?.map(|edited| (ARRAY, edited)),
            scalar => return Ok(self.scalar(&any_value::text(scalar), path, tally)),
        };
        Ok(edited.map(|(number, edited)| {
            let mut out = Vec::with_capacity(edited.len() + 4);
            put_len(&mut out, number, &edited);
            out
        }))
    }

    fn scalar(&self, text: &[u8], path: Path<'_>, tally: &mut Tally<'_>) -> Option<Vec<u8>> {
        if self.is_allowed(text) {
            // otelcol does not tell of a whole body that is allowed.
            if !matches!(path, Path::Root) {
                tally.allowed.push(path.name());
            }
            return None;
        }
        let masked = self.sanitized(text, Place::Body)?;
        tally.masked.push(path.name());
        Some(any_value::of_str(&masked))
    }

    fn map(&self, map: &[u8], path: Path<'_>, depth: u32, tally: &mut Tally<'_>) -> Result<Option<Vec<u8>>, WireError> {
        let mut list = AttributeList::new(map);
        list.read(0..map.len(), ITEM)?;
        let mut redacted = Vec::new();
        for position in 0..list.len() {
            let Some((key, value)) = list.at(position) else { break };
            let path = Path::Key(&path, key);
            let edited = match self.by_key(key) {
                ByKey::Ignored => {
                    tally.ignored += 1;
                    None
                }
                ByKey::Redacted => {
                    tally.redacted.push(path.name());
                    redacted.push(key);
                    None
                }
                ByKey::Looked if self.is_blocked(key) => {
                    tally.masked.push(path.name());
                    let text = match any_value::read(value) {
                        Value::Str(text) => text,
                        _ => &[],
                    };
                    Some(any_value::of_str(&self.masked(text)))
                }
                ByKey::Looked => self.value(value, path, depth + 1, tally)?,
            };
            if let Some(edited) = edited {
                list.set_at(position, Cow::Owned(edited));
            }
        }
        redacted.into_iter().for_each(|key| list.remove(key));
        let mut splice = Splice::new(map);
        list.write(&mut splice);
        Ok(owned(splice))
    }

    fn items(
        &self,
        items: &[u8],
        path: Path<'_>,
        depth: u32,
        tally: &mut Tally<'_>,
    ) -> Result<Option<Vec<u8>>, WireError> {
        let mut splice = Splice::new(items);
        let mut index = 0;
        for item in walk::fields(items, 0..items.len()) {
            let item = item?;
            if item.number != ITEM {
                continue;
            }
            if let Some(edited) = self.value(item.of(items), Path::Index(&path, index), depth + 1, tally)? {
                splice.replace(item.whole(), |out| put_len(out, ITEM, &edited));
            }
            index += 1;
        }
        Ok(owned(splice))
    }
}

impl Path<'_> {
    fn name<'e>(&self) -> Cow<'e, [u8]> {
        let mut name = Vec::new();
        self.put(&mut name);
        Cow::Owned(name)
    }

    fn put(&self, out: &mut Vec<u8>) {
        let parent = match self {
            Path::Root => return out.extend_from_slice(b"body"),
            Path::Key(parent, _) | Path::Index(parent, _) => parent,
        };
        if !matches!(parent, Path::Root) {
            parent.put(out);
            out.push(b'.');
        }
        match self {
            Path::Root => {}
            Path::Key(_, key) => out.extend_from_slice(key),
            Path::Index(_, index) => out.extend_from_slice(format!("[{index}]").as_bytes()),
        }
    }
}

/// What became of a message, if it changed.
fn owned(splice: Splice<'_>) -> Option<Vec<u8>> {
    match splice.finish() {
        Cow::Owned(edited) => Some(edited),
        Cow::Borrowed(_) => None,
    }
}
