//! How large the trace is by pdata's rules, kept while its pieces come; only where a policy or a setting asks.
//!
//! ```text
//! words:  [ bodies of all ResourceSpans: 2 ] [ tags and lengths of those that are over ] [ body of the last one ]
//!         [ body of its last ScopeSpans ] [ that one's group in the request, plus 1 ]
//! ```
//!
//! A piece is a ResourceSpans with this trace's spans alone. Its length prefixes depend on what has come of it so far, so
//! each span replaces what its scope and its resource counted before.

use crate::verdict::Piece;
use otlp::{
    pdata_size,
    scan::{Range, Span},
    wire::varint_len,
};

/// Words of state.
pub(super) const WORDS: usize = 6;

#[derive(Clone, Copy, Default)]
struct Size {
    bodies: u64,
    frames: u32,
    body: u32,
    scope: u32,
    group: u32,
}

/// A new piece begins.
pub(super) fn begin(state: &mut [u32], first: usize, piece: &Piece<'_>) {
    let Some(mut size) = Size::load(state, first) else { return };
    size.frames = size.frames.saturating_add(frame(size.body));
    (size.body, size.scope, size.group) = (0, 0, 0);
    let header = piece.scan.resource_header(piece.request, piece.resource);
    size.grow(narrow(pdata_size::resource(header)));
    size.store(state, first);
}

/// A span of the piece comes.
pub(super) fn add(state: &mut [u32], first: usize, piece: &Piece<'_>, span: &Span) {
    let Some(mut size) = Size::load(state, first) else { return };
    let Range { start, len } = span.body;
    let body = piece.request.get(start as usize..start as usize + len as usize).unwrap_or_default();
    let mut before = 0;
    if size.group == span.group + 1 {
        before = pdata_size::field(size.scope as usize);
    } else {
        size.group = span.group + 1;
        let header =
            piece.scan.groups.get(span.group as usize).map(|group| piece.scan.scope_header(piece.request, group));
        size.scope = narrow(pdata_size::scope(header.unwrap_or_default()));
    }
    size.scope = size.scope.saturating_add(narrow(pdata_size::field(pdata_size::span(body))));
    size.grow(narrow(pdata_size::field(size.scope as usize).saturating_sub(before)));
    size.store(state, first);
}

/// The bodies of all ResourceSpans.
pub(super) fn bodies_bytes(state: &[u32], first: usize) -> u64 {
    Size::load(state, first).unwrap_or_default().bodies
}

/// All ResourceSpans as one request, with their tags and lengths.
pub(super) fn request_bytes(state: &[u32], first: usize) -> u64 {
    let size = Size::load(state, first).unwrap_or_default();
    size.bodies + u64::from(size.frames) + u64::from(frame(size.body))
}

impl Size {
    fn load(state: &[u32], first: usize) -> Option<Self> {
        let [low, high, frames, body, scope, group] = *state.get(first..)?.first_chunk::<WORDS>()?;
        Some(Self { bodies: u64::from(high) << 32 | u64::from(low), frames, body, scope, group })
    }

    fn store(self, state: &mut [u32], first: usize) {
        if let Some(words) = state.get_mut(first..).and_then(|rest| rest.first_chunk_mut::<WORDS>()) {
            let (low, high) = (self.bodies as u32, (self.bodies >> 32) as u32);
            *words = [low, high, self.frames, self.body, self.scope, self.group];
        }
    }

    fn grow(&mut self, bytes: u32) {
        self.body = self.body.saturating_add(bytes);
        self.bodies = self.bodies.saturating_add(u64::from(bytes));
    }
}

/// Tag and length of a ResourceSpans; there is none without a body.
fn frame(body: u32) -> u32 {
    if body == 0 { 0 } else { 1 + varint_len(u64::from(body)) as u32 }
}

/// Requests are far below 4 GiB.
fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
