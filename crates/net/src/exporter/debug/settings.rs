//! Settings of `debug` and of its old self `logging`: their meaning, defaults, YAML.

use settings::{Fields, Node, Problems};

use crate::exporter::QueueSettings;

/// Settings of a `debug` exporter.
#[derive(Clone, PartialEq, Debug, settings::Documented)]
pub struct DebugSettings {
    /// How much is said.
    pub verbosity: Verbosity,
    /// How many texts that are alike are told in each second before sampling begins.
    pub sampling_initial: u64,
    /// Of those after that, every so many-th is told; zero is none, one is all.
    pub sampling_thereafter: u64,
    /// Whether the text goes to the log.
    pub use_internal_logger: bool,
    /// Where it goes otherwise: `stdout`, `stderr` or files; none is the standard output.
    pub output_paths: Option<Vec<String>>,
    /// The queue, where one was written.
    #[key = "sending_queue"]
    pub queue: Option<QueueSettings>,
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verbosity {
    /// How much each request has.
    Basic,
    /// And a line for each item.
    Normal,
    /// And all that an item has.
    Detailed,
}

impl Default for DebugSettings {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Basic,
            sampling_initial: 2,
            sampling_thereafter: 1,
            use_internal_logger: true,
            output_paths: None,
            queue: None,
        }
    }
}

impl DebugSettings {
    /// Reads the settings of an exporter.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("debug", p)?;
        fields.describe::<Self>();
        let mut settings = Self::default();
        settings.verbosity = verbosity(&mut fields, settings.verbosity, p);
        settings.take_rest(fields, p);
        Some(settings)
    }

    /// Reads the settings of a `logging` exporter, which otelcol had before `debug`.
    pub fn decode_logging(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("logging", p)?;
        fields.describe::<Self>();
        fields.describe_keys(&[("loglevel", "`debug`, `info`, `warn` or `error`.")]);
        fields.old_spelling("loglevel", "`verbosity`");
        let mut settings = Self { verbosity: Verbosity::Normal, sampling_thereafter: 500, ..Self::default() };
        if let Some(node) = fields.node("loglevel").filter(|node| !node.is_absent()) {
            p.takes_words(node, ["debug", "info", "warn", "error"]);
            p.takes_any_case(node);
            settings.verbosity = match p.within("loglevel", |p| node.text(p))?.to_lowercase().as_str() {
                "debug" => Verbosity::Detailed,
                "info" => Verbosity::Normal,
                "warn" | "error" => Verbosity::Basic,
                other => {
                    p.error(
                        &node.at,
                        format!("unknown `loglevel` `{other}`"),
                        "write `verbosity: normal`, or `basic` or `detailed`".to_owned(),
                    );
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
        let at = fields.node("output_paths").filter(|node| !node.is_absent()).map(|node| node.at);
        self.output_paths = fields.optional("output_paths", p);
        if let (Some(at), Some(paths)) = (at, &self.output_paths) {
            if self.use_internal_logger {
                let help = "write `use_internal_logger: false`, or remove `output_paths`";
                p.error(&at, "`output_paths` has no effect while `use_internal_logger` is true", help.to_owned());
            } else if paths.is_empty() {
                p.error(&at, "`output_paths` must not be empty", "write `[stdout]`, or remove it".to_owned());
            }
        }
        fields.finish(p);
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let paths = self.output_paths.as_deref().unwrap_or_default();
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
    fields.words_in_any_case("verbosity", &["", "basic", "normal", "detailed"]);
    let word = match default {
        Verbosity::Basic => "basic",
        Verbosity::Normal => "normal",
        Verbosity::Detailed => "detailed",
    };
    fields.defaults_to("verbosity", word);
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
