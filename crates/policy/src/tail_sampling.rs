//! The settings of `tail_sampling`, as otelcol has them, decoded strictly.
//!
//! Every field that otelcol takes is here, and what it refuses, at validation or only at start, is refused while decoding,
//! all of it at once and each with its place. What otelcol swallows to the user's harm is a warning.

use crate::{
    attribute,
    kinds::{self, Level, Policy},
};
use settings::{Fields, Node, Problems, Value};
use std::time::Duration;

/// The settings, checked.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct TailSampling {
    /// From a trace's first span to its verdict.
    pub decision_wait: Duration,
    /// From a trace's root span to its verdict, if that is earlier; zero = off.
    pub decision_wait_after_root_received: Duration,
    /// Most undecided traces; without it the memory budget alone bounds them.
    pub num_traces: Option<u64>,
    /// At `num_traces`: take no new work instead of deciding the oldest traces early.
    pub block_on_overflow: bool,
    /// A hint in otelcol; without effect.
    pub expected_new_traces_per_sec: u64,
    /// The policies, in order.
    pub policies: Vec<Policy>,
    /// How many verdicts to remember.
    pub decision_cache: DecisionCache,
    /// Stop at the first policy that samples a trace.
    pub sample_on_first_match: bool,
    /// When policies are asked.
    pub sampling_strategy: SamplingStrategy,
    /// Discard undecided traces at shutdown instead of deciding them.
    pub drop_pending_traces_on_shutdown: bool,
    /// A trace that grows larger is not sampled; 0 = off.
    pub maximum_trace_size_bytes: u64,
    /// Parallel loops in otelcol, at least 1.
    pub num_shards: u32,
}

/// How many verdicts to remember; 0 or less = as many as the memory budget allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct DecisionCache {
    /// Verdicts to keep.
    pub sampled_cache_size: i64,
    /// Other verdicts.
    pub non_sampled_cache_size: i64,
}

/// When policies are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplingStrategy {
    /// When the trace is due.
    #[default]
    TraceComplete,
    /// For each piece as it arrives.
    SpanIngest,
}

impl Default for TailSampling {
    fn default() -> Self {
        Self {
            decision_wait: Duration::from_secs(30),
            decision_wait_after_root_received: Duration::ZERO,
            num_traces: None,
            block_on_overflow: false,
            expected_new_traces_per_sec: 0,
            policies: Vec::new(),
            decision_cache: DecisionCache::default(),
            sample_on_first_match: false,
            sampling_strategy: SamplingStrategy::default(),
            drop_pending_traces_on_shutdown: false,
            maximum_trace_size_bytes: 0,
            num_shards: 1,
        }
    }
}

impl TailSampling {
    /// `num_traces` in otelcol where nothing is written.
    pub const NUM_TRACES_DEFAULT: u64 = 50_000;

