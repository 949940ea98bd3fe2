//! A pipeline's ID: its signal, and a name where a signal has several, as in `traces/sampled`.

use std::fmt;

use otlp::Signal;
use settings::{ComponentId, Location, Problems, suggest};

/// What a pipeline is called in a configuration. IDs order by signal, then by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PipelineId {
    /// What passes through it.
    pub(crate) signal: Signal,
    /// Its name, where the signal has more than one pipeline.
    pub(crate) name: Option<String>,
}

impl PipelineId {
    /// Reads an ID; what is wrong with it is told.
    pub(crate) fn parse(text: &str, at: &Location, p: &mut Problems) -> Option<PipelineId> {
        let ComponentId { kind, name } = ComponentId::parse(text, at, p)?;
        if let Some(signal) = Signal::ALL.into_iter().find(|signal| signal.name() == kind) {
            return Some(PipelineId { signal, name });
        }
        if kind == PROFILES {
            let help = "remove it, or choose other pipelines with `--pipelines`";
            p.error(at, format!("profiles are not supported, so the pipeline `{text}` cannot run"), help.to_string());
            return None;
        }
        let mut message = format!("unknown signal `{kind}` in the pipeline's ID `{text}`");
        if let Some(meant) = suggest(&kind, Signal::ALL.map(Signal::name)) {
            message.push_str(&format!(", did you mean `{meant}`?"));
        }
        let help = "a pipeline is called `traces`, `metrics` or `logs`, with a name behind it as in `traces/2`";
        p.error(at, message, help.to_string());
        None
    }
}

/// The signal that otelcol has besides, behind a gate.
const PROFILES: &str = "profiles";

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}/{name}", self.signal),
            None => write!(f, "{}", self.signal),
        }
    }
}
