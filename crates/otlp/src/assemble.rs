//! Joins stored spans into export requests: equal resources and scopes merged, bytes otherwise as they came.
//!
//! A span is copied twice: by [`Builder::push`] to one arena, whatever its group, and by [`Builder::finish`] to its place.
//! A buffer a group would save nothing (the lengths of the enclosing messages come first on the wire) and would allocate by
//! the number of groups. Lengths are kept up to date with each push, so the size of the request is known at any time.
//!
//! It says spans, and joins metrics and log records as well, because the envelopes of all signals are alike.

use crate::wire::{WireType, put_tag, put_varint, varint_len};
use hashbrown::HashTable;
use std::hash::BuildHasher;
use std::ops::Range;

/// Index of a (resource, scope) in a [`Builder`]; meaningless after [`Builder::finish`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct GroupIndex(u32);

/// Collects spans and writes one `ExportTraceServiceRequest` (which is a `TracesData` too); reused from request to request.
#[derive(Debug, Default)]
pub struct Builder {
    resources: Vec<Resource>,
    groups: Vec<Group>,
    /// Resources and groups by the hash of their headers.
    resource_index: HashTable<u32>,
    group_index: HashTable<u32>,
    hasher: foldhash::quality::RandomState,
    /// Header bytes of resources and groups.
    headers: Vec<u8>,
    /// Spans as encoded `spans` fields, in the order of their arrival.
    arena: Vec<u8>,
    pieces: Vec<Piece>,
    encoded_len: usize,
    spans: u32,
}

#[derive(Debug)]
struct Resource {
    hash: u64,
    header: Range<usize>,
    first_group: u32,
    last_group: u32,
    /// Length of the message; `header` alone while no group has spans.
    len: usize,
}

#[derive(Debug)]
struct Group {
    hash: u64,
    resource: u32,
    header: Range<usize>,
    /// The next group of the same resource.
    next: u32,
    first_piece: u32,
    last_piece: u32,
    /// Length of the message; `header` alone while it has no spans.
    len: usize,
}

/// Consecutive spans of one group in the arena.
#[derive(Debug)]
struct Piece {
    bytes: Range<usize>,
    /// The next piece of the same group.
    next: u32,
}

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// Field numbers of `resource_spans`, `scope_spans` and `spans`; all fit a key of one byte.
const RESOURCE_SPANS: u32 = 1;
const SCOPE_SPANS: u32 = 2;
const SPANS: u32 = 2;

impl Builder {
    /// An empty builder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The group with these headers, as [`Scan::resource_header`](crate::scan::Scan::resource_header) and [`Scan::scope_header`](crate::scan::Scan::scope_header) give them. Equal headers are
    /// the same group. A group costs nothing in the request until it has a span.
    pub fn group(&mut self, resource_header: &[u8], scope_header: &[u8]) -> GroupIndex {
        let resource = self.resource(resource_header);
        let hash = self.hasher.hash_one((resource, scope_header));
        let (groups, headers) = (&self.groups, &self.headers);
        let found = self.group_index.find(hash, |&index| {
            let group = &groups[index as usize];
            group.resource == resource && headers[group.header.clone()] == *scope_header
        });
        if let Some(&index) = found {
            return GroupIndex(index);
        }
        let index = index_of_next(&self.groups);
        self.groups.push(Group {
            hash,
            resource,
            header: append(&mut self.headers, scope_header),
            next: NONE,
            first_piece: NONE,
            last_piece: NONE,
            len: scope_header.len(),
        });
        let groups = &self.groups;
        self.group_index.insert_unique(hash, index, |&index| groups[index as usize].hash);
        GroupIndex(index)
    }

    /// Makes room for spans of so many bytes in all, tags and lengths included, so that taking them in copies nothing anew.
    pub fn reserve(&mut self, bytes: usize) {
        self.arena.reserve_exact(bytes.saturating_sub(self.arena.len()));
    }

    /// Adds a span to `group`, which this builder gave since the last [`Builder::finish`].
    ///
    /// # Panics
    /// If `group` is not one of this builder's.
    pub fn push(&mut self, group: GroupIndex, span_body: &[u8]) {
        self.push_parts(group, &[span_body]);
    }

    /// Adds a span whose body stands in parts.
    ///
    /// # Panics
    /// If `group` is not one of this builder's.
    pub fn push_parts(&mut self, group: GroupIndex, parts: &[&[u8]]) {
        let start = self.arena.len();
        put_tag(&mut self.arena, SPANS, WireType::Len);
        put_varint(&mut self.arena, parts.iter().map(|part| part.len() as u64).sum());
        parts.iter().for_each(|part| self.arena.extend_from_slice(part));
        let end = self.arena.len();
        self.chain(group, start..end);
        self.lengthen(group, end - start);
        self.spans += 1;
    }

