//! A request taken apart into resources, scopes and items, each borrowed until a statement changes it, and put together
//! again.
//!
//! ```text
//!  Tree ─► Part: header (ResourceSpans without scopes) ─► Scope: header (ScopeSpans without items) ─► items
//! ```
//! What did not change is written as it came, as a whole; of what did, the header comes first.

mod pieces;

use super::{Run, group::Group};
use crate::{
    Broken,
    walk::{ITEM, RESOURCE_PART, SCOPE_PART},
};
use otlp::{
    view::MetricView,
    wire::{WireError, put_len},
};
use ottl::{Context, Draft};
use pieces::{Pieces, with_pieces};
use std::borrow::Cow;

/// A request.
pub(super) struct Tree<'a> {
    pieces: Pieces<'a>,
    parts: Vec<Part<'a>>,
}

/// What came from a resource.
struct Part<'a> {
    source: &'a [u8],
    header: Cow<'a, [u8]>,
    scopes: Vec<Scope<'a>>,
    is_changed: bool,
}

/// What came from a scope.
struct Scope<'a> {
    source: &'a [u8],
    header: Cow<'a, [u8]>,
    items: Vec<Cow<'a, [u8]>>,
    is_changed: bool,
}

/// What a group changed.
struct Changes {
    resource: Option<Vec<u8>>,
    scope: Option<Vec<u8>>,
    item: Option<Vec<u8>>,
    part: Option<Vec<u8>>,
}

impl<'a> Tree<'a> {
    pub(super) fn parse(request: &'a [u8]) -> Result<Self, WireError> {
        let pieces = Pieces::new(request, RESOURCE_PART)?;
        let parts = pieces.bodies().map(Part::parse).collect::<Result<_, _>>()?;
        Ok(Self { pieces, parts })
    }

    /// Executes a group for all its records.
    pub(super) fn execute(&mut self, group: &Group, run: &mut Run<'_>) -> Result<(), Broken> {
        self.parts.iter_mut().try_for_each(|part| part.execute(group, run))
    }

    /// The request, if something has changed.
    pub(super) fn write(self) -> Option<Vec<u8>> {
        if !self.parts.iter().any(|part| part.is_changed) {
            return None;
        }
        let mut parts = self.parts.iter();
        Some(self.pieces.write(RESOURCE_PART, |out| {
            if let Some(part) = parts.next() {
                put_len(out, RESOURCE_PART, &part.write());
            }
        }))
    }
}

impl<'a> Part<'a> {
    fn parse(source: &'a [u8]) -> Result<Self, WireError> {
        let pieces = Pieces::new(source, SCOPE_PART)?;
        let scopes = pieces.bodies().map(Scope::parse).collect::<Result<_, _>>()?;
        Ok(Self { source, header: pieces.header(), scopes, is_changed: false })
    }

    fn execute(&mut self, group: &Group, run: &mut Run<'_>) -> Result<(), Broken> {
        if group.context() == Context::Resource {
            let resource = Cow::Borrowed(&*self.header);
            let mut draft = Draft { resource, client: run.client, ..Draft::default() };
            group.execute(&mut draft, run)?;
            let changes = Changes::of(draft);
            self.store(changes.resource);
            return Ok(());
        }
        for index in 0..self.scopes.len() {
            self.execute_in_scope(index, group, run)?;
        }
        Ok(())
    }

    fn execute_in_scope(&mut self, index: usize, group: &Group, run: &mut Run<'_>) -> Result<(), Broken> {
        let Some(scope) = self.scopes.get_mut(index) else { return Ok(()) };
        let mut resource = Cow::Borrowed(&*self.header);
        match group.context() {
            Context::Resource => {}
            Context::Scope => scope.edit(None, None, &mut resource, group, run).map(drop)?,
            Context::Span | Context::Metric | Context::Log => {
                for item in 0..scope.items.len() {
                    scope.edit(Some(item), None, &mut resource, group, run)?;
                }
            }
            Context::SpanEvent => {
                for item in 0..scope.items.len() {
                    scope.edit_events(item, &mut resource, group, run)?;
                }
            }
            Context::DataPoint => {
                for item in 0..scope.items.len() {
                    scope.edit_points(item, &mut resource, group, run)?;
                }
            }
        }
        self.is_changed |= scope.is_changed;
        let changed = if let Cow::Owned(resource) = resource { Some(resource) } else { None };
        self.store(changed);
        Ok(())
    }

    fn store(&mut self, header: Option<Vec<u8>>) {
        if let Some(header) = header {
            self.header = Cow::Owned(header);
            self.is_changed = true;
        }
    }

    fn write(&self) -> Cow<'_, [u8]> {
        if !self.is_changed {
            return Cow::Borrowed(self.source);
        }
        let mut out = Vec::with_capacity(self.source.len() + self.header.len());
        out.extend_from_slice(&self.header);
        self.scopes.iter().for_each(|scope| put_len(&mut out, SCOPE_PART, &scope.write()));
        Cow::Owned(out)
    }
}

