//! `sending_queue`: otelcol's settings, and what Tailrace makes of them.
//!
//! Tailrace does not count waiting requests: the byte budget of the process bounds what waits, and a full budget refuses
//! intake, so that nothing accepted is lost. Only where the user *wrote* `block_on_overflow: false` does a queue drop what
//! comes above `queue_size`, as otelcol would. Hence the `Option`: it tells what was written from what is a default.

use std::time::Duration;

use settings::{Decode, Fields, Node, Problems};

use crate::client;

/// `sending_queue`.
#[derive(Clone, PartialEq, Debug, settings::Documented)]
pub struct QueueSettings {
    /// Whether there is a queue. Without one, one request at a time is on its way.
    pub enabled: bool,
    /// How many requests may be on their way at once.
    pub num_consumers: usize,
    /// How much may wait, in units of `sizer`, where `block_on_overflow: false` was written.
    pub queue_size: u64,
    /// What `queue_size` counts.
    pub sizer: Sizer,
    /// otelcol: the sender waits for the answer. Here acknowledgements never wait for a destination; kept to be printed.
    pub wait_for_result: bool,
    /// The extension that would keep the queue over a restart. The queue is in memory; kept to be printed.
    pub storage: Option<String>,
    /// What happens above `queue_size`: `Some(false)` drops, anything else fills the budget.
    pub block_on_overflow: Option<bool>,
    /// How requests are put together and cut, where that was written.
    pub batch: Option<BatchSettings>,
}

/// What a size counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sizer {
    /// Requests.
    Requests,
    /// Spans, data points or log records.
    Items,
    /// Bytes, uncompressed.
    Bytes,
}

/// `sending_queue.batch`.
#[derive(Clone, PartialEq, Debug, settings::Documented)]
pub struct BatchSettings {
    /// Send what there is after this.
    pub flush_timeout: Duration,
    /// Send as soon as there is this much.
    pub min_size: u64,
    /// Never send more than this; zero is no limit.
    pub max_size: u64,
    /// What the sizes count.
    pub sizer: Sizer,
    /// Which requests may not be put together.
    pub partition: PartitionSettings,
}

/// `sending_queue.batch.partition`.
#[derive(Clone, PartialEq, Debug, Default, settings::Documented)]
pub struct PartitionSettings {
    /// Metadata keys: requests of clients that differ in their values stay apart, and know no more of their clients once
    /// several have been put together.
    pub metadata_keys: Vec<String>,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            wait_for_result: false,
            storage: None,
            block_on_overflow: None,
            batch: None,
        }
    }
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            flush_timeout: Duration::from_millis(200),
            min_size: 8192,
            max_size: 0,
            sizer: Sizer::Items,
            partition: PartitionSettings::default(),
        }
    }
}

impl QueueSettings {
    /// How many requests may be on their way at once: one where there is no queue.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        if self.enabled { self.num_consumers.max(1) } else { 1 }
    }

    /// How much may wait before newcomers are dropped: only where the user wrote that they shall be.
    #[must_use]
    pub fn drops_above(&self) -> Option<u64> {
        (self.enabled && self.block_on_overflow == Some(false)).then_some(self.queue_size)
    }

    /// Takes `sending_queue` out of an exporter's map.
    pub(super) fn take(fields: &mut Fields<'_>, p: &mut Problems) -> Self {
        let node = fields.node("sending_queue").filter(|node| !node.is_absent());
        node.and_then(|node| p.within("sending_queue", |p| Self::decode(node, p))).unwrap_or_default()
    }

    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("sending_queue", p)?;
        fields.describe::<Self>();
        let defaults = Self::default();
        let written_sizer = sizer(&mut fields, p);
        fields.defaults_to("sizer", defaults.sizer.name());
        let queue = Self {
            enabled: fields.take("enabled", defaults.enabled, p),
            num_consumers: positive(&mut fields, "num_consumers", defaults.num_consumers as u64, p) as usize,
            queue_size: positive(&mut fields, "queue_size", defaults.queue_size, p),
            sizer: written_sizer.unwrap_or(defaults.sizer),
            wait_for_result: fields.take("wait_for_result", defaults.wait_for_result, p),
            storage: fields.optional::<String>("storage", p).filter(|name| !name.is_empty()),
            block_on_overflow: fields.optional("block_on_overflow", p),
            // Without a value it is switched on all the same.
            batch: fields.node("batch").and_then(|node| batch(node, written_sizer, p)),
        };
        fields.finish(p);
        queue.tell_differences(node, p);
        if let Some(batch) = queue.batch.as_ref().filter(|batch| batch.sizer == queue.sizer)
            && batch.min_size > queue.queue_size
        {
            let at = node.lookup("batch").map_or(node.at, |batch| batch.lookup("min_size").unwrap_or(batch).at);
            let message = format!("`min_size` {} is above `queue_size` {}", batch.min_size, queue.queue_size);
            p.error(&at, message, "lower it, or raise `queue_size`".to_owned());
        }
        Some(queue)
    }

    /// What is taken and acts otherwise than in otelcol.
    fn tell_differences(&self, node: &Node, p: &mut Problems) {
        let at = |key: &str| node.lookup(key).map_or(node.at, |node| node.at);
        if self.wait_for_result && self.storage.is_some() {
            p.error(
                &at("storage"),
                "`wait_for_result` and `storage` exclude each other",
                "remove one of them".to_owned(),
            );
        }
        if let Some(name) = &self.storage {
            let message = format!("`storage: {name}` has no effect, for the queue is in memory in this version");
            let help = "remove it to silence this; what waits when the process is killed is lost";
            p.warning(&at("storage"), message, help.to_owned());
        }
        if self.wait_for_result {
            let message = "`wait_for_result` has no effect: requests are acknowledged before they are sent on";
            p.warning(&at("wait_for_result"), message, "remove it to silence this".to_owned());
        }
    }

    /// All settings, as otelcol prints them; where there is no queue, nothing.
    pub(super) fn effective(&self) -> Node {
        if !self.enabled {
            return Node::null();
        }
        Node::map_of([
            ("batch", self.batch.as_ref().map_or_else(Node::null, |batch| batch.effective(self.sizer))),
            ("block_on_overflow", self.block_on_overflow.unwrap_or(false).into()),
            ("num_consumers", self.num_consumers.into()),
            ("queue_size", self.queue_size.into()),
            ("sizer", self.sizer.effective()),
            ("storage", Node::or_null(self.storage.as_deref())),
            ("wait_for_result", self.wait_for_result.into()),
        ])
    }
}

