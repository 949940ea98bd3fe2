//! `batch`: how large the requests to the destinations should be.

use std::time::Duration;

use settings::{Decode, Node, Problems};

/// Settings of otelcol's `batch` processor.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Batch {
    /// A batch is sent when it is this old.
    pub(crate) timeout: Duration,
    /// A batch is sent when it has so many spans.
    pub(crate) send_batch_size: u32,
    /// No batch has more spans; zero is no limit.
    pub(crate) send_batch_max_size: u32,
    /// Metadata keys: batches of clients that differ in their values stay apart, and know no more of their clients.
    pub(crate) metadata_keys: Vec<String>,
    /// How many combinations of such values there may be, after which requests with others are refused; zero is 65,536.
    pub(crate) metadata_cardinality_limit: u32,
}

impl Decode for Batch {
    fn decode(node: &Node, p: &mut Problems) -> Option<Batch> {
        let mut fields = node.map("batch", p)?;
        fields.describe::<Self>();
        let batch = Batch {
            timeout: fields.take("timeout", Duration::from_millis(200), p),
            send_batch_size: fields.take("send_batch_size", 8192, p),
            send_batch_max_size: fields.take("send_batch_max_size", 0, p),
            metadata_keys: net::client::take_keys(&mut fields, p),
            metadata_cardinality_limit: fields.take("metadata_cardinality_limit", 1000, p),
        };
        if batch.send_batch_max_size > 0 && batch.send_batch_max_size < batch.send_batch_size {
            let at = fields.node("send_batch_max_size").map_or(node.at, |node| node.at);
            let (max, size) = (batch.send_batch_max_size, batch.send_batch_size);
            let help = "raise it, or lower `send_batch_size`, which is 8192 if not written";
            p.error(
                &at,
                format!("`send_batch_max_size` {max} is less than `send_batch_size` {size}"),
                help.to_string(),
            );
        }
        fields.finish(p);
        Some(batch)
    }
}

impl Batch {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        Node::map_of([
            ("metadata_cardinality_limit", self.metadata_cardinality_limit.into()),
            ("metadata_keys", Node::list_of(&self.metadata_keys)),
            ("send_batch_max_size", self.send_batch_max_size.into()),
            ("send_batch_size", self.send_batch_size.into()),
            ("timeout", self.timeout.into()),
        ])
    }
}