impl<'a> Scope<'a> {
    fn parse(source: &'a [u8]) -> Result<Self, WireError> {
        let pieces = Pieces::new(source, ITEM)?;
        let items = pieces.bodies().map(Cow::Borrowed).collect();
        Ok(Self { source, header: pieces.header(), items, is_changed: false })
    }

    /// Executes a group for the scope, an item or a part of one, and gives the part if that changed.
    fn edit(
        &mut self,
        item: Option<usize>,
        part: Option<&[u8]>,
        resource: &mut Cow<'_, [u8]>,
        group: &Group,
        run: &mut Run<'_>,
    ) -> Result<Option<Vec<u8>>, Broken> {
        let mut draft = Draft {
            resource: Cow::Borrowed(resource),
            scope: Cow::Borrowed(&self.header),
            item: Cow::Borrowed(item.and_then(|item| self.items.get(item)).map_or(&[], |item| &**item)),
            part: Cow::Borrowed(part.unwrap_or_default()),
            cache: Vec::new(),
            client: run.client,
        };
        group.execute(&mut draft, run)?;
        let changes = Changes::of(draft);
        if let Some(changed) = changes.resource {
            *resource = Cow::Owned(changed);
        }
        if let Some(changed) = changes.scope {
            self.header = Cow::Owned(changed);
            self.is_changed = true;
        }
        if let Some((changed, item)) = changes.item.zip(item) {
            self.store(item, changed);
        }
        Ok(changes.part)
    }

    fn store(&mut self, item: usize, changed: Vec<u8>) {
        if let Some(item) = self.items.get_mut(item) {
            *item = Cow::Owned(changed);
            self.is_changed = true;
        }
    }

    fn edit_events(
        &mut self,
        item: usize,
        resource: &mut Cow<'_, [u8]>,
        group: &Group,
        run: &mut Run<'_>,
    ) -> Result<(), Broken> {
        let Some(span) = self.items.get(item).cloned() else { return Ok(()) };
        let events = Pieces::new(&span, EVENTS)?;
        let mut edited = Vec::new();
        for (index, event) in events.bodies().enumerate() {
            if let Some(event) = self.edit(Some(item), Some(event), resource, group, run)? {
                edited.push((index, event));
            }
            let now = self.items.get(item).map_or(&[][..], |item| &**item);
            if Pieces::new(now, EVENTS)?.len() != events.len() {
                return Ok(());
            }
        }
        if let Some(now) = self.items.get(item).filter(|_| !edited.is_empty()) {
            let changed = with_pieces(now, EVENTS, &edited)?;
            self.store(item, changed);
        }
        Ok(())
    }

    fn edit_points(
        &mut self,
        item: usize,
        resource: &mut Cow<'_, [u8]>,
        group: &Group,
        run: &mut Run<'_>,
    ) -> Result<(), Broken> {
        let Some(metric) = self.items.get(item).cloned() else { return Ok(()) };
        let view = MetricView::parse(&metric)?;
        let points = Pieces::new(view.data, POINTS)?;
        let mut edited = Vec::new();
        for (index, point) in points.bodies().enumerate() {
            if let Some(point) = self.edit(Some(item), Some(point), resource, group, run)? {
                edited.push((index, point));
            }
            let now = self.items.get(item).map_or(&[][..], |item| &**item);
            if MetricView::parse(now)?.points().next().is_none() {
                return Ok(());
            }
        }
        if let Some((now, field)) = self.items.get(item).zip(view.kind.field()).filter(|_| !edited.is_empty()) {
            let data = with_pieces(MetricView::parse(now)?.data, POINTS, &edited)?;
            let last = Pieces::new(now, field)?.len().saturating_sub(1);
            let changed = with_pieces(now, field, &[(last, data)])?;
            self.store(item, changed);
        }
        Ok(())
    }

    fn write(&self) -> Cow<'_, [u8]> {
        if !self.is_changed {
            return Cow::Borrowed(self.source);
        }
        let mut out = Vec::with_capacity(self.source.len() + self.header.len());
        out.extend_from_slice(&self.header);
        self.items.iter().for_each(|item| put_len(&mut out, ITEM, item));
        Cow::Owned(out)
    }
}

impl Changes {
    fn of(draft: Draft<'_>) -> Self {
        let changed = |bytes: Cow<'_, [u8]>| if let Cow::Owned(bytes) = bytes { Some(bytes) } else { None };
        Self {
            resource: changed(draft.resource),
            scope: changed(draft.scope),
            item: changed(draft.item),
            part: changed(draft.part),
        }
    }
}

/// Field of a Span: its events.
const EVENTS: u32 = 11;

/// Field of a metric's data: its points.
const POINTS: u32 = 1;
