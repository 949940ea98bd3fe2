//! `tailrace:`, the one top-level key that otelcol does not have.

use std::time::Duration;

use settings::{Decode, Node, Problems};

use crate::pipeline::fail_point::FailPoint;

/// Settings of Tailrace itself. A file without them runs the same.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Own {
    /// The byte budget of the process in MiB; if none is written, 80 % of the memory that there is.
    pub(crate) memory_mib: Option<u64>,
    /// How long destinations may take to empty at the end.
    pub(crate) shutdown_grace: Duration,
    /// How long a verdict is remembered for late spans; if none is written, ten times the wait and at least ten minutes.
    pub(crate) decided_memory: Option<Duration>,
    /// Whether the configuration is read anew when one of its files changes, as SIGHUP has it.
    pub(crate) reload_on_change: bool,
    /// Whether the deciding policy's name is written into the scopes of kept spans, as otelcol's gate `recordpolicy` does.
    pub(crate) record_policy: bool,
    /// A fault that tests ask for; not in released builds.
    pub(crate) fail_point: FailPoint,
}

impl Default for Own {
    fn default() -> Own {
        Own {
            memory_mib: None,
            shutdown_grace: Duration::from_secs(20),
            decided_memory: None,
            reload_on_change: false,
            record_policy: false,
            fail_point: FailPoint::default(),
        }
    }
}

impl Decode for Own {
    fn decode(node: &Node, p: &mut Problems) -> Option<Own> {
        let default = Own::default();
        let mut fields = node.map("tailrace", p)?;
        fields.describe::<Self>();
        let own = Own {
            memory_mib: fields.optional("memory_mib", p),
            shutdown_grace: fields.take("shutdown_grace", default.shutdown_grace, p),
            decided_memory: fields.optional("decided_memory", p),
            reload_on_change: fields.take("reload_on_change", default.reload_on_change, p),
            record_policy: fields.take("record_policy", default.record_policy, p),
            fail_point: FailPoint::take(&mut fields, p),
        };
        // It is laid over the configuration before this is read.
        fields.describe_keys(&[(
            "meant",
            "What `print-config` says that other settings mean here; read back from there.",
        )]);
        fields.ignore(&["meant"]);
        if let Some(memory_mib) =
            own.memory_mib.filter(|memory_mib| !(MEMORY_MIB_MIN..MEMORY_MIB_MAX).contains(memory_mib))
        {
            let bound = match memory_mib < MEMORY_MIB_MIN {
                true => format!("at least {MEMORY_MIB_MIN}"),
                false => format!("below {MEMORY_MIB_MAX}"),
            };
            let at = fields.node("memory_mib").map_or(node.at, |node| node.at);
            p.error(
                &at,
                format!("`memory_mib` must be {bound}, found {memory_mib}"),
                "remove it for 80 % of the memory that there is".to_string(),
            );
        }
        fields.finish(p);
        Some(own)
    }
}

impl Own {
    /// All settings, and what is [meant](super::meant) by others.
    pub(crate) fn effective(&self, meant: Option<Node>) -> Node {
        let always = [
            ("decided_memory", Node::or_null(self.decided_memory)),
            ("memory_mib", Node::or_null(self.memory_mib)),
            ("record_policy", self.record_policy.into()),
            ("reload_on_change", self.reload_on_change.into()),
            ("shutdown_grace", self.shutdown_grace.into()),
        ];
        Node::map_of(always.into_iter().chain(meant.map(|meant| ("meant", meant))))
    }
}

/// Less does not hold one request of the largest size and its inflated copy.
const MEMORY_MIB_MIN: u64 = 64;

/// As many bytes do not fit in 64 bits.
const MEMORY_MIB_MAX: u64 = 1 << 40;
