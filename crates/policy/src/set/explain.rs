//! A verdict in words: the policy's path, then what it saw, read again from the trace's spans.
//!
//! ```text
//! `slow`: 2 513 ms > 2 000 ms
//! `checkout › route`: `http.route` = /checkout in span `GET /checkout`
//! ```
//!
//! Each kind says in its own file what it saw; this is what it has to look at.

use super::{compile::Path, whole};
use crate::{
    attribute::{Condition, Owner},
    verdict::{Place, StoredSpan},
};
use otlp::{
    Value, pdata_size,
    view::{ResourceView, SpanView},
};

/// A trace that a policy sampled, dropped, or let pass because it did not sample.
pub(crate) struct Seen<'a> {
    /// Where the policy matched, if it did at a spot and that is still known.
    pub(crate) place: Option<Place>,
    /// Whether a `not` stands around the policy: it did not match, and that is the reason.
    pub(crate) is_opposite: bool,
    /// In arrival order.
    pub(crate) spans: Vec<StoredSpan<'a>>,
}

pub(super) fn explain(path: &Path, place: Option<Place>, spans: &mut dyn Iterator<Item = StoredSpan<'_>>) -> String {
    let saw = match &path.kind {
        Some(kind) => kind.explain(&Seen { place, is_opposite: path.is_opposite, spans: spans.collect() }),
        None => "every trace".to_string(),
    };
    let verb = if path.is_drop { "dropped by " } else { "" };
    format!("{verb}`{}`: {saw}", path.text)
}

impl<'a> Seen<'a> {
    /// The name of the span in which the policy matched, after `what`.
    pub(crate) fn in_span(&self, what: &str) -> String {
        match self.span_at(self.place) {
            Some(span) => format!("{what} in span `{}`", shown(span.name)),
            None => what.to_string(),
        }
    }

    /// The span at the place, or of which the resource matched.
    pub(crate) fn span_at(&self, place: Option<Place>) -> Option<SpanView<'a>> {
        self.stored_at(place?).and_then(|stored| SpanView::parse(stored.span).ok())
    }

    pub(crate) fn stored_at(&self, place: Place) -> Option<&StoredSpan<'a>> {
        self.spans.get((place.span as usize).checked_sub(1)?)
    }

    /// The spans that can be read.
    pub(crate) fn views(&self) -> impl Iterator<Item = SpanView<'a>> + '_ {
        self.spans.iter().filter_map(|stored| SpanView::parse(stored.span).ok())
    }

    /// The attribute that matched: its value and where it stands. `wanted` stands for it where the spans are not at hand.
    pub(crate) fn attribute(&self, key: &str, condition: &Condition, wanted: &str) -> String {
        let found = self.place.or_else(|| self.find(key, condition));
        let value = found.and_then(|place| self.value_at(place, key));
        let (Some(place), Some(value)) = (found, value) else { return format!("`{key}` {wanted}") };
        let value = shown_value(value);
        if place.on_resource {
            return format!("`{key}` = {value} in the resource");
        }
        let name = self.span_at(Some(place)).map_or_else(String::new, |span| shown(span.name));
        format!("`{key}` = {value} in span `{name}`")
    }

    fn value_at(&self, place: Place, key: &str) -> Option<Value<'a>> {
        let stored = self.stored_at(place)?;
        if place.on_resource {
            return whole::first(ResourceView::parse(stored.resource_header).ok()?.attributes(), key);
        }
        whole::first(SpanView::parse(stored.span).ok()?.attributes(), key)
    }

    /// The first place that matches.
    fn find(&self, key: &str, condition: &Condition) -> Option<Place> {
        let places =
            (1..).zip(&self.spans).flat_map(|(span, _)| [true, false].map(|on_resource| Place { span, on_resource }));
        let mut places = places.take(SEARCH_MAX);
        let mut cost = 0;
        places.find(|place| {
            let owner = if place.on_resource { Owner::Resource } else { Owner::Span };
            let Some(value) = self.value_at(*place, key) else { return false };
            cost += condition.cost(value);
            cost < SEARCH_COST_MAX && condition.matches(value, owner)
        })
    }

    /// The spans as one request, in bytes by pdata's rules.
    pub(crate) fn request_bytes(&self) -> usize {
        let pieces = self.spans.chunk_by(|one, two| one.resource_header == two.resource_header);
        let bytes = pieces.map(|piece| {
            let resource = piece.first().map_or(0, |first| pdata_size::resource(first.resource_header));
            let scopes = piece.chunk_by(|one, two| one.scope_header == two.scope_header).map(|scope| {
                let spans: usize = scope.iter().map(|stored| pdata_size::field(pdata_size::span(stored.span))).sum();
                let header = scope.first().map_or(0, |first| pdata_size::scope(first.scope_header));
                pdata_size::field(header + spans)
            });
            pdata_size::field(resource + scopes.sum::<usize>())
        });
        bytes.sum()
    }
}

/// Text from outside, cut to a readable length.
pub(crate) fn shown(text: &[u8]) -> String {
    let cut = text.get(..TEXT_BYTES_MAX).unwrap_or(text);
    let shown = String::from_utf8_lossy(cut).replace(char::is_control, " ");
    // A character that was cut in the middle is no loss.
    let shown = if cut.len() < text.len() { shown.trim_end_matches(char::REPLACEMENT_CHARACTER) } else { &shown };
    format!("{shown}{}", if cut.len() < text.len() { "…" } else { "" })
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_string() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `2 spans`, but `1 span`.
pub(crate) fn counted(number: i64, unit: &str) -> String {
    format!("{} {unit}{}", grouped(number), if number == 1 { "" } else { "s" })
}

fn shown_value(value: Value<'_>) -> String {
    match value {
        Value::Str(text) => shown(text),
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Double(double) => double.to_string(),
        Value::Empty => "nothing".to_string(),
        Value::Array(_) => "a list".to_string(),
        Value::Map(_) => "a map".to_string(),
        Value::Bytes(bytes) => counted(bytes.len() as i64, "byte"),
    }
}

const TEXT_BYTES_MAX: usize = 100;

/// Where a match is not remembered, it is looked for in so many places.
const SEARCH_MAX: usize = 2000;

/// And at so much cost, in about nanoseconds.
const SEARCH_COST_MAX: u64 = 1_000_000;
