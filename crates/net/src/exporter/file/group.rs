//! `group_by`: a file for each value of a resource attribute, which stands in the path in place of `*`.
//!
//! At most `max_open_files` are open; the one that was not written to for the longest is closed for the next. The value
//! comes from outside, so the path is cleaned, and it never leaves the folder before the `*`. A file that is opened again
//! goes on where it ended.

use std::collections::{BTreeMap, HashSet};
use std::io;

use otlp::view::ResourceView;
use otlp::wire::{Reader, WireError, WireType, put_len};
use otlp::{Signal, Value};

use super::settings::FileSettings;
use super::writer::Writer;

/// The files of the groups.
pub(super) struct Group {
    settings: FileSettings,
    prefix: String,
    suffix: String,
    /// The one that was written to last stands last.
    open: Vec<(String, Writer)>,
    /// The files that were opened once: they are not emptied again.
    begun: HashSet<String>,
}

/// A request, divided by the attribute.
pub(super) struct Divided {
    /// By the attribute's value.
    pub(super) parts: BTreeMap<String, Part>,
    /// Items whose resource has no such attribute.
    pub(super) homeless: u64,
}

/// The part of a request that belongs to one file.
#[derive(Default)]
pub(super) struct Part {
    pub(super) request: Vec<u8>,
    pub(super) items: u64,
}

/// How many files are remembered; later ones are never emptied.
const BEGUN_MAX: usize = 65_536;

impl Group {
    pub(super) fn new(settings: &FileSettings) -> Self {
        let (prefix, suffix) = settings.path.split_once('*').unwrap_or((&settings.path, ""));
        let mut clean = cleaned(prefix);
        if prefix.ends_with('/') && !clean.ends_with('/') {
            clean.push('/');
        }
        let (settings, suffix) = (settings.clone(), suffix.to_owned());
        Self { settings, prefix: clean, suffix, open: Vec::new(), begun: HashSet::new() }
    }

    /// Sorts the resources of a request by the attribute.
    pub(super) fn divide(&self, signal: Signal, request: &[u8]) -> Result<Divided, WireError> {
        let mut divided = Divided { parts: BTreeMap::new(), homeless: 0 };
        let mut reader = Reader::new(request);
        while !reader.is_empty() {
            let tag = reader.tag()?;
            if tag.field != 1 || tag.wire != WireType::Len {
                reader.skip(tag, 0)?;
                continue;
            }
            let body = reader.len_delimited()?;
            let mut alone = Vec::with_capacity(body.len() + 8);
            put_len(&mut alone, 1, body);
            let items = otlp::check::check(signal, &alone).map_or(0, |counts| counts.items);
            let key = self.settings.group_by.resource_attribute.as_bytes();
            let value = ResourceView::parse(body)?.attributes().find(|(name, _)| *name == key);
            match value {
                Some((_, Value::Str(segment))) => {
                    let part = divided.parts.entry(String::from_utf8_lossy(segment).into_owned()).or_default();
                    part.request.extend_from_slice(&alone);
                    part.items += items;
                }
                _ => divided.homeless += items,
            }
        }
        Ok(divided)
    }

    /// Writes a message to the file of a group.
    pub(super) fn write(&mut self, segment: &str, message: &[u8]) -> io::Result<()> {
        let path = self.path(segment);
        let at = match self.open.iter().position(|(open, _)| *open == path) {
            Some(at) => self.open.remove(at),
            None => {
                // The oldest is flushed by its end.
                if self.open.len() >= self.settings.group_by.max_open_files.max(1) {
                    self.open.remove(0);
                }
                let mut writer = Writer::open(path.as_ref(), &self.settings, true)?;
                if self.begun.len() >= BEGUN_MAX || !self.begun.insert(path.clone()) {
                    writer.keep();
                }
                (path, writer)
            }
        };
        self.open.push(at);
        match self.open.last_mut() {
            Some((_, writer)) => writer.write(message),
            None => Ok(()),
        }
    }

    /// Writes what the buffers hold; all are tried, the first error is told.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let all: Vec<_> = self.open.iter_mut().map(|(_, writer)| writer.flush()).collect();
        all.into_iter().collect()
    }

    fn path(&self, segment: &str) -> String {
        let segment = match segment {
            dot if dot.starts_with("./") => &segment[1..],
            dots if dots.starts_with("../") => &segment[2..],
            other => other,
        };
        // A zero byte ends a path for the system.
        let segment = segment.replace('\0', "");
        let path = cleaned(&format!("{}{segment}{}", self.prefix, self.suffix));
        if path.starts_with(&self.prefix) {
            return path;
        }
        cleaned(&format!("{}/{}", self.prefix, cleaned(&format!("/{segment}{}", self.suffix))))
    }
}

/// Go's `path.Clean`: without `.`, `..` and doubled slashes.
fn cleaned(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_leaves_the_folder() {
        let path = |pattern: &str, segment: &str| {
            let settings = FileSettings { path: pattern.to_owned(), ..FileSettings::default() };
            Group::new(&settings).path(segment)
        };
        for (pattern, segment, expected) in [
            ("/data/*.json", "shop", "/data/shop.json"),
            ("/data/*/x.json", "a/b", "/data/a/b/x.json"),
            ("/data/*.json", "", "/data/.json"),
            ("/data/*.json", "./a", "/data/a.json"),
            ("/data/*.json", "../a", "/data/a.json"),
            ("/data/*.json", "../../etc/x", "/data/etc/x.json"),
            ("/data/*.json", "a/../../../etc/x", "/data/etc/x.json"),
            ("/data/p-*.json", "../x", "/data/p-/x.json"),
            ("data/*.json", "../../x", "data/x.json"),
            ("/data/*.json", "a\0b", "/data/ab.json"),
        ] {
            assert_eq!(path(pattern, segment), expected, "{pattern} {segment}");
        }
    }
}