impl BatchSettings {
    fn effective(&self, queue_sizer: Sizer) -> Node {
        let implied = if queue_sizer == Sizer::Requests { Sizer::Items } else { queue_sizer };
        let sizer = if self.sizer == implied { Node::map_of::<String>([]) } else { self.sizer.effective() };
        Node::map_of([
            ("flush_timeout", self.flush_timeout.into()),
            ("max_size", self.max_size.into()),
            ("min_size", self.min_size.into()),
            ("partition", Node::map_of([("metadata_keys", Node::list_of(&self.partition.metadata_keys))])),
            ("sizer", sizer),
        ])
    }
}

impl Decode for PartitionSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("partition", p)?;
        fields.describe::<Self>();
        let partition = Self { metadata_keys: client::take_keys(&mut fields, p) };
        fields.finish(p);
        Some(partition)
    }
}

impl Sizer {
    fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Items => "items",
            Self::Bytes => "bytes",
        }
    }

    /// otelcol prints `{}` for whatever it is; we do for the default.
    fn effective(self) -> Node {
        match self {
            Self::Requests => Node::map_of::<String>([]),
            other => other.name().into(),
        }
    }
}

fn batch(node: &Node, queue_sizer: Option<Sizer>, p: &mut Problems) -> Option<BatchSettings> {
    let mut fields = node.map("batch", p)?;
    fields.describe::<BatchSettings>();
    fields.defaults_to("sizer", Sizer::Items.name());
    let defaults = BatchSettings::default();
    let batch = BatchSettings {
        flush_timeout: fields.take("flush_timeout", defaults.flush_timeout, p),
        min_size: fields.take("min_size", defaults.min_size, p),
        max_size: fields.take("max_size", defaults.max_size, p),
        sizer: sizer(&mut fields, p).or(queue_sizer).unwrap_or(defaults.sizer),
        partition: fields.take("partition", defaults.partition, p),
    };
    fields.finish(p);
    let is_low = batch.max_size > 0 && batch.max_size < batch.min_size;
    for (wrong, key, message, help) in [
        (batch.flush_timeout.is_zero(), "flush_timeout", "`flush_timeout` must be above 0", "remove it for `200ms`"),
        (
            is_low,
            "max_size",
            "`max_size` is below `min_size`",
            "raise it, or lower `min_size`, which is 8192 by default",
        ),
        (
            batch.sizer == Sizer::Requests,
            "sizer",
            "a `batch` cannot be sized by `requests`",
            "write `sizer: items` or `sizer: bytes` in `batch`",
        ),
    ] {
        if wrong {
            let at = node.lookup(key).map_or(node.at, |node| node.at);
            p.error(&at, message, help.to_owned());
        }
    }
    Some(batch)
}

fn sizer(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Sizer> {
    // An empty map is how otelcol's `print-config` writes its sizers.
    let printed = |node: &Node| matches!(&node.value, settings::Value::Map(entries) if entries.is_empty());
    let known = [Sizer::Requests, Sizer::Items, Sizer::Bytes];
    fields.words("sizer", &known.map(Sizer::name));
    let node = fields.node("sizer").filter(|node| !node.is_absent() && !printed(node))?;
    let text = p.within("sizer", |p| node.text(p))?;
    let found = known.into_iter().find(|sizer| sizer.name() == text);
    if found.is_none() {
        p.error(&node.at, format!("unknown sizer `{text}`"), "write `requests`, `items` or `bytes`".to_owned());
    }
    found
}

/// A number above 0.
fn positive(fields: &mut Fields<'_>, key: &str, default: u64, p: &mut Problems) -> u64 {
    fields.defaults_to(key, default);
    let Some(number) = fields.optional::<u32>(key, p).map(u64::from) else { return default };
    if number == 0 {
        let at = fields.node(key).map_or(fields.at(), |node| node.at);
        let help = format!("write a larger number, or remove it for {default}; `enabled: false` turns the queue off");
        p.error(&at, format!("`{key}` must be above 0"), help);
    }
    number
}
