//! Random `tail_sampling` settings: every kind at every nesting level where it is legal, and no limit that would have to
//! choose, for among those the reference chooses at random.

use crate::{
    conditions,
    dice::Dice,
    traffic::{ROUTES, SERVICES, USERS},
};
use serde_json::{Map, Value, json};

/// More than a run can reach.
const PLENTY: u64 = 1_000_000_000;

/// Where a policy stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    InAnd,
    InComposite,
    InNot,
}

/// What all policies of a configuration have to heed.
struct Maker<'d> {
    dice: &'d mut Dice,
    by_piece: bool,
    names: usize,
}

/// Settings with these waits, in milliseconds.
pub(crate) fn settings(dice: &mut Dice, wait_ms: u64, after_root_ms: u64) -> Value {
    let by_piece = dice.chance(15);
    let count = dice.pick(&[1, 1, 1, 2, 2, 3, 5]);
    let mut maker = Maker { dice, by_piece, names: 0 };
    let mut policies: Vec<Value> = (0..count).map(|_| maker.top(count)).collect();
    maker.add_ballast(&mut policies);
    let mut settings = json!({"decision_wait": format!("{wait_ms}ms"), "policies": policies});
    // Without caches the reference forgets what it decided piece by piece, and decides late spans anew.
    if by_piece || dice.chance(30) {
        settings["decision_cache"] = json!({"sampled_cache_size": 100_000, "non_sampled_cache_size": 100_000});
    } else if dice.chance(20) {
        settings["decision_cache"] = json!({"sampled_cache_size": 100_000});
    }
    if by_piece {
        settings["sampling_strategy"] = "span-ingest".into();
        return settings;
    }
    if dice.chance(25) {
        settings["sample_on_first_match"] = true.into();
    }
    if dice.chance(15) {
        settings["decision_wait_after_root_received"] = format!("{after_root_ms}ms").into();
    }
    if dice.chance(15) {
        settings["maximum_trace_size_bytes"] = dice.between(300, 2_500).into();
    }
    settings
}

