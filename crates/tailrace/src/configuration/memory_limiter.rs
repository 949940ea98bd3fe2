//! `memory_limiter`: lowers the one byte budget of the process.
//!
//! otelcol measures its heap now and then and refuses in between; Tailrace counts every byte, so only the limit itself
//! means something here. The intervals are read, checked and printed as otelcol does, and otherwise have no effect.

use std::time::Duration;

use settings::{Decode, Fields, Node, Problems};

/// Settings of otelcol's `memory_limiter` processor.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct MemoryLimiter {
    /// The limit in MiB; zero means that the percentage decides.
    pub(crate) limit_mib: u32,
    /// The limit in percent of the memory that there is.
    pub(crate) limit_percentage: u32,
    /// How far below the limit the soft mark lies, in MiB.
    pub(crate) spike_limit_mib: u32,
    /// The same in percent.
    pub(crate) spike_limit_percentage: u32,
    /// How often otelcol measures its memory; here every byte is counted, so it only has to be above zero.
    check_interval: Duration,
    /// How often otelcol's garbage may be collected above the soft mark, at most; without effect.
    min_gc_interval_when_soft_limited: Duration,
    /// The same above the limit; without effect.
    min_gc_interval_when_hard_limited: Duration,
    /// How far apart otelcol's collections may come to lie above the soft mark; without effect.
    max_gc_interval_when_soft_limited: Duration,
    /// The same above the limit; without effect.
    max_gc_interval_when_hard_limited: Duration,
}

impl MemoryLimiter {
    /// The limit in bytes, of a machine or container with so much memory.
    pub(crate) fn limit_bytes(&self, memory_bytes: u64) -> u64 {
        match self.limit_mib {
            0 => (u128::from(memory_bytes) * u128::from(self.limit_percentage) / 100).try_into().unwrap_or(u64::MAX),
            limit_mib => u64::from(limit_mib) << 20,
        }
    }

    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        Node::map_of([
            ("check_interval", self.check_interval.into()),
            ("limit_mib", self.limit_mib.into()),
            ("limit_percentage", self.limit_percentage.into()),
            ("max_gc_interval_when_hard_limited", self.max_gc_interval_when_hard_limited.into()),
            ("max_gc_interval_when_soft_limited", self.max_gc_interval_when_soft_limited.into()),
            ("min_gc_interval_when_hard_limited", self.min_gc_interval_when_hard_limited.into()),
            ("min_gc_interval_when_soft_limited", self.min_gc_interval_when_soft_limited.into()),
            ("spike_limit_mib", self.spike_limit_mib.into()),
            ("spike_limit_percentage", Node::from(self.spike_limit_percentage)),
        ])
    }
}

impl Decode for MemoryLimiter {
    fn decode(node: &Node, p: &mut Problems) -> Option<MemoryLimiter> {
        let mut fields = node.map("memory_limiter", p)?;
        fields.describe::<Self>();
        let limiter = MemoryLimiter {
            limit_mib: fields.take("limit_mib", 0, p),
            limit_percentage: fields.take("limit_percentage", 0, p),
            spike_limit_mib: fields.take("spike_limit_mib", 0, p),
            spike_limit_percentage: fields.take("spike_limit_percentage", 0, p),
            check_interval: fields.take("check_interval", Duration::ZERO, p),
            min_gc_interval_when_soft_limited: fields.take("min_gc_interval_when_soft_limited", seconds(10), p),
            min_gc_interval_when_hard_limited: fields.take("min_gc_interval_when_hard_limited", Duration::ZERO, p),
            max_gc_interval_when_soft_limited: fields.take("max_gc_interval_when_soft_limited", seconds(30), p),
            max_gc_interval_when_hard_limited: fields.take("max_gc_interval_when_hard_limited", seconds(30), p),
        };
        limiter.check(&mut fields, p);
        fields.finish(p);
        Some(limiter)
    }
}

impl MemoryLimiter {
    /// What otelcol refuses.
    fn check(&self, fields: &mut Fields<'_>, p: &mut Problems) {
        let at = fields.at();
        let mut refuse = |key: &str, message: &str, help: &str| {
            let at = fields.node(key).map_or(at, |node| node.at);
            p.error(&at, message, help.to_string());
        };
        if self.check_interval.is_zero() {
            refuse("check_interval", "`check_interval` must be above 0", "write `check_interval: 1s`");
        }
        if self.limit_mib == 0 && self.limit_percentage == 0 {
            refuse(
                "limit_mib",
                "`memory_limiter` needs `limit_mib` or `limit_percentage`",
                "write one of them, such as `limit_percentage: 80`",
            );
        }
        if self.limit_percentage > 100 {
            refuse("limit_percentage", "`limit_percentage` must be at most 100", "write a percentage, such as `80`");
        }
        if self.spike_limit_percentage > 100 {
            refuse(
                "spike_limit_percentage",
                "`spike_limit_percentage` must be at most 100",
                "write a percentage, such as `20`",
            );
        }
        if self.limit_mib > 0 && self.limit_mib <= self.spike_limit_mib {
            refuse(
                "spike_limit_mib",
                "`spike_limit_mib` must be less than `limit_mib`",
                "lower it, or remove it for a fifth of the limit",
            );
        }
        if self.limit_percentage > 0 && self.limit_percentage <= self.spike_limit_percentage {
            refuse(
                "spike_limit_percentage",
                "`spike_limit_percentage` must be less than `limit_percentage`",
                "lower it, or remove it for a fifth of the limit",
            );
        }
        let (soft, hard) = (self.min_gc_interval_when_soft_limited, self.min_gc_interval_when_hard_limited);
        if soft < hard {
            let message =
                "`min_gc_interval_when_soft_limited` must not be less than `min_gc_interval_when_hard_limited`";
            refuse("min_gc_interval_when_soft_limited", message, "raise it, or lower the other");
        }
        let (soft_max, hard_max) = (self.max_gc_interval_when_soft_limited, self.max_gc_interval_when_hard_limited);
        if !soft_max.is_zero() && soft_max < soft {
            let message =
                "`max_gc_interval_when_soft_limited` must not be less than `min_gc_interval_when_soft_limited`";
            refuse("max_gc_interval_when_soft_limited", message, "raise it, or lower the other");
        }
        if !hard_max.is_zero() && hard_max < hard {
            let message =
                "`max_gc_interval_when_hard_limited` must not be less than `min_gc_interval_when_hard_limited`";
            refuse("max_gc_interval_when_hard_limited", message, "raise it, or lower the other");
        }
        if !soft_max.is_zero() && !hard_max.is_zero() && soft_max < hard_max {
            let message =
                "`max_gc_interval_when_soft_limited` must not be less than `max_gc_interval_when_hard_limited`";
            refuse("max_gc_interval_when_soft_limited", message, "raise it, or lower the other");
        }
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
