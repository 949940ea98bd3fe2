//! The settings of `probabilistic_sampler`.

use super::threshold::{DIGITS_MAX, SHARE_MIN};
use settings::{Decode, Node, Problems, Severity, one_of};

/// Settings of a `probabilistic_sampler` processor.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct ProbabilisticSamplerSettings {
    /// Percentage of the items to keep; 100 and more keeps all of them.
    pub sampling_percentage: f32,
    /// Seed of the hash; processors with the same one choose the same traces.
    pub hash_seed: u32,
    /// `hash_seed`, `equalizing` or `proportional`; not written, it is `hash_seed`.
    pub mode: Mode,
    /// Whether items whose sampling cannot be decided are dropped, instead of kept.
    pub fail_closed: bool,
    /// Hexadecimal digits of the thresholds that are written, from 1 to 14.
    pub sampling_precision: i64,
    /// Of log records: what is hashed first, `traceID` or `record`.
    pub attribute_source: String,
    /// Of log records: the attribute that is hashed if there is no trace ID or `attribute_source` is `record`.
    pub from_attribute: String,
    /// Of log records: the attribute that has the percentage for this record.
    pub sampling_priority: String,
}

/// How items are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Not written: as `hash_seed`.
    #[default]
    Unset,
    /// By a hash of the trace ID.
    HashSeed,
    /// By the trace ID's randomness, all to the same probability.
    Equalizing,
    /// By the trace ID's randomness, a share of what arrives.
    Proportional,
}

const MODES: [(&str, Mode); 4] = [
    ("hash_seed", Mode::HashSeed),
    ("equalizing", Mode::Equalizing),
    ("proportional", Mode::Proportional),
    ("", Mode::Unset),
];

impl Default for ProbabilisticSamplerSettings {
    fn default() -> Self {
        Self {
            sampling_percentage: 0.0,
            hash_seed: 0,
            mode: Mode::Unset,
            fail_closed: true,
            sampling_precision: 4,
            attribute_source: "traceID".to_string(),
            from_attribute: String::new(),
            sampling_priority: String::new(),
        }
    }
}

impl Decode for Mode {
    const NULL_IS_ZERO: bool = true;

    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        one_of(node, "mode", &MODES, p)
    }
}

impl Decode for ProbabilisticSamplerSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let default = Self::default();
        let mut fields = node.map("probabilistic_sampler", p)?;
        fields.describe::<Self>();
        let settings = Self {
            sampling_percentage: fields.take("sampling_percentage", 0.0_f64, p) as f32,
            hash_seed: fields.take("hash_seed", 0, p),
            mode: fields.take("mode", default.mode, p),
            fail_closed: fields.take("fail_closed", default.fail_closed, p),
            sampling_precision: fields.take("sampling_precision", default.sampling_precision, p),
            attribute_source: fields.take("attribute_source", default.attribute_source, p),
            from_attribute: fields.take("from_attribute", String::new(), p),
            sampling_priority: fields.take("sampling_priority", String::new(), p),
        };
        fields.words("attribute_source", &["", "traceID", "record"]);
        fields.finish(p);
        let mut tell = |setting: &str, message: String, help: &str| {
            let at = node.lookup(setting).map_or(node.at, |node| node.at);
            p.error(&at, message, Some(help.to_string()).filter(|help| !help.is_empty()));
        };
        let share = f64::from(settings.sampling_percentage) / 100.0;
        let percentage = "write a percentage from 0 to 100";
        if !share.is_finite() || share < 0.0 {
            tell("sampling_percentage", "`sampling_percentage` must be a number, zero or more".to_string(), percentage);
        } else if share > 0.0 && share < SHARE_MIN {
            let message = "`sampling_percentage` is too small: one in 2⁵⁶ is the least".to_string();
            tell("sampling_percentage", message, "write 0 to drop everything");
        }
        if !matches!(settings.attribute_source.as_str(), "" | "traceID" | "record") {
            let message = format!("unknown `attribute_source` `{}`", settings.attribute_source);
            tell("attribute_source", message, "it is `traceID` or `record`");
        }
        if settings.sampling_precision == 0 || settings.sampling_precision > DIGITS_MAX {
            tell(
                "sampling_precision",
                "`sampling_precision` must be from 1 to 14 digits".to_string(),
                "remove it for 4",
            );
        }
        Some(settings).filter(|_| p.count(Severity::Error) == told)
    }
}

impl ProbabilisticSamplerSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let mode = MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("", |(name, _)| *name);
        // The shortest text of a 32-bit number is not that of the same number in 64 bits.
        let percentage = self.sampling_percentage.to_string().parse().unwrap_or(f64::from(self.sampling_percentage));
        Node::map_of([
            ("attribute_source", Node::from(&self.attribute_source)),
            ("fail_closed", self.fail_closed.into()),
            ("from_attribute", Node::from(&self.from_attribute)),
            ("hash_seed", u64::from(self.hash_seed).into()),
            ("mode", mode.into()),
            ("sampling_percentage", percentage.into()),
            ("sampling_precision", self.sampling_precision.into()),
            ("sampling_priority", Node::from(&self.sampling_priority)),
        ])
    }
}
