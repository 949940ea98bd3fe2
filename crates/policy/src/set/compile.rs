//! Turns settings into leaves and rules.
//!
//! A kind's `compile` asks for what it needs (a key, a word of state, a limiter) and gets back the test to ask later.

use super::{
    PolicySet,
    counts::{Amounts, Tally},
    fold::{AttributeLeaf, Folds, SpanLeaf},
    limiters::{self, Counters, Limiters, Share, Unit},
    rule::{Rule, Test},
    top::Top,
    whole::{Question, Whole},
};
use crate::{
    attribute::Condition,
    bucket::Bucket,
    kinds::{Kind, Policy},
    latency::Window,
    ottl_condition::{Conditions, OttlCondition},
    status_code::Codes,
    tail_sampling::{SamplingStrategy, TailSampling},
    trace_state::Member,
    verdict::Now,
};
use otlp::Keys;
use std::sync::{Arc, atomic::AtomicU64};

/// A policy set in the making.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    keys: &'a mut Keys,
    /// When limiters begin.
    pub(crate) start: Now,
    shards: u32,
    is_by_piece: bool,
    has_size: bool,
    /// What is counted besides numbers of traces.
    pub(super) amounts: Amounts,
    folds: Folds,
    wholes: Vec<Whole>,
    limiters: Limiters,
    seeds: Vec<(String, Side)>,
    paths: Vec<Path>,
    /// The path of the container that is being compiled.
    parent: Option<usize>,
    is_behind_cheap: bool,
}

/// Which of two traces that a hash tells apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    /// Those that pass.
    Passing,
    /// The others.
    Opposite,
}

/// A policy or a part of one, as a reason names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Path {
    /// The top-level policy.
    pub(super) policy: String,
    /// Its own name as written, maybe empty.
    pub(super) name: String,
    /// All names, outermost first.
    pub(super) text: String,
    /// What it asks, unless it is made of others.
    pub(super) kind: Option<Kind>,
    /// Whether a `not` stands around it.
    pub(super) is_opposite: bool,
    /// Whether a `drop` stands around it.
    pub(super) is_drop: bool,
    /// When it left the configuration, if it has: then the set asks it no more, but may name it.
    pub(super) left_ns: Option<u64>,
}

