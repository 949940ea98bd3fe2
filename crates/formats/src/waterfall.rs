//! One trace as a waterfall for the terminal.
//!
//! ```text
//! 4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /checkout  840 ms  31 spans  kept: errors
//!   shop · GET /checkout            ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━      840 ms
//!   ├─ shop · validate basket       ━                                    14.0 ms
//!   ├─ cart · GET /cart             ╺━━━━━━━━━━━━                         310 ms
//!   │  └─ cart · load items          ━━━━━━━━━━╸                          270 ms
//!   │     └─ db · × 24 SELECT item   ━━━━━━━━━━╸                       Σ 96.0 ms
//!   └─ payment · POST /charge                   ╺━━━━━━━━━━━━━━━━━━━      496 ms ✗
//!      ✗ card declined
//! ```
//!
//! Spans stand in tree order, children by start time. Siblings of the same service and name are one row from three on, and
//! their children are gathered with them, so that an N+1 query is one line at each level. Spans whose parent never came
//! stand under a line that says so. Names come from strangers: what could move the cursor, change colours or reverse the
//! text is escaped.
//!
//! Invariants: at most `rows_max` rows of spans, no line wider than `width` (the trace ID may force a narrow header over
//! it), no recursion however deep or circular the trace is.

mod bar;
mod paint;
mod text;
mod tree;

use bar::Scale;
use otlp::{TraceId, Value, view};
use paint::{Paint, Piece, cell, widths};
use text::{duration, safe};
use tree::{Entry, Node, Tree};

/// What the waterfall needs of a span.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OwnedSpan {
    /// The trace.
    pub trace_id: TraceId,
    /// The span's ID as sent.
    pub span_id: Vec<u8>,
    /// The parent's ID as sent; empty or all zero for a root.
    pub parent_span_id: Vec<u8>,
    /// `service.name` of the resource.
    pub service: String,
    /// The operation.
    pub name: String,
    /// Nanoseconds since the Unix epoch; 0 is unknown.
    pub start_ns: u64,
    /// Nanoseconds since the Unix epoch; 0 is unknown.
    pub end_ns: u64,
    /// Whether the status is an error.
    pub is_error: bool,
    /// The status message.
    pub message: String,
}

/// How to draw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Rows of spans.
    pub rows_max: usize,
    /// Whether to use ANSI colours.
    pub colour: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, rows_max: 40, colour: false }
    }
}

