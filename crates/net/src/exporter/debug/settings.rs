//! Settings of `debug` and of its old self `logging`: their meaning, defaults, YAML.

use settings::{Fields, Node, Problems};

use crate::exporter::{QueueSettings, refuse_unsupported};

/// Settings of a `debug` exporter.
#[derive(Clone, PartialEq, Debug)]
pub struct DebugSettings {
    /// How much is said.
    pub verbosity: Verbosity,
    /// How many batches are told in each second before sampling begins.
    pub sampling_initial: u64,
    /// Of those after that, every so many-th is told; zero is none, one is all.
    pub sampling_thereafter: u64,
    /// Whether lines go to the log.
    pub use_internal_logger: bool,
    /// Where they go otherwise.
    pub output: Output,
    /// The queue, where one was written.
    pub queue: Option<QueueSettings>,
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verbosity {
    /// A line for each batch.
    Basic,
    /// And one for each span.
    Normal,
    /// And all that a span has.
    Detailed,
}

/// A stream of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
}

impl Default for DebugSettings {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Basic,
            sampling_initial: 2,
            sampling_thereafter: 1,
            use_internal_logger: true,
            output: Output::Stdout,
            queue: None,
        }
    }
}

impl DebugSettings {
    /// Reads the settings of an exporter.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("debug", p)?;
        let mut settings = Self::default();
        settings.verbosity = verbosity(&mut fields, settings.verbosity, p);
        settings.take_rest(fields, p);
        Some(settings)
    }

    /// Reads the settings of a `logging` exporter, which otelcol had before `debug`.
    pub fn decode_logging(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("logging", p)?;
        let mut settings = Self { verbosity: Verbosity::Normal, sampling_thereafter: 500, ..Self::default() };
        if let Some(node) = fields.node("loglevel").filter(|node| !node.is_absent()) {
            settings.verbosity = match p.within("loglevel", |p| node.text(p))?.to_lowercase().as_str() {
                "debug" => Verbosity::Detailed,
                "info" => Verbosity::Normal,
                "warn" | "error" => Verbosity::Basic,
                other => {
                    p.error(&node.at, format!("unknown `loglevel` `{other}`"), "write `verbosity` instead".to_owned());
                    Verbosity::Normal
                }
            };
        }
        settings.verbosity = verbosity(&mut fields, settings.verbosity, p);
        settings.take_rest(fields, p);
        Some(settings)
    }

    fn take_rest(&mut self, mut fields: Fields<'_>, p: &mut Problems) {
        self.sampling_initial = fields.take("sampling_initial", self.sampling_initial, p);
        self.sampling_thereafter = fields.take("sampling_thereafter", self.sampling_thereafter, p);
        self.use_internal_logger = fields.take("use_internal_logger", self.use_internal_logger, p);
        if fields.node("sending_queue").is_some_and(|node| !node.is_absent()) {
            self.queue = Some(QueueSettings::take(&mut fields, p));
        }
        let paths: Vec<String> = fields.take("output_paths", Vec::new(), p);
        match paths.as_slice() {
            [] => {}
            [path] if path == "stdout" => self.output = Output::Stdout,
            [path] if path == "stderr" => self.output = Output::Stderr,
            _ => {
                let message = "`output_paths` with files is not supported by this version yet";
                p.error(&fields.at(), message, "write `[stdout]` or `[stderr]`".to_owned());
            }
        }
        refuse_unsupported(&mut fields, &["output"], p);
        fields.finish(p);
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let paths = match self.output {
            Output::Stderr => vec!["stderr"],
            Output::Stdout => Vec::new(),
        };
        let mut entries: Vec<(&str, Node)> = vec![
            ("output_paths", Node::list_of(paths)),
            ("sampling_initial", self.sampling_initial.into()),
            ("sampling_thereafter", self.sampling_thereafter.into()),
            ("sending_queue", self.queue.as_ref().map_or_else(Node::null, QueueSettings::effective)),
            ("use_internal_logger", self.use_internal_logger.into()),
        ];
        match self.verbosity {
            Verbosity::Basic => {}
            Verbosity::Normal => entries.push(("verbosity", "Normal".into())),
            Verbosity::Detailed => entries.push(("verbosity", "Detailed".into())),
        }
        Node::map_of(entries)
    }
}

fn verbosity(fields: &mut Fields<'_>, default: Verbosity, p: &mut Problems) -> Verbosity {
    let Some(node) = fields.node("verbosity").filter(|node| !node.is_absent()) else { return default };
    match p.within("verbosity", |p| node.text(p)).map(|text| text.to_lowercase()).as_deref() {
        Some("" | "basic") => Verbosity::Basic,
        Some("normal") => Verbosity::Normal,
        Some("detailed") => Verbosity::Detailed,
        None => default,
        Some(other) => {
            let help = "write `basic`, `normal` or `detailed`";
            p.error(&node.at, format!("unknown verbosity `{other}`"), help.to_owned());
            default
        }
    }
}