impl Maker<'_> {
    /// A policy at the top; the more there are, the fewer traces each is to keep.
    fn top(&mut self, count: usize) -> Value {
        match self.dice.below(100) {
            0..4 if !self.by_piece => self.list(Level::Top, "drop", Level::InAnd),
            0..40 if count == 1 => self.leaf(Level::Top),
            0..25 => self.leaf(Level::Top),
            25..60 => self.list(Level::Top, "and", Level::InAnd),
            60..75 => self.composite(),
            75..82 if count == 1 => self.not(Level::Top),
            _ => self.rare(),
        }
    }

    /// A share of all traces is kept in many configurations, another is dropped: so that few keep nothing or everything,
    /// which would hide how the others come out.
    fn add_ballast(&mut self, policies: &mut Vec<Value>) {
        if self.dice.chance(85) {
            let percent = self.dice.between(8, 40);
            policies.push(self.named("probabilistic", json!({"sampling_percentage": percent, "hash_salt": "keep"})));
        }
        if !self.by_piece && self.dice.chance(85) {
            let percent = self.dice.between(10, 40);
            let share = self.named("probabilistic", json!({"sampling_percentage": percent, "hash_salt": "drop"}));
            policies.insert(0, self.named("drop", json!({"drop_sub_policy": [share]})));
        }
    }

    /// An `and` of something and a share of all traces.
    fn rare(&mut self) -> Value {
        let percent = self.dice.between(5, 60);
        let share = self.named("probabilistic", json!({"sampling_percentage": percent}));
        let subs = vec![share, self.leaf(Level::InAnd)];
        self.named("and", json!({ "and_sub_policy": subs }))
    }

    fn list(&mut self, at: Level, kind: &str, inside: Level) -> Value {
        let count = 1 + self.dice.below(3);
        let subs: Vec<Value> = (0..count).map(|_| self.sub(inside)).collect();
        debug_assert!(at != Level::InNot);
        self.named(kind, json!({ format!("{kind}_sub_policy"): subs }))
    }

    fn sub(&mut self, at: Level) -> Value {
        match at {
            Level::InAnd if self.dice.chance(20) => self.not(at),
            Level::InComposite if self.dice.chance(25) => self.list(at, "and", Level::InAnd),
            _ => self.leaf(at),
        }
    }

    fn not(&mut self, _at: Level) -> Value {
        let sub = self.leaf(Level::InNot);
        self.named("not", json!({ "not_sub_policy": sub }))
    }

    fn composite(&mut self) -> Value {
        let count = 1 + self.dice.below(3);
        let subs: Vec<Value> = (0..count).map(|_| self.sub(Level::InComposite)).collect();
        let mut order: Vec<Value> = subs.iter().map(|sub| sub["name"].clone()).collect();
        let mut allocation = Vec::new();
        for name in &order {
            if self.dice.chance(70) {
                allocation.push(json!({"policy": name, "percent": self.dice.between(1, 60)}));
            }
        }
        self.dice.shuffle(&mut order);
        self.named(
            "composite",
            json!({
                "max_total_spans_per_second": PLENTY,
                "policy_order": order,
                "composite_sub_policy": subs,
                "rate_allocation": allocation,
            }),
        )
    }

    fn named(&mut self, kind: &str, block: Value) -> Value {
        self.names += 1;
        let mut policy = Map::new();
        policy.insert("name".to_owned(), format!("{kind}-{}", self.names).into());
        policy.insert("type".to_owned(), kind.into());
        if !block.is_null() {
            policy.insert(kind.to_owned(), block);
        }
        policy.into()
    }

    fn leaf(&mut self, at: Level) -> Value {
        match self.dice.below(30) {
            0 if at != Level::Top => self.named("always_sample", Value::Null),
            0..3 => self.latency(),
            3..7 => self.numeric(),
            7..9 => self.boolean(),
            9..13 => self.string(),
            13..15 => {
                let codes = self.dice.some(&["ERROR", "OK", "ERROR"]);
                self.named("status_code", json!({ "status_codes": codes }))
            }
            15..18 => self.span_count(),
            18..20 => {
                let (key, values) = (self.dice.pick(&["vendor", "team"]), self.dice.some(&["a", "b", "core", ""]));
                self.named("trace_state", json!({"key": key, "values": values}))
            }
            20 if at != Level::Top => self.named("trace_flags", Value::Null),
            20 | 21 => self.probabilistic(),
            22 if !self.by_piece && at != Level::Top => self.plenty(),
            _ => self.ottl(),
        }
    }

    fn latency(&mut self) -> Value {
        let threshold = self.dice.pick(&[0, 50, 500, 1_000, 2_000, 3_000, -5]);
        let mut block = json!({ "threshold_ms": threshold });
        if !self.by_piece && self.dice.chance(40) {
            block["upper_threshold_ms"] = (threshold.max(1) + self.dice.between(1, 3_000)).into();
        }
        self.named("latency", block)
    }

    fn numeric(&mut self) -> Value {
        let key = self.dice.pick(&["http.status", "http.status", "retry", "shard", "score", "cached", "missing"]);
        let (low, high) = match key {
            "http.status" => (self.dice.pick(&[200, 300, 404, 500]), self.dice.pick(&[299, 404, 599])),
            _ => (self.dice.between(-2, 3), self.dice.between(-2, 6)),
        };
        let (low, high) = (low.min(high), low.max(high));
        let mut block = json!({ "key": key });
        // Zero is no bound; without any the reference crashes.
        let only = self.dice.below(4);
        if only != 0 || high == 0 {
            block["min_value"] = if low == 0 { 1.into() } else { low.into() };
        }
        if only != 1 && high != 0 {
            block["max_value"] = high.into();
        }
        self.inverted(&mut block);
        self.named("numeric_attribute", block)
    }

    fn boolean(&mut self) -> Value {
        let key = self.dice.pick(&["cached", "cached", "canary", "retry", "missing"]);
        let mut block = json!({"key": key, "value": self.dice.chance(60)});
        self.inverted(&mut block);
        self.named("boolean_attribute", block)
    }

    fn string(&mut self) -> Value {
        let key = self.dice.pick(&["http.route", "user", "service.name", "region", "http.status", "shard", "nothing"]);
        let words: Vec<&str> = match key {
            "http.route" => ROUTES.to_vec(),
            "user" => [USERS, &["second"]].concat(),
            "service.name" => SERVICES.to_vec(),
            _ => vec!["eu", "", "500", "oops"],
        };
        let mut block = json!({"key": key, "values": self.dice.some(&words)});
        if self.dice.chance(40) {
            block["enabled_regex_matching"] = true.into();
            block["values"] = self
                .dice
                .some(&["^/c", "pay$", "^$", "v\\d+", "(?i)ALICE|bob", "e{2}", "[^a-z]", "^.{4}$", "\\bcart\\b"])
                .into();
        }
        if self.dice.chance(20) {
            block["cache_max_size"] = self.dice.between(0, 3).into();
        }
        self.inverted(&mut block);
        self.named("string_attribute", block)
    }

    fn inverted(&mut self, block: &mut Value) {
        if self.dice.chance(20) {
            block["invert_match"] = true.into();
        }
    }

    fn span_count(&mut self) -> Value {
        let min = self.dice.between(2, 6);
        let mut block = json!({ "min_spans": min });
        if !self.by_piece && self.dice.chance(50) {
            block["max_spans"] = (min + self.dice.between(-1, 3)).into();
        }
        self.named("span_count", block)
    }

    fn probabilistic(&mut self) -> Value {
        let percent = self.dice.pick(&[0.5, 5.0, 12.5, 33.0, 50.0, 75.0, 99.9]);
        let mut block = json!({ "sampling_percentage": percent });
        if self.dice.chance(40) {
            block["hash_salt"] = (self.dice.pick(&["", "salt", "Δ"])).into();
        }
        self.named("probabilistic", block)
    }

    /// A limit that always lets pass.
    fn plenty(&mut self) -> Value {
        if self.dice.chance(50) {
            return self.named("rate_limiting", json!({"spans_per_second": PLENTY, "burst_capacity": PLENTY}));
        }
        self.named("bytes_limiting", json!({ "bytes_per_second": PLENTY }))
    }

    fn ottl(&mut self) -> Value {
        let mut block = json!({});
        if self.dice.chance(80) {
            let count = 1 + self.dice.below(2);
            block["span"] = (0..count).map(|_| Value::from(conditions::span(self.dice))).collect();
        }
        if block["span"].is_null() || self.dice.chance(15) {
            block["spanevent"] = (0..=self.dice.below(2)).map(|_| Value::from(conditions::event(self.dice))).collect();
        }
        match self.dice.below(5) {
            0 => block["error_mode"] = "ignore".into(),
            1 => block["error_mode"] = "propagate".into(),
            2 => block["error_mode"] = "SILENT".into(),
            _ => {}
        }
        self.named("ottl_condition", block)
    }
}
