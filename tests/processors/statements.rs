//! Random settings of `transform`: statements made of the words of the requests, so that most of them hit.
//!
//! Where a function takes any value, literals and paths of all types are tried; where it takes one type only, literals
//! mostly fit, for others are refused at the start, and paths may not fit, which is an error of the request. Nothing depends
//! on clocks, on chance, on the order of Go's maps or on how it sorts equal keys: maps that statements write have one key, and
//! so have those of converters. No text is cut within a character.
//!
//! What lasts from record to record, resources, scopes and caches, is given values of bounded size only: statements that made
//! it a multiple each time would take all memory. Nor is anything put into a part of itself, or merged with itself, whose
//! outcome in otelcol is that of memory written while it is read.

use crate::{
    dice::Dice,
    fields::{Type, fields},
    requests::{KEYS, NAMES, RESOURCE_KEYS, TEXTS},
};
use otlp::Signal;
use serde_json::{Value, json};

/// Random settings for a signal.
pub(crate) fn transform(dice: &mut Dice, signal: Signal) -> Value {
    let (list, contexts): (&str, &[&str]) = match signal {
        Signal::Traces => ("trace_statements", &["resource", "scope", "span", "span", "spanevent"]),
        Signal::Metrics => ("metric_statements", &["resource", "scope", "metric", "datapoint", "datapoint"]),
        Signal::Logs => ("log_statements", &["resource", "scope", "log", "log"]),
    };
    let statements = if dice.chance(40) {
        plain(dice, contexts)
    } else {
        (0..1 + dice.below(3)).map(|_| group(dice, contexts)).collect()
    };
    let mode = dice.pick(&["ignore", "ignore", "silent", "Ignore", "propagate"]);
    json!({"error_mode": mode, list: statements})
}