impl OwnedSpan {
    /// The spans of one trace in an OTLP request. Long texts are cut; a broken request yields what stands before the fault.
    #[must_use]
    pub fn collect(request: &[u8], trace_id: TraceId) -> Vec<Self> {
        let mut spans = Vec::new();
        for context in view::spans(request).map_while(Result::ok) {
            let span = context.span;
            if span.trace_id != trace_id.0 {
                continue;
            }
            let service = context.resource.attributes().filter(|(key, _)| *key == b"service.name").last();
            spans.push(Self {
                trace_id,
                span_id: span.span_id.into(),
                parent_span_id: span.parent_span_id.into(),
                service: cut(service.map_or(b"", |(_, value): (_, Value<'_>)| value.str_or_empty())),
                name: cut(span.name),
                start_ns: span.start_ns,
                end_ns: span.end_ns,
                is_error: span.status_code == STATUS_ERROR,
                message: cut(span.status_message),
            });
        }
        spans
    }

    fn is_root(&self) -> bool {
        self.parent_span_id.iter().all(|byte| *byte == 0)
    }

    /// Start and end, where both are known and in this order.
    fn period(&self) -> Option<(u64, u64)> {
        (self.start_ns != 0 && self.end_ns >= self.start_ns).then_some((self.start_ns, self.end_ns))
    }

    fn label(&self) -> (String, String) {
        let service = if self.service.is_empty() { "?".into() } else { safe(&self.service) };
        let name = if self.name.is_empty() { "(no name)".into() } else { safe(&self.name) };
        (service, name)
    }
}

/// Draws the spans of one trace and says why it was kept. Nothing for no spans.
#[must_use]
pub fn render(spans: &[OwnedSpan], why: &str, style: &Style) -> String {
    if spans.is_empty() {
        return String::new();
    }
    let width = style.width.max(WIDTH_MIN);
    let scale = Scale::of(spans);
    let mut rows = Vec::new();
    let mut rest = spans.len();
    let mut shown = 0;
    let mut tree = Tree::new(spans);
    while shown < style.rows_max.max(1) {
        let Some(entry) = tree.next() else { break };
        if let Entry::Node(node) = &entry {
            rest -= node.members.len();
            shown += 1;
        }
        rows.push(entry);
    }
    // A line that announces what is then cut off says nothing.
    while rows.pop_if(|entry| !matches!(entry, Entry::Node(_))).is_some() {}

    let mut out = header(spans, why, &scale, width, style.colour);
    let columns = Columns::of(&rows, spans, width);
    for entry in &rows {
        match entry {
            Entry::Node(node) => row(&mut out, node, spans, &scale, &columns, style.colour),
            Entry::Missing { parent } => note(&mut out, &format!("┄ parent {parent} never came"), width, style.colour),
            Entry::Circle => note(&mut out, "┄ parents form a circle", width, style.colour),
        }
    }
    if rest > 0 {
        note(&mut out, &format!("… {rest} more {}", plural(rest)), width, style.colour);
    }
    out
}

fn header(spans: &[OwnedSpan], why: &str, scale: &Scale, width: usize, colour: bool) -> String {
    let root = spans.iter().filter(|span| span.is_root()).min_by_key(|span| span.start_ns);
    let earliest = spans.iter().min_by_key(|span| span.start_ns);
    let (service, name) = root.or(earliest).map(OwnedSpan::label).unwrap_or_default();
    let lost = if root.is_none() { ", no root" } else { "" };
    let trace_id = spans.first().map(|span| span.trace_id).unwrap_or_default().to_string();
    let facts = format!("  {}  {} {}{lost}  ", scale.total(), spans.len(), plural(spans.len()));
    let why = if why.is_empty() { "kept".into() } else { format!("kept: {}", safe(why)) };
    let label = [
        Piece { paint: Paint::service(&service), text: &service },
        Piece { paint: Paint::Dim, text: " · " },
        Piece { paint: Paint::Bold, text: &name },
    ];
    let wanted: usize = label.iter().map(|piece| widths(piece.text)).sum();
    let others = trace_id.len() + 2 + widths(&facts);
    // A long reason would leave no room for what the trace is about.
    let is_apart = widths(&why) > WHY_BESIDE_MAX && others + wanted + widths(&why) > width;
    let beside = if is_apart { 0 } else { widths(&why) };
    let label_width = width.saturating_sub(others + beside).max(LABEL_MIN).min(wanted);
    let mut out = String::new();
    cell(&mut out, &[Piece { paint: Paint::Dim, text: &trace_id }], trace_id.len(), colour);
    out.push_str("  ");
    cell(&mut out, &label, label_width, colour);
    let mut room = width.saturating_sub(others + label_width).max(LABEL_MIN);
    if is_apart {
        out.push_str(facts.trim_end());
        out.push('\n');
        out.push_str(MARGIN);
        room = width - MARGIN.len();
    } else {
        out.push_str(&facts);
    }
    cell(&mut out, &[Piece { paint: Paint::Bold, text: &why }], widths(&why).min(room), colour);
    out.push('\n');
    out
}

/// Widths of the columns; what the labels do not need goes to the bars.
struct Columns {
    width: usize,
    label: usize,
    bar: usize,
}

impl Columns {
    fn of(rows: &[Entry], spans: &[OwnedSpan], width: usize) -> Self {
        let room = width - MARGIN.len() - GAP.len() - 1 - DURATION_WIDTH - 2;
        let widest = rows.iter().map(|entry| match entry {
            Entry::Node(node) => Label::of(node, spans).width(),
            _ => 0,
        });
        let label = widest.max().unwrap_or(0).clamp(LABEL_MIN, room / 2);
        Self { width, label, bar: room - label }
    }
}

/// The first column of a row.
struct Label<'a> {
    lead: &'a str,
    service: String,
    times: String,
    name: String,
}

impl<'a> Label<'a> {
    fn of(node: &'a Node, spans: &[OwnedSpan]) -> Self {
        let (service, name) =
            node.members.first().and_then(|index| spans.get(*index)).map(OwnedSpan::label).unwrap_or_default();
        let times = if node.members.len() > 1 { format!("× {} ", node.members.len()) } else { String::new() };
        Self { lead: &node.lead, service, times, name }
    }

    fn width(&self) -> usize {
        widths(self.lead) + widths(&self.service) + 3 + widths(&self.times) + widths(&self.name)
    }

    fn pieces(&self) -> [Piece<'_>; 5] {
        [
            Piece { paint: Paint::Dim, text: self.lead },
            Piece { paint: Paint::service(&self.service), text: &self.service },
            Piece { paint: Paint::Dim, text: " · " },
            Piece { paint: Paint::Bold, text: &self.times },
            Piece { paint: Paint::Plain, text: &self.name },
        ]
    }
}

fn row(out: &mut String, node: &Node, spans: &[OwnedSpan], scale: &Scale, columns: &Columns, colour: bool) {
    let members = || node.members.iter().filter_map(|index| spans.get(*index));
    let label = Label::of(node, spans);
    let failed = members().filter(|span| span.is_error).count();
    let paint = if failed > 0 { Paint::Error } else { Paint::service(&label.service) };
    let bar = scale.bar(members().filter_map(OwnedSpan::period), columns.bar);
    let took = took(members());

    out.push_str(MARGIN);
    cell(out, &label.pieces(), columns.label, colour);
    out.push_str(GAP);
    cell(out, &[Piece { paint, text: &bar }], columns.bar, colour);
    out.push(' ');
    out.extend(std::iter::repeat_n(' ', DURATION_WIDTH.saturating_sub(widths(&took))));
    out.push_str(&took);
    if failed > 0 {
        out.push(' ');
        cell(out, &[Piece { paint: Paint::Error, text: "✗" }], 1, colour);
    }
    out.push('\n');

    let message = members().find(|span| span.is_error && !span.message.is_empty()).map(|span| safe(&span.message));
    let is_one = node.members.len() == 1;
    let text = match message {
        _ if failed == 0 => return,
        None if is_one => return,
        Some(message) if is_one => message,
        None => format!("{failed} of {} failed", node.members.len()),
        Some(message) => format!("{failed} of {} failed: {message}", node.members.len()),
    };
    out.push_str(MARGIN);
    let room = columns.width - MARGIN.len();
    let pieces = [
        Piece { paint: Paint::Dim, text: &node.below },
        Piece { paint: Paint::Error, text: "✗ " },
        Piece { paint: Paint::Error, text: &text },
    ];
    let needed: usize = pieces.iter().map(|piece| widths(piece.text)).sum();
    cell(out, &pieces, needed.min(room), colour);
    out.push('\n');
}

/// The duration of one span, or the sum of several.
fn took<'a>(members: impl Iterator<Item = &'a OwnedSpan>) -> String {
    let mut count = 0;
    let mut sum_ns = None;
    for span in members {
        count += 1;
        if let Some((start_ns, end_ns)) = span.period() {
            sum_ns = Some(sum_ns.unwrap_or(0u64).saturating_add(end_ns - start_ns));
        }
    }
    match sum_ns {
        None => "?".into(),
        Some(ns) if count > 1 => format!("Σ {}", duration(ns)),
        Some(ns) => duration(ns),
    }
}

fn note(out: &mut String, text: &str, width: usize, colour: bool) {
    out.push_str(MARGIN);
    cell(out, &[Piece { paint: Paint::Dim, text }], widths(text).min(width - MARGIN.len()), colour);
    out.push('\n');
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "span" } else { "spans" }
}

/// The beginning of a text from outside.
fn cut(text: &[u8]) -> String {
    String::from_utf8_lossy(text.get(..TEXT_BYTES_MAX).unwrap_or(text)).into_owned()
}

const STATUS_ERROR: i32 = 2;
const MARGIN: &str = "  ";
const GAP: &str = "  ";
/// A reason of more columns than this gets a line of its own where the first one is full.
const WHY_BESIDE_MAX: usize = 24;
/// As wide as `Σ 59 m 59 s`.
const DURATION_WIDTH: usize = 11;
const LABEL_MIN: usize = 12;
/// Narrower than this nothing can be read; the terminal may wrap.
const WIDTH_MIN: usize = 50;
/// More of a name never fits on a line.
const TEXT_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests;