    /// Writes the request, exactly sized, and starts a new one with the capacity of this one.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len);
        for resource in &self.resources {
            self.write_resource(resource, &mut out);
        }
        debug_assert_eq!(out.len(), self.encoded_len, "BUG: the lengths were not kept");
        self.clear();
        out
    }

    /// The exact size of the request as it stands.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.encoded_len
    }

    /// How many spans were pushed.
    #[must_use]
    pub fn spans(&self) -> u32 {
        self.spans
    }

    /// Memory held, used or not.
    #[must_use]
    pub fn capacity_bytes(&self) -> usize {
        self.resources.capacity() * size_of::<Resource>()
            + self.groups.capacity() * size_of::<Group>()
            + self.pieces.capacity() * size_of::<Piece>()
            + (self.resource_index.capacity() + self.group_index.capacity()) * (size_of::<u32>() + 1)
            + self.headers.capacity()
            + self.arena.capacity()
    }

    fn resource(&mut self, header: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(header);
        let (resources, headers) = (&self.resources, &self.headers);
        let found =
            self.resource_index.find(hash, |&index| headers[resources[index as usize].header.clone()] == *header);
        if let Some(&index) = found {
            return index;
        }
        let index = index_of_next(&self.resources);
        let header = append(&mut self.headers, header);
        let len = header.len();
        self.resources.push(Resource { hash, header, first_group: NONE, last_group: NONE, len });
        let resources = &self.resources;
        self.resource_index.insert_unique(hash, index, |&index| resources[index as usize].hash);
        index
    }

    /// Adds `bytes` of the arena to the end of the group's chain, as a part of its last piece if they follow it.
    fn chain(&mut self, group: GroupIndex, bytes: Range<usize>) {
        let next = index_of_next(&self.pieces);
        let group = &mut self.groups[group.0 as usize];
        match self.pieces.get_mut(group.last_piece as usize) {
            Some(last) if last.bytes.end == bytes.start => {
                last.bytes.end = bytes.end;
                return;
            }
            Some(last) => last.next = next,
            None => group.first_piece = next,
        }
        group.last_piece = next;
        self.pieces.push(Piece { bytes, next: NONE });
    }

    /// Adds `by` to the lengths of the group and of all around it. An envelope with its first span comes into being.
    fn lengthen(&mut self, index: GroupIndex, by: usize) {
        let group = &mut self.groups[index.0 as usize];
        let resource = &mut self.resources[group.resource as usize];
        let group_is_new = group.len == group.header.len();
        let before = if group_is_new { 0 } else { field_len(group.len) };
        group.len += by;
        let by = field_len(group.len) - before;
        let before = if resource.first_group == NONE { 0 } else { field_len(resource.len) };
        resource.len += by;
        self.encoded_len += field_len(resource.len) - before;
        if group_is_new {
            self.join(index);
        }
    }

    /// Adds a group that has got its first span to its resource.
    fn join(&mut self, index: GroupIndex) {
        let resource = &mut self.resources[self.groups[index.0 as usize].resource as usize];
        let last = std::mem::replace(&mut resource.last_group, index.0);
        match self.groups.get_mut(last as usize) {
            Some(last) => last.next = index.0,
            None => resource.first_group = index.0,
        }
    }

    fn write_resource(&self, resource: &Resource, out: &mut Vec<u8>) {
        let mut next = resource.first_group;
        if next == NONE {
            return;
        }
        put_tag(out, RESOURCE_SPANS, WireType::Len);
        put_varint(out, resource.len as u64);
        out.extend_from_slice(&self.headers[resource.header.clone()]);
        while let Some(group) = self.groups.get(next as usize) {
            put_tag(out, SCOPE_SPANS, WireType::Len);
            put_varint(out, group.len as u64);
            out.extend_from_slice(&self.headers[group.header.clone()]);
            self.write_pieces(group.first_piece, out);
            next = group.next;
        }
    }

    fn write_pieces(&self, first: u32, out: &mut Vec<u8>) {
        let mut next = first;
        while let Some(piece) = self.pieces.get(next as usize) {
            out.extend_from_slice(&self.arena[piece.bytes.clone()]);
            next = piece.next;
        }
    }

    fn clear(&mut self) {
        self.resources.clear();
        self.groups.clear();
        self.resource_index.clear();
        self.group_index.clear();
        self.headers.clear();
        self.arena.clear();
        self.pieces.clear();
        self.encoded_len = 0;
        self.spans = 0;
    }
}

/// Length of a length-delimited field whose key takes one byte.
fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

fn append(bytes: &mut Vec<u8>, more: &[u8]) -> Range<usize> {
    let start = bytes.len();
    bytes.extend_from_slice(more);
    start..bytes.len()
}

/// # Panics
/// With more than four billion records; batches are limited to far fewer.
fn index_of_next<T>(records: &[T]) -> u32 {
    u32::try_from(records.len()).ok().filter(|index| *index != NONE).expect("fewer than 2³² records in a batch")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_only_what_has_spans() {
        let mut builder = Builder::new();
        assert!(builder.finish().is_empty());
        let unused = builder.group(b"\x1a\x01r", b"\x1a\x01s");
        assert_eq!((builder.encoded_len(), builder.finish()), (0, Vec::new()));

        let first = builder.group(b"\x1a\x01r", b"\x1a\x01s");
        assert_eq!((unused, first), (GroupIndex(0), builder.group(b"\x1a\x01r", b"\x1a\x01s")), "indices begin anew");
        let second = builder.group(b"\x1a\x01r", b"");
        builder.push(second, b"two");
        builder.push(first, b"one");
        builder.push(second, b"");
        assert_eq!(builder.spans(), 3);
        let expected = b"\x0a\x16\x1a\x01r\x12\x07\x12\x03two\x12\x00\x12\x08\x1a\x01s\x12\x03one";
        assert_eq!(builder.encoded_len(), expected.len());
        assert_eq!(builder.finish(), expected);
    }
}
