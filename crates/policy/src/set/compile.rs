//! Turns settings into leaves and rules.
//!
//! A kind's `compile` asks for what it needs (a key, a word of state, a limiter) and gets back the test to ask later.

use super::{
    PolicySet,
    decide::Limiters,
    fold::{AttributeLeaf, Folds, SpanLeaf},
    rule::{Rule, Test},
    whole::{Question, Whole},
};
use crate::{attribute::Condition, bucket::Bucket, kinds::Policy, latency::Window, status_code::Codes, verdict::Now};
use otlp::Keys;
use std::sync::Mutex;

/// A policy set in the making.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    keys: &'a mut Keys,
    /// When limiters begin.
    pub(crate) start: Now,
    folds: Folds,
    wholes: Vec<Whole>,
    limits: Vec<Bucket>,
    seeds: Vec<String>,
    paths: Vec<Path>,
    /// The path of the container that is being compiled.
    parent: Option<usize>,
    is_behind_cheap: bool,
}

/// The names of a rule, outermost first.
#[derive(Debug)]
pub(super) struct Path {
    /// The top-level policy.
    pub(super) policy: String,
    /// All of them.
    pub(super) text: String,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(keys: &'a mut Keys, start: Now) -> Self {
        Self {
            keys,
            start,
            folds: Folds::default(),
            wholes: Vec::new(),
            limits: Vec::new(),
            seeds: Vec::new(),
            paths: Vec::new(),
            parent: None,
            is_behind_cheap: false,
        }
    }

    pub(super) fn finish(self, mut policies: Vec<Rule>, is_first_match: bool) -> PolicySet {
        policies.sort_by_key(|policy| !policy.is_drop());
        PolicySet {
            policies,
            folds: self.folds,
            wholes: self.wholes,
            has_limits: !self.limits.is_empty(),
            limiters: Mutex::new(Limiters { limits: self.limits, counts: Vec::new() }),
            paths: self.paths,
            is_first_match,
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

    /// Compiles what stands in a container, some of which is cheap to ask and refuses most traces.
    pub(crate) fn beside_cheap(&mut self, is_cheap: bool, compile: impl FnOnce(&mut Self) -> Test) -> Test {
        let outer = std::mem::replace(&mut self.is_behind_cheap, is_cheap);
        let test = compile(self);
        self.is_behind_cheap = outer;
        test
    }

    pub(crate) fn status(&mut self, codes: Codes) -> Test {
        Test::Fold { word: self.folds.add_span(SpanLeaf::Status(codes)), inverted: false }
    }

    pub(crate) fn latency(&mut self, window: Window) -> Test {
        Test::Fold { word: self.folds.add_span(SpanLeaf::Latency(window)), inverted: false }
    }

    pub(crate) fn attribute(&mut self, key: &str, condition: Condition, inverted: bool) -> Test {
        let key = self.keys.intern(key);
        Test::Fold { word: self.folds.add_attribute(AttributeLeaf { key, condition }), inverted }
    }

    pub(crate) fn whole(&mut self, key: &str, condition: Condition, inverted: bool) -> Test {
        let question = Question::Attribute { key: key.into(), condition };
        let known = self.wholes.iter().position(|whole| whole.question == question);
        let leaf = known.unwrap_or_else(|| {
            self.wholes.push(Whole { word: self.folds.add_word(), question });
            self.wholes.len() - 1
        });
        Test::Whole { leaf, word: self.wholes.get(leaf).map_or(usize::MAX, |whole| whole.word), inverted }
    }

    pub(crate) fn limit(&mut self, bucket: Bucket) -> Test {
        self.limits.push(bucket);
        Test::Limit(self.limits.len() - 1)
    }

    /// The number of a hash seed.
    pub(crate) fn seed(&mut self, salt: &str) -> u16 {
        let known = self.seeds.iter().position(|seed| seed == salt);
        let index = known.unwrap_or_else(|| {
            self.seeds.push(salt.to_string());
            self.seeds.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    /// Whether a cheap condition beside the one at hand spares most traces the question.
    pub(crate) fn is_behind_cheap(&self) -> bool {
        self.is_behind_cheap
    }

    fn add_path(&mut self, policy: &Policy) -> usize {
        // A part of a container may be nameless; its type tells what it is.
        let name = if policy.name.is_empty() { policy.kind.name() } else { &policy.name };
        let path = match self.parent.and_then(|parent| self.paths.get(parent)) {
            Some(parent) => Path { policy: parent.policy.clone(), text: format!("{} › {name}", parent.text) },
            None => Path { policy: name.to_string(), text: name.to_string() },
        };
        self.paths.push(path);
        self.paths.len() - 1
    }
}