impl Path {
    /// Whether nothing has this number: every policy is called something.
    pub(super) fn is_free(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether both are the same policy, here or not.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.text == other.text && *self == Self { left_ns: self.left_ns, ..other.clone() }
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn new(settings: &TailSampling, keys: &'a mut Keys, start: Now) -> Self {
        Self {
            keys,
            start,
            shards: settings.num_shards,
            is_by_piece: settings.sampling_strategy == SamplingStrategy::SpanIngest,
            has_size: settings.maximum_trace_size_bytes > 0,
            amounts: Amounts::default(),
            folds: Folds::default(),
            wholes: Vec::new(),
            limiters: Limiters::default(),
            seeds: Vec::new(),
            paths: Vec::new(),
            parent: None,
            is_behind_cheap: false,
        }
    }

    pub(super) fn finish(mut self, mut policies: Vec<Rule>, settings: &TailSampling) -> PolicySet {
        policies.sort_by_key(|policy| !policy.is_drop());
        self.folds.finish(self.is_by_piece, self.has_size || self.amounts.bytes, !self.wholes.is_empty());
        let tops = policies.iter_mut().map(|rule| {
            let name = self.paths.get(usize::from(rule.path)).map_or("", |path| &path.policy);
            let policy = settings.policies.iter().find(|policy| policy.name == name).cloned();
            Top::new(name, policy, rule, &self.limiters, self.shards)
        });
        let tops = tops.collect();
        PolicySet {
            tally: Tally::new(policies.len(), self.amounts),
            has_limits: policies.iter().any(Rule::has_limit),
            policies,
            tops,
            folds: self.folds,
            wholes: self.wholes,
            paths: self.paths,
            keys: Arc::new(self.keys.clone()),
            is_first_match: settings.sample_on_first_match,
            is_by_piece: self.is_by_piece,
            trace_bytes_max: settings.maximum_trace_size_bytes,
            cuts: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Compiles a policy where it stands: at the top level or in the container at hand.
    pub(crate) fn rule(&mut self, policy: &Policy) -> Rule {
        let path = self.add_path(policy);
        let outer = self.parent.replace(path);
        let test = policy.kind.compile(self);
        self.parent = outer;
        // The settings admit fewer policies than that.
        Rule { path: u16::try_from(path).unwrap_or(u16::MAX), test }
    }

    /// Compiles parts that must all hold. Where some are cheap to ask and refuse most traces, costly ones can wait for them.
    pub(crate) fn all(&mut self, policies: &[Policy]) -> Vec<Rule> {
        let is_cheap = policies.iter().any(|policy| policy.kind.is_cheap_filter());
        self.each(policies, is_cheap)
    }

    /// Compiles parts that are asked in turn until one samples.
    pub(crate) fn in_turn(&mut self, policies: &[Policy]) -> Vec<Rule> {
        self.each(policies, false)
    }

    fn each(&mut self, policies: &[Policy], is_behind_cheap: bool) -> Vec<Rule> {
        let outer = std::mem::replace(&mut self.is_behind_cheap, is_behind_cheap);
        let rules = policies.iter().map(|policy| self.rule(policy)).collect();
        self.is_behind_cheap = outer;
        rules
    }

    pub(crate) fn status(&mut self, codes: Codes) -> Test {
        self.span(SpanLeaf::Status(codes))
    }

    pub(crate) fn latency(&mut self, window: Window) -> Test {
        self.span(SpanLeaf::Latency(window))
    }

    pub(crate) fn flagged(&mut self) -> Test {
        self.span(SpanLeaf::Flagged)
    }

    pub(crate) fn trace_state(&mut self, member: Member) -> Test {
        self.span(SpanLeaf::TraceState(Box::new(member)))
    }

    fn span(&mut self, leaf: SpanLeaf) -> Test {
        Test::Fold { word: self.folds.add_span(leaf), inverted: false }
    }

    pub(crate) fn attribute(&mut self, key: &str, condition: Condition, inverted: bool) -> Test {
        if condition.is_costly() && self.is_behind_cheap && !self.is_by_piece {
            return self.whole(Question::Attribute { key: key.into(), condition }, inverted);
        }
        let key = self.keys.intern(key);
        Test::Fold { word: self.folds.add_attribute(AttributeLeaf { key, condition }), inverted }
    }

    pub(crate) fn conditions(&mut self, source: &OttlCondition) -> Test {
        let stored = source.compiled();
        let is_whole =
            |conditions: &Arc<Conditions>| conditions.at_verdict || conditions.costly && self.is_behind_cheap;
        if let Some(conditions) = stored.filter(is_whole).filter(|_| !self.is_by_piece) {
            return self.whole(Question::Conditions(conditions), false);
        }
        let conditions = source.compile_with(self.keys);
        // They were compiled before, with the settings; otherwise the policy fails.
        let word = conditions.map_or(usize::MAX, |conditions| self.folds.add_conditions(conditions));
        Test::Fold { word, inverted: false }
    }

    fn whole(&mut self, question: Question, inverted: bool) -> Test {
        let known = self.wholes.iter().position(|whole| whole.question == question);
        let leaf = known.unwrap_or_else(|| {
            self.wholes.push(Whole { word: self.folds.add_word(), question });
            self.wholes.len() - 1
        });
        Test::Whole { leaf, word: self.wholes.get(leaf).map_or(usize::MAX, |whole| whole.word), inverted }
    }

    /// A limiter of `per_second`, divided among the virtual shards; a `burst_capacity` that is not given is twice the whole.
    pub(crate) fn limit(&mut self, per_second: i64, burst_capacity: i64, unit: Unit) -> Test {
        self.has_size |= unit == Unit::Bytes;
        let burst = if burst_capacity > 0 { burst_capacity } else { per_second.saturating_mul(2) };
        let bucket = Bucket::new(limiters::divide(per_second, self.shards), burst, self.start.mono_ns);
        self.limiters.buckets.push(bucket);
        Test::Limit { index: self.limiters.buckets.len() - 1, unit }
    }

    /// Parts with their shares of a second.
    pub(crate) fn composite(&mut self, parts: Vec<(Rule, Share)>) -> Test {
        self.limiters.composites.push(Counters::new(parts.len()));
        Test::Composite { index: self.limiters.composites.len() - 1, parts }
    }

    /// A limit divided among the virtual shards.
    pub(crate) fn divide(&self, limit: i64) -> i64 {
        limiters::divide(limit, self.shards)
    }

    /// The number of a hash seed; those that pass and the others are told apart, for neither is nested in the other.
    pub(crate) fn seed(&mut self, salt: &str, side: Side) -> u16 {
        let known = self.seeds.iter().position(|(seed, other)| seed == salt && *other == side);
        let index = known.unwrap_or_else(|| {
            self.seeds.push((salt.to_string(), side));
            self.seeds.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    fn add_path(&mut self, policy: &Policy) -> usize {
        // A part of a container may be nameless; its type tells what it is.
        let called = if policy.name.is_empty() { policy.kind.name() } else { &policy.name };
        let parent = self.parent.and_then(|parent| self.paths.get(parent));
        let text = parent.map_or_else(|| called.to_string(), |parent| format!("{} › {called}", parent.text));
        let path = Path {
            policy: parent.map_or(called, |parent| &parent.policy).to_string(),
            name: policy.name.clone(),
            text,
            kind: policy.parts().is_empty().then(|| policy.kind.clone()),
            is_opposite: parent.is_some_and(|parent| parent.is_opposite),
            is_drop: parent.is_some_and(|parent| parent.is_drop) || matches!(policy.kind, Kind::Drop(_)),
            left_ns: None,
        };
        self.paths.push(path);
        self.paths.len() - 1
    }

    /// Compiles the part of a `not`.
    pub(crate) fn opposite(&mut self, policy: &Policy) -> Rule {
        let parent = self.parent.and_then(|parent| self.paths.get_mut(parent));
        // All that stands inside is turned round.
        if let Some(parent) = parent {
            parent.is_opposite = !parent.is_opposite;
        }
        self.rule(policy)
    }
}
