//! The `terminal` exporter: kept traces as waterfalls on standard output, with the reason.
//!
//! It is for people, so it shows a few traces a second and counts the rest. A trace's note comes with or behind its last
//! span, so the last few batches are kept until their notes have come.

mod summary;

pub(crate) use summary::{Summary, Whys};

use crate::configuration::terminal::{Color, Terminal as Settings};
use bytes::Bytes;
use formats::waterfall::{OwnedSpan, Style, render};
use net::{
    BoxFuture,
    exporter::{Batch, Delivered, ExportError, Exporter, TraceNote},
};
use otlp::TraceId;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    io::{self, IsTerminal, Write},
    sync::Arc,
    time::{Duration, Instant},
};

/// Batches that are kept for notes to come; a slot rarely fills more than one.
const RECENT_MAX: usize = 4;
/// Columns where the terminal does not tell.
const WIDTH: usize = 100;

/// What the reason of spans ends with that came after their trace's verdict and followed it.
pub(crate) const LATE: &str = ", late";

/// Draws kept traces.
pub(crate) struct Terminal {
    style: Style,
    traces_per_second: u32,
    whys: Arc<Whys>,
    state: Mutex<State>,
}

struct State {
    recent: VecDeque<Bytes>,
    second: Instant,
    shown: u32,
    hidden: u64,
}

impl Terminal {
    /// Draws as `settings` say, and counts the reasons in `whys`.
    pub(crate) fn new(settings: &Settings, whys: Arc<Whys>) -> Self {
        let state = State { recent: VecDeque::new(), second: Instant::now(), shown: 0, hidden: 0 };
        let width = if settings.width == 0 { columns() } else { settings.width as usize };
        let colour = match settings.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        let style = Style { width, rows_max: settings.spans_max as usize, colour };
        Self { style, traces_per_second: settings.traces_per_second, whys, state: Mutex::new(state) }
    }

    fn show(&self, body: Bytes, notes: &[TraceNote]) -> String {
        let mut state = self.state.lock();
        state.recent.push_back(body);
        if state.recent.len() > RECENT_MAX {
            state.recent.pop_front();
        }
        if notes.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        for note in notes {
            if !note.late {
                self.whys.add(&note.policy);
            }
            if state.may_show(self.traces_per_second) {
                let hidden = state.take_hidden();
                text.push_str(&self.draw(&state.recent, note, hidden));
            }
        }
        state.recent.clear();
        text
    }

    fn draw(&self, recent: &VecDeque<Bytes>, note: &TraceNote, hidden: u64) -> String {
        let id = TraceId(note.trace_id);
        let spans: Vec<OwnedSpan> = recent.iter().flat_map(|body| OwnedSpan::collect(body, id)).collect();
        let skipped = match hidden {
            0 => String::new(),
            1 => "… 1 more kept trace, not shown\n\n".to_owned(),
            count => format!("… {count} more kept traces, not shown\n\n"),
        };
        format!("{skipped}{}\n", render(&spans, &note.why, &self.style))
    }
}

impl State {
    /// Zero traces a second is no limit: for demonstrations and tests.
    fn may_show(&mut self, traces_per_second: u32) -> bool {
        if self.second.elapsed() >= Duration::from_secs(1) {
            self.second = Instant::now();
            self.shown = 0;
        }
        let may = traces_per_second == 0 || self.shown < traces_per_second;
        if may {
            self.shown += 1;
        } else {
            self.hidden += 1;
        }
        may
    }

    fn take_hidden(&mut self) -> u64 {
        std::mem::take(&mut self.hidden)
    }
}

impl Exporter for Terminal {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async move {
            let text = self.show(body, &batch.notes);
            if !text.is_empty() {
                // A closed terminal is no reason to stop collecting, and a stopped one (Ctrl-S) none to stop receiving.
                let _ = tokio::task::block_in_place(|| io::stdout().write_all(text.as_bytes()));
            }
            Ok(Delivered::default())
        })
    }

    fn wants_notes(&self) -> bool {
        true
    }
}

fn columns() -> usize {
    std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(WIDTH)
}