/// Statements alone, of one context, which their paths say.
fn plain(dice: &mut Dice, contexts: &[&'static str]) -> Value {
    let context = dice.pick(contexts);
    let mut writer = Writer { dice, context, is_prefixed: true };
    (0..1 + writer.dice.below(4)).map(|_| Value::String(writer.inferable())).collect()
}

fn group(dice: &mut Dice, contexts: &[&'static str]) -> Value {
    let context = dice.pick(contexts);
    let is_prefixed = dice.chance(30);
    let mut writer = Writer { dice, context, is_prefixed };
    let mut group = json!({});
    if !is_prefixed {
        group["context"] = json!(context);
    }
    let count = 1 + writer.dice.below(4);
    let write = |writer: &mut Writer<'_>| if is_prefixed { writer.inferable() } else { writer.statement() };
    group["statements"] = (0..count).map(|_| write(&mut writer)).collect();
    if writer.dice.chance(25) {
        group["conditions"] = (0..1 + writer.dice.below(2)).map(|_| writer.condition(1)).collect();
    }
    if writer.dice.chance(20) {
        group["error_mode"] = json!(writer.dice.pick(&["ignore", "silent", "propagate"]));
    }
    if writer.dice.chance(15) {
        group["shared_cache"] = json!(true);
    }
    group
}

use Type::{Bool, Float, Int, List, Map, Opaque, Span, Text, Time, Trace};

/// Writes what belongs to one context.
struct Writer<'d> {
    dice: &'d mut Dice,
    context: &'static str,
    /// Whether its own paths begin with its name.
    is_prefixed: bool,
}

impl Writer<'_> {
    /// A statement from which the context follows.
    fn inferable(&mut self) -> String {
        let statement = self.statement();
        let context = self.context;
        if statement.contains(&format!("{context}.")) {
            return statement;
        }
        let (joint, path) = if statement.contains(" where ") { ("and", context) } else { ("where", context) };
        format!("{statement} {joint} {path}.{} != nil", fields(context)[0].0)
    }

    fn statement(&mut self) -> String {
        let editor = self.editor();
        if self.dice.chance(35) { format!("{editor} where {}", self.condition(1)) } else { editor }
    }

    fn editor(&mut self) -> String {
        let case = self.dice.below(24);
        match case {
            0..=5 => self.set(),
            6 => self.append(),
            7 => match self.target() {
                // otelcol panics on these.
                (_, Some(Opaque)) => self.set(),
                (target, _) => format!("clear({target})"),
            },
            8 => {
                let (list, start) = (self.attribute(), self.dice.pick(&["0", "1", "-1"]));
                let end = self.dice.pick(&["", "", ", 1", ", 2"]);
                format!("delete_index({list}, {start}{end})")
            }
            9..=10 => format!("delete_key({}, {})", self.map(), self.key_text()),
            11 => format!("delete_matching_keys({}, {})", self.map(), quoted(self.dice.pick(KEY_PATTERNS))),
            12 => {
                let keys = self.dice.some(&["a", "b", "user.id", "zone", "service.name"]);
                format!("keep_keys({}, {})", self.map(), json!(keys))
            }
            13 => format!("keep_matching_keys({}, {})", self.map(), quoted(self.dice.pick(KEY_PATTERNS))),
            14 => {
                let rest = self.dice.pick(&["0, []", "1, [\"a\"]", "3, [\"b\", \"zone\"]", "2, []", "100, []"]);
                format!("limit({}, {rest})", self.map())
            }
            15 => {
                let target = self.map();
                let source = if self.lasts(&target) { self.literal(Map) } else { self.value(Map, 1) };
                let source = if overlap(&format!("{target}["), &source) { self.literal(Map) } else { source };
                format!("merge_maps({target}, {source}, {})", quoted(self.dice.pick(&["insert", "update", "upsert"])))
            }
            16 => {
                let rest = self.dice.pick(&[
                    "",
                    "",
                    ", \"p\"",
                    ", depth=1",
                    ", depth=0",
                    ", \"q\", 2",
                    ", resolveConflicts=true",
                ]);
                format!("flatten({}{rest})", self.map())
            }
            17 => {
                let rest =
                    self.dice.pick(&["0", "1", "3", "4, true", "5, true", "100", "4, true, \"…\"", "3, true, \"..\""]);
                format!("truncate_all({}, {rest})", self.map())
            }
            18 => format!("stringify_all({})", self.map()),
            19 => {
                let target = self.text_target();
                let rest = self.replacement(&target, GLOBS);
                format!("replace_match({target}, {rest})")
            }
            20 => {
                let target = self.map();
                format!("replace_all_matches({target}, {})", self.replacement(&target, GLOBS))
            }
            21 => {
                let target = self.text_target();
                let rest = self.replacement(&target, PATTERNS);
                format!("replace_pattern({target}, {rest})")
            }
            22 => {
                let mode = quoted(self.dice.pick(&["key", "value", "value"]));
                let target = self.map();
                format!("replace_all_patterns({target}, {mode}, {})", self.replacement(&target, PATTERNS))
            }
            _ => self.own_editor(),
        }
    }

    /// One that only this context knows.
    fn own_editor(&mut self) -> String {
        let editors: &[&str] = match self.context {
            "span" => &["set_semconv_span_name(\"1.37.0\")", "set_semconv_span_name(\"1.38.0\", \"was\")"],
            "metric" => &[
                "convert_sum_to_gauge()",
                "convert_gauge_to_sum(\"delta\", false)",
                "convert_gauge_to_sum(\"cumulative\", true)",
            ],
            _ => return self.set(),
        };
        self.dice.pick(editors).to_string()
    }

    fn set(&mut self) -> String {
        let (target, fits) = self.target();
        let value = match fits {
            Some(Opaque) => target.clone(),
            _ if self.lasts(&target) => self.bounded(fits.unwrap_or(Text)),
            Some(fits) if self.dice.chance(80) => self.value(fits, 2),
            _ => self.any(2),
        };
        let value = if overlap(&target, &value) && fits != Some(Opaque) { self.bounded(Text) } else { value };
        format!("set({target}, {value})")
    }

    fn append(&mut self) -> String {
        let target = self.attribute();
        if self.lasts(&target) {
            return format!("append({target}, values=[{}, {}])", self.bounded(Text), self.bounded(Int));
        }
        match self.dice.below(3) {
            0 => format!("append({target}, values=[{}, {}])", self.any(1), self.any(1)),
            1 => format!("append({target}, {}, values=[{}])", self.any(1), self.any(0)),
            _ => format!("append({target}, {})", self.any(1)),
        }
    }

    /// Whether the target outlives the record.
    fn lasts(&self, target: &str) -> bool {
        let around = ["resource.", "scope.", "span.", "metric."];
        let is_around = |name: &&str| !name.starts_with(self.context) && target.starts_with(*name);
        target.contains("cache") || around.iter().any(is_around)
    }

    /// A value that is never long, whatever it is made of.
    fn bounded(&mut self, of: Type) -> String {
        match self.dice.below(8) {
            0 => format!("Len({})", self.attribute()),
            1 => format!("Int({})", self.attribute()),
            2 => format!("SHA256({})", self.attribute()),
            3 => format!("IsString({})", self.attribute()),
            _ => self.literal(of),
        }
    }

    /// Pattern, replacement and perhaps what is done to it.
    fn replacement(&mut self, target: &str, patterns: &[&str]) -> String {
        let mut pattern = self.dice.pick(patterns);
        if self.lasts(target) {
            pattern = if pattern.is_empty() { "x" } else { pattern };
            return format!("{}, {}", quoted(pattern), quoted(self.dice.pick(&["r", "", "R"])));
        }
        let template = match self.dice.below(6) {
            0 => self.attribute(),
            _ => quoted(self.dice.pick(&["r", "", "<$1>", "${0}$0", "$x-$$", "ï", "${name}"])),
        };
        let function = self.dice.pick(&["", "", "", ", SHA256", ", ToUpperCase", ", MD5, \"<%s>\"", ", Base64Encode"]);
        format!("{}, {template}{function}", quoted(pattern))
    }

    /// A path of this context.
    fn own(&mut self, path: &str) -> String {
        let is_prefixed = self.is_prefixed || self.dice.chance(10);
        if is_prefixed { format!("{}.{path}", self.context) } else { path.to_string() }
    }

    /// A path of this context or of one around it.
    fn path(&mut self, context: &str, path: &str) -> String {
        if context == self.context { self.own(path) } else { format!("{context}.{path}") }
    }

    /// This context mostly, otherwise one around it.
    fn some_context(&mut self) -> &'static str {
        let around: &[&'static str] = match self.context {
            "resource" => &["resource"],
            "scope" => &["resource"],
            "spanevent" => &["span", "scope", "resource"],
            "datapoint" => &["metric", "scope", "resource"],
            _ => &["scope", "resource"],
        };
        if self.dice.chance(70) { self.context } else { self.dice.pick(around) }
    }

    /// What can be set, and the type that fits, if it is one.
    fn target(&mut self) -> (String, Option<Type>) {
        match self.dice.below(10) {
            0..=4 => (self.attribute(), None),
            5 => (self.map(), Some(Map)),
            _ => {
                let context = self.some_context();
                let (field, fits) = self.dice.pick(fields(context));
                (self.path(context, field), fits)
            }
        }
    }

    fn text_target(&mut self) -> String {
        if self.dice.chance(60) { self.attribute() } else { self.target().0 }
    }

    /// An attribute or a part of one.
    fn attribute(&mut self) -> String {
        let map = self.attributes();
        let key = if map.starts_with("resource") { self.dice.pick(RESOURCE_KEYS) } else { self.dice.pick(KEYS) };
        let key = if self.dice.chance(10) { "new" } else { key };
        let rest = self.dice.pick(&["", "", "", "", "", "", "", "[\"k\"]", "[\"j\"]", "[0]", "[\"k\"][\"j\"]"]);
        match self.dice.below(20) {
            0 => format!("{map}[{}]", self.own_text()),
            _ => format!("{map}[{}]{rest}", quoted(key)),
        }
    }

    fn own_text(&mut self) -> String {
        format!("Concat([\"\", {}], \"\")", quoted(self.dice.pick(KEYS)))
    }

    /// A map of attributes or the like.
    fn attributes(&mut self) -> String {
        let context = self.some_context();
        let is_cache = self.dice.chance(8);
        if is_cache {
            return self.own("cache");
        }
        self.path(context, if context == "metric" { "metadata" } else { "attributes" })
    }

    /// A map, or seldom what may be one.
    fn map(&mut self) -> String {
        match self.dice.below(12) {
            0 => self.attribute(),
            1 if self.context == "log" => self.own("body"),
            _ => self.attributes(),
        }
    }

    fn key_text(&mut self) -> String {
        if self.dice.chance(85) { quoted(self.dice.pick(KEYS)) } else { self.attribute() }
    }

    /// A value of any type.
    fn any(&mut self, depth: usize) -> String {
        match self.dice.below(12) {
            0..=3 => self.attribute(),
            4 => {
                let context = self.some_context();
                let (field, _) = self.dice.pick(fields(context));
                self.path(context, field)
            }
            5 => self.dice.pick(&["nil", "0x6162", "0x00ff", "true"]).to_string(),
            6 if depth > 0 => format!("Coalesce([{}, {}])", self.attribute(), self.any(depth - 1)),
            7 if depth > 0 => self.value(Time, depth - 1),
            _ => {
                let kind = self.dice.pick(&[Text, Text, Int, Float, Bool, List, Map]);
                self.value(kind, depth)
            }
        }
    }

    /// A value that is mostly of the type: a literal, a path or a converter's.
    fn value(&mut self, of: Type, depth: usize) -> String {
        if self.dice.chance(30) && !matches!(of, Time | Trace | Span) {
            return if of == Map { self.map() } else { self.attribute() };
        }
        if depth == 0 || self.dice.chance(40) {
            return self.literal(of);
        }
        match of {
            Text => self.text(depth - 1),
            Int => self.int(depth - 1),
            Float => self.float(depth - 1),
            Bool => self.flag(depth - 1),
            Time => self.time(depth - 1),
            List => self.list(depth - 1),
            Map => self.made_map(),
            Trace | Span | Opaque => self.literal(of),
        }
    }

    fn literal(&mut self, of: Type) -> String {
        match of {
            Text if self.dice.chance(30) => quoted(self.dice.pick(NAMES)),
            Text => quoted(self.dice.pick(TEXTS)),
            Int => self.dice.pick(&["0", "1", "42", "-7", "200", "2", "9", "17"]).to_string(),
            Float => self.dice.pick(&["0.0", "1.0", "-1.5", "0.25", "1.5e3"]).to_string(),
            Bool => self.dice.pick(&["true", "false"]).to_string(),
            Time => self.dice.pick(&["Unix(1767225600)", "Unix(0, 5)"]).to_string(),
            Trace => "TraceID(0x0102030405060708090a0b0c0d0e0f10)".to_string(),
            Span => "SpanID(0x0102030405060708)".to_string(),
            List => self.dice.pick(&["[]", "[\"x\", \"a\"]", "[1, 2.5, true]", "[[1], nil]", "[\"\"]"]).to_string(),
            Map => self.dice.pick(&["{}", "{\"k\": 1}", "{\"a\": \"x\"}", "{\"a\": {\"k\": [1]}}"]).to_string(),
            Opaque => "nil".to_string(),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        let case = self.dice.below(20);
        let mut text = || self.value(Text, depth);
        match case {
            0 => format!("ToLowerCase({})", text()),
            1 => format!("ToUpperCase({})", text()),
            2 => format!("ToSnakeCase({})", text()),
            3 => format!("ToCamelCase({})", text()),
            4 => {
                let text = text();
                format!("ConvertCase({text}, {})", quoted(self.dice.pick(&["lower", "upper", "snake", "camel"])))
            }
            5 => {
                let text = text();
                format!("Substring({text}, {})", self.dice.pick(&["0, 1, true", "1, 2, true", "0, 3, true", "0, 0"]))
            }
            6 => format!("Trim({})", text()),
            7 => format!("Trim({}, \"x\")", text()),
            8 => format!("TrimPrefix({}, \"/\")", text()),
            9 => format!("TrimSuffix({}, \"t\")", text()),
            10 => format!("SHA256({})", text()),
            11 => {
                let function =
                    self.dice.pick(&["MD5", "SHA1", "SHA512", "Murmur3Hash", "Murmur3Hash128", "XXH3", "XXH128"]);
                format!("{function}({})", self.value(Text, depth))
            }
            12 => format!("Base64Encode({})", text()),
            13 => "Decode(\"eA==\", \"base64\")".to_string(),
            14 => format!("Hex({})", self.any(depth)),
            // Of containers it prints addresses.
            15 => format!("Format(\"%s|%v\", [String({}), Len({})])", self.value(Text, depth), self.attribute()),
            16 => format!("ToKeyValueString({}, \"=\", \" \", false)", self.map()),
            17 => format!("FormatTime({}, \"%Y-%m-%dT%H:%M:%S\")", self.value(Time, depth)),
            18 => {
                let separator = quoted(self.dice.pick(&["", "-", "ï"]));
                format!("Concat([{}, {}], {separator})", self.any(depth), self.any(depth))
            }
            _ => format!("String({})", self.any(depth)),
        }
    }

    fn int(&mut self, depth: usize) -> String {
        match self.dice.below(9) {
            0 => format!("Len({})", self.any(depth)),
            1 => format!("ParseInt({}, {})", self.value(Text, depth), self.dice.pick(&["10", "16", "0"])),
            2 => format!("FNV({})", self.value(Text, depth)),
            3 => {
                let function =
                    self.dice.pick(&["UnixNano", "UnixSeconds", "UnixMilli", "Year", "Hour", "Weekday", "Nanosecond"]);
                format!("{function}({})", self.value(Time, depth))
            }
            4 => {
                let operator = self.dice.pick(&["+", "-", "*", "/"]);
                format!("({} {operator} {})", self.value(Int, depth), self.value(Int, depth))
            }
            5 => format!("Index({}, {})", self.value(Text, depth), self.value(Text, depth)),
            _ => format!("Int({})", self.any(depth)),
        }
    }

    fn float(&mut self, depth: usize) -> String {
        match self.dice.below(4) {
            0 => format!("Log({})", self.value(Float, depth)),
            1 => {
                let operator = self.dice.pick(&["+", "-", "*", "/"]);
                format!("({} {operator} {})", self.value(Float, depth), self.value(Int, depth))
            }
            _ => format!("Double({})", self.any(depth)),
        }
    }

    fn flag(&mut self, depth: usize) -> String {
        match self.dice.below(7) {
            0 => format!("IsMatch({}, {})", self.any(depth), quoted(self.dice.pick(PATTERNS))),
            1..=2 => {
                let function =
                    self.dice.pick(&["IsString", "IsInt", "IsDouble", "IsBool", "IsMap", "IsList", "IsEmpty"]);
                format!("{function}({})", self.attribute())
            }
            3 => format!("HasPrefix({}, {})", self.value(Text, depth), self.literal(Text)),
            4 => format!("HasSuffix({}, {})", self.value(Text, depth), self.literal(Text)),
            5 => format!("ContainsValue({}, {})", self.value(List, depth), self.any(depth)),
            _ => format!("Bool({})", self.any(depth)),
        }
    }

    fn time(&mut self, depth: usize) -> String {
        match self.dice.below(3) {
            0 => format!("Unix({})", self.value(Int, depth)),
            1 => format!("TruncateTime({}, Duration(\"1h\"))", self.value(Time, depth)),
            _ => "Time(\"2026-02-03\", \"%Y-%m-%d\")".to_string(),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        match self.dice.below(6) {
            0 => format!("Split({}, {})", self.value(Text, depth), quoted(self.dice.pick(&["/", "", " "]))),
            1 => format!("Sort({}, {})", self.value(List, depth), quoted(self.dice.pick(&["asc", "desc"]))),
            2 => format!("Keys({})", self.map()),
            3 => format!("Values({})", self.map()),
            _ => format!("[{}, {}]", self.any(depth), self.any(depth)),
        }
    }

    fn made_map(&mut self) -> String {
        match self.dice.below(4) {
            0 => self.dice.pick(&["ParseJSON(\"{\\\"k\\\": [1, 2.5, null]}\")", "ParseJSON(\"{}\")"]).to_string(),
            1 => format!("ExtractPatterns({}, \"(?P<first>[a-z]+)\")", self.value(Text, 0)),
            2 => "ParseKeyValue(\"k=v\")".to_string(),
            _ => format!("{{\"a\": {}}}", self.any(0)),
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        match self.dice.below(14) {
            0 if depth > 0 => format!("{} and {}", self.condition(0), self.condition(0)),
            1 if depth > 0 => format!("({} or {})", self.condition(0), self.condition(0)),
            2 if depth > 0 => format!("not ({})", self.condition(0)),
            0..=4 => self.flag(0),
            5..=7 => format!("{} != nil", self.attribute()),
            8 => format!("{} == nil", self.attribute()),
            _ => {
                let context = self.some_context();
                let (field, fits) = self.dice.pick(fields(context));
                let operator = self.dice.pick(&["==", "!=", "<", ">=", "!="]);
                match (fits, self.dice.chance(50)) {
                    (Some(Text | Int | Float | Bool), true) => {
                        let (path, fits) = (self.path(context, field), fits.unwrap_or(Text));
                        format!("{path} {operator} {}", self.literal(fits))
                    }
                    _ => format!("{} {operator} {}", self.attribute(), self.any(1)),
                }
            }
        }
    }
}

const GLOBS: &[&str] = &["*", "/api/*", "GET*", "{x,shop}", "?", "[0-9]*", "*a*", ""];
const PATTERNS: &[&str] =
    &["[0-9]+", "^x$", "(cart)", "^(?P<name>[a-z]+)", ".", "o", "ï", "", "/v(\\d)/", "^$", "(?i)get"];
const KEY_PATTERNS: &[&str] = &["^http\\.", "[ab]$", "^$", "z|é", ".", "e"];

/// A text as OTTL writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Whether a value is made of what its target is a part of.
fn overlap(target: &str, value: &str) -> bool {
    let keyed = target.find('[').unwrap_or(target.len());
    let root = target[..keyed].rfind('.').map_or(0, |dot| dot + 1);
    let is_computed = [target, value].iter().any(|text| text.contains("[Concat("));
    if is_computed && value.contains(&target[root..keyed]) {
        return true;
    }
    let wholes = target.match_indices('[').map(|(end, _)| &target[root..end]);
    wholes.into_iter().any(|whole| contains_whole(value, whole))
}

/// Whether a path stands in a value and does not lead on.
fn contains_whole(value: &str, path: &str) -> bool {
    value.match_indices(path).any(|(at, _)| !value[at + path.len()..].starts_with(['[', '_', '.']))
}