    /// Reads the settings; `None` after what makes them unusable has been told. Further errors may have been told with a
    /// value returned: ask [`Problems::has_errors`].
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let default = Self::default();
        let mut fields = node.map("tail_sampling", p)?;
        fields.describe::<Self>();
        let settings = Self {
            decision_wait: decode_wait(&mut fields, "decision_wait", default.decision_wait, p),
            decision_wait_after_root_received: decode_wait(&mut fields, AFTER_ROOT, Duration::ZERO, p),
            num_traces: fields.optional("num_traces", p),
            block_on_overflow: fields.take("block_on_overflow", false, p),
            expected_new_traces_per_sec: fields.take("expected_new_traces_per_sec", 0, p),
            policies: decode_policies(&mut fields, p).unwrap_or_default(),
            decision_cache: DecisionCache::decode(&mut fields, p),
            sample_on_first_match: fields.take("sample_on_first_match", false, p),
            sampling_strategy: SamplingStrategy::decode(&mut fields, p),
            drop_pending_traces_on_shutdown: fields.take("drop_pending_traces_on_shutdown", false, p),
            maximum_trace_size_bytes: fields.take("maximum_trace_size_bytes", 0, p),
            num_shards: decode_shards(&mut fields, p),
        };
        settings.refuse_stateful(fields.node("policies"), p);
        refuse_tail_storage(&mut fields, p);
        settings.warn(&mut fields, p);
        fields.finish(p);
        Some(settings)
    }

    /// All settings with their values, as `print-config` shows them.
    #[must_use]
    pub fn effective(&self) -> Node {
        Node::map_of([
            ("block_on_overflow", Node::from(self.block_on_overflow)),
            ("decision_cache", self.decision_cache.effective()),
            ("decision_wait", Node::from(self.decision_wait)),
            (AFTER_ROOT, Node::from(self.decision_wait_after_root_received)),
            ("drop_pending_traces_on_shutdown", Node::from(self.drop_pending_traces_on_shutdown)),
            ("expected_new_traces_per_sec", Node::from(self.expected_new_traces_per_sec)),
            ("maximum_trace_size_bytes", Node::from(self.maximum_trace_size_bytes)),
            ("num_shards", Node::from(self.num_shards)),
            ("num_traces", Node::from(self.num_traces.unwrap_or(Self::NUM_TRACES_DEFAULT))),
            ("policies", Node::list_of(self.policies.iter().map(Policy::effective))),
            ("sample_on_first_match", Node::from(self.sample_on_first_match)),
            ("sampling_strategy", Node::from(self.sampling_strategy.name())),
            ("tail_storage", Node::null()),
        ])
    }

    /// Policies are asked about a piece alone in span-ingest, so that none may need more.
    fn refuse_stateful(&self, policies: Option<&Node>, p: &mut Problems) {
        if self.sampling_strategy != SamplingStrategy::SpanIngest {
            return;
        }
        let items = policies.map_or(&[][..], attribute::items);
        for (policy, node) in self.policies.iter().zip(items).filter(|(policy, _)| policy.is_stateful()) {
            let message =
                format!("policy `{}` needs whole traces, and `span-ingest` decides piece by piece", policy.name);
            let help = "write `sampling_strategy: trace-complete`, or remove what limits rates, `max_spans` or `upper_threshold_ms`".to_string();
            p.error(&node.at, message, help);
        }
    }

    /// What otelcol swallows.
    fn warn(&self, fields: &mut Fields<'_>, p: &mut Problems) {
        let cache = self.decision_cache;
        if self.block_on_overflow && (cache.sampled_cache_size <= 0 || cache.non_sampled_cache_size <= 0) {
            let at = fields.node("block_on_overflow").map_or(fields.at(), |node| node.at);
            let message = "`block_on_overflow` without both decision caches makes otelcol hang; here it does not";
            p.warning(&at, message, "set both sizes of `decision_cache` if this file is to run there too".to_string());
        }
        let policies = fields.node("policies");
        let is_empty = policies.is_none_or(|node| match &node.value {
            Value::List(items) => items.is_empty(),
            value => matches!(value, Value::Null),
        });
        if is_empty {
            let at = policies.map_or(fields.at(), |node| node.at);
            let help = "add one, such as `{name: all, type: always_sample}`".to_string();
            p.warning(&at, "without policies no trace is sampled", help);
        }
    }
}

impl DecisionCache {
    fn decode(fields: &mut Fields<'_>, p: &mut Problems) -> Self {
        let Some(mut cache) = fields.node("decision_cache").and_then(|node| node.map("decision_cache", p)) else {
            return Self::default();
        };
        cache.describe::<Self>();
        let sizes = Self {
            sampled_cache_size: cache.take("sampled_cache_size", 0, p),
            non_sampled_cache_size: cache.take("non_sampled_cache_size", 0, p),
        };
        cache.finish(p);
        sizes
    }

    fn effective(self) -> Node {
        Node::map_of([
            ("non_sampled_cache_size", Node::from(self.non_sampled_cache_size)),
            ("sampled_cache_size", Node::from(self.sampled_cache_size)),
        ])
    }
}

