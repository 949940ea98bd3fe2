//! `terminal`: shows kept traces as waterfalls, for the first minutes with Tailrace and for looking at a test's traces.

use std::time::Duration;

use settings::{Decode, Node, Problems, one_of};

/// Settings of the `terminal` exporter, which otelcol does not have.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Terminal {
    /// Whether colours are used.
    pub(crate) color: Color,
    /// Columns to fill; zero is as many as the terminal has.
    pub(crate) width: u32,
    /// Spans shown of one trace.
    pub(crate) spans_max: u32,
    /// Waterfalls shown a second; more are only counted.
    pub(crate) traces_per_second: u32,
    /// How often the summary is shown; zero is only at the end.
    pub(crate) summary_interval: Duration,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    /// If the output is a terminal and `NO_COLOR` is not set.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

impl Default for Terminal {
    fn default() -> Terminal {
        let summary_interval = Duration::from_secs(10);
        Terminal { color: Color::Auto, width: 0, spans_max: 40, traces_per_second: 2, summary_interval }
    }
}

impl Decode for Terminal {
    fn decode(node: &Node, p: &mut Problems) -> Option<Terminal> {
        let default = Terminal::default();
        let mut fields = node.map("terminal", p)?;
        fields.describe::<Self>();
        let terminal = Terminal {
            color: fields.take("color", default.color, p),
            width: fields.take("width", default.width, p),
            spans_max: fields.take("spans_max", default.spans_max, p),
            traces_per_second: fields.take("traces_per_second", default.traces_per_second, p),
            summary_interval: fields.take("summary_interval", default.summary_interval, p),
        };
        fields.finish(p);
        Some(terminal)
    }
}

impl Decode for Color {
    fn shown(&self) -> Option<Node> {
        Some(self.name().into())
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Color> {
        one_of(node, "color mode", &[("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)], p)
    }
}

impl Color {
    fn name(self) -> &'static str {
        match self {
            Color::Auto => "auto",
            Color::Always => "always",
            Color::Never => "never",
        }
    }
}

impl Terminal {
    /// All settings.
    pub(crate) fn effective(&self) -> Node {
        Node::map_of([
            ("color", Node::from(self.color.name())),
            ("spans_max", self.spans_max.into()),
            ("summary_interval", self.summary_interval.into()),
            ("traces_per_second", self.traces_per_second.into()),
            ("width", self.width.into()),
        ])
    }
}