impl SamplingStrategy {
    fn name(self) -> &'static str {
        match self {
            Self::TraceComplete => "trace-complete",
            Self::SpanIngest => "span-ingest",
        }
    }

    fn decode(fields: &mut Fields<'_>, p: &mut Problems) -> Self {
        let written: Option<String> = fields.optional("sampling_strategy", p);
        fields.words("sampling_strategy", &[Self::TraceComplete.name(), Self::SpanIngest.name()]);
        fields.defaults_to("sampling_strategy", Self::default().name());
        let at = fields.node("sampling_strategy").map_or(fields.at(), |node| node.at);
        match written.as_deref() {
            None | Some("trace-complete") => {}
            Some("span-ingest") => return Self::SpanIngest,
            Some(other) => {
                let message = format!("unknown `sampling_strategy` `{other}`");
                p.error(&at, message, "it is `trace-complete` or `span-ingest`".to_string());
            }
        }
        Self::TraceComplete
    }
}

/// A wait of at least a nanosecond. Bare integers are nanoseconds in otelcol, which then waits for a second.
fn decode_wait(fields: &mut Fields<'_>, key: &'static str, default: Duration, p: &mut Problems) -> Duration {
    fields.defaults_to(key, default);
    let Some(wait) = fields.optional::<settings::Duration>(key, p) else { return default };
    let Some(node) = fields.node(key) else { return default };
    let is_bare = matches!(&node.value, Value::Int(_) | Value::Float(_));
    // Off by default, and 0 says so.
    let is_off = default.is_zero() && wait.ns() <= 0;
    if is_off {
        if wait.is_negative() {
            p.warning(
                &node.at,
                format!("`{key}` is negative, which turns it off"),
                "write `0s` if it is to be off".to_string(),
            );
        }
        return Duration::ZERO;
    }
    if is_bare {
        let unit = format!("write `{}s` if seconds are meant", wait.ns());
        p.warning(&node.at, format!("`{key}` without a unit is in nanoseconds and acts as 1s"), unit);
        return ACTING_WAIT;
    }
    if wait.ns() <= 0 {
        p.warning(
            &node.at,
            format!("`{key}` of zero or less acts as 1s"),
            "write how long to wait, such as `10s`".to_string(),
        );
        return ACTING_WAIT;
    }
    wait.to_std()
}

fn decode_policies(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Vec<Policy>> {
    let node = fields.node("policies")?;
    refuse_duplicate_names(node, p);
    let policies = p.within("policies", |p| kinds::decode_list(node, "policies", Level::Top, p))?;
    let count: usize = policies.iter().map(Policy::count).sum();
    if count > POLICIES_MAX {
        p.error(
            &node.at,
            format!("{count} policies are more than the {POLICIES_MAX} that can be had"),
            "join some, such as by more `values` in one".to_string(),
        );
        return None;
    }
    Some(policies)
}

/// Told apart from decoding, so that a policy that is wrong otherwise still counts.
fn refuse_duplicate_names(policies: &Node, p: &mut Problems) {
    let Value::List(items) = &policies.value else { return };
    let mut names: Vec<&str> = Vec::new();
    for node in items.iter().filter_map(|item| item.lookup("name")) {
        let Some(name) = node.as_text().filter(|name| !name.is_empty()) else { continue };
        if names.contains(&name) {
            p.error(&node.at, format!("duplicate policy name `{name}`"), "rename one of the two".to_string());
        } else {
            names.push(name);
        }
    }
}

fn decode_shards(fields: &mut Fields<'_>, p: &mut Problems) -> u32 {
    let shards: u32 = fields.take("num_shards", 1, p);
    if shards > SHARDS_MAX {
        let at = fields.node("num_shards").map_or(fields.at(), |node| node.at);
        p.error(
            &at,
            format!("`num_shards` must not exceed {SHARDS_MAX}, found {shards}"),
            "remove it for the default".to_string(),
        );
    }
    shards.clamp(1, SHARDS_MAX)
}

fn refuse_tail_storage(fields: &mut Fields<'_>, p: &mut Problems) {
    if let Some(node) = fields.unsupported("tail_storage").filter(|node| !node.is_absent()) {
        let help = "remove it; undecided traces are held in memory, compressed".to_string();
        p.error(&node.at, "`tail_storage` is not supported", help);
    }
}

const AFTER_ROOT: &str = "decision_wait_after_root_received";

/// What a wait that means nothing acts as.
const ACTING_WAIT: Duration = Duration::from_secs(1);

/// Policies with those inside containers.
const POLICIES_MAX: usize = 4096;

const SHARDS_MAX: u32 = 256;

#[cfg(test)]
mod tests;
