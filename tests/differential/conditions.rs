//! Random OTTL conditions about what random traces carry. A condition is a template with holes, filled by kind of value;
//! the templates name each construct and most converters.

use crate::{
    dice::Dice,
    traffic::{NAMES, ROUTES, SERVICES, USERS},
};

/// Conditions for a list `span`. Holes: `S` a string, `s` its literal, `I` an integer, `i` its literal, `C` a comparison,
/// `E` an order, `A` any attribute, `L` the list, `M` the map, `T` a time, `D` a duration, `R` a pattern.
const SPAN: &[&str] = &[
    "{S} {C} {s}",
    "{S} == {s}",
    "{S} == {S}",
    "{I} {C} {i}",
    "{I} {C} {I}",
    "{I} == {i}",
    "{A} == nil",
    "{A} != nil",
    "{A} {C} {i}",
    "{A} == {s}",
    "{A} == {A}",
    "{A} {C} {d}",
    "{I} + {i} {C} {I} * 2",
    "{I} - {i} > {i} / 2",
    "{A} * 2 > {i}",
    "{A} / {I} == 1",
    "{D} {C} {D}",
    "{T} {C} {T}",
    "Milliseconds({D}) {C} {i}",
    "Seconds({D}) {C} {d}",
    "IsMatch({S}, {R})",
    "IsMatch({A}, {R})",
    "IsRootSpan()",
    "parent_span_id == SpanID(0x0000000000000000)",
    "IsString({A})",
    "IsInt({A})",
    "IsDouble({A})",
    "IsBool({A})",
    "IsMap({A})",
    "IsList({A})",
    "IsEmpty({A})",
    "HasPrefix({S}, {s})",
    "HasSuffix({A}, {s})",
    "Len({S}) {C} {i}",
    "Len({A}) {C} {i}",
    "Len(events) {C} 1",
    "Len(links) > 0",
    "Len(attributes) {C} {i}",
    "ContainsValue({L}, {s})",
    "ContainsValue({L}, 3)",
    "{L}[0] == {s}",
    "{L}[1] {C} {i}",
    "{M}[\"k\"] == \"v\"",
    "{M}[\"i\"] {C} {i}",
    "{M}[\"n\"][\"x\"] == nil",
    "{M} == {\"k\": \"v\", \"i\": 7}",
    "{L} == [\"a\", \"b\"]",
    "{A}[\"x\"] == nil",
    "{A}[0] == {s}",
    "Int({A}) {C} {i}",
    "Double({A}) {C} {d}",
    "String({A}) {C} {s}",
    "Bool({A}) == true",
    "Concat([{S}, {A}], \"-\") == Concat([{A}, {S}], \"-\")",
    "Concat([{A}, {I}], \":\") != {s}",
    "ToUpperCase({S}) == ToUpperCase({s})",
    "ToLowerCase({A}) == {s}",
    "ConvertCase({S}, \"snake\") == ConvertCase({S}, \"lower\")",
    "Substring({S}, 0, 3) == \"GET\"",
    "Substring({A}, 1, 2) {C} \"ca\"",
    "Split({S}, \" \")[0] == \"GET\"",
    "Split({S}, \"/\")[1] == \"cart\"",
    "Len(Split({A}, \"/\")) {C} {i}",
    "Index({S}, \"/\") {C} {i}",
    "Index({L}, \"b\") >= 0",
    "Trim({S}) == {S}",
    "TrimPrefix({S}, \"GET \") {C} {s}",
    "TrimSuffix({A}, \"cart\") != {A}",
    "Coalesce([{A}, {S}]) {C} {s}",
    "Format(\"%v/%v\", [{I}, {A}]) {C} \"3\"",
    "Format(\"%03d\", [{I}]) > \"1\"",
    "ParseInt({A}, 10) {C} {i}",
    "Hex({A}) {C} \"0\"",
    "FNV({S}) {C} 0",
    "SHA256({S}) {C} \"8\"",
    "MD5({A}) < \"8\"",
    "XXH3({S}) {C} \"8\"",
    "Murmur3Hash({S}) > \"8\"",
    "Base64Encode({S}) {C} \"R\"",
    "Keys({M})[0] == \"k\"",
    "Len(Values({M})) {C} 2",
    "Sort({L}, \"desc\")[0] != {s}",
    "ExtractPatterns({S}, \"(?P<verb>^[A-Z]+)\")[\"verb\"] == \"GET\"",
    "ExtractGrokPatterns({S}, \"%{WORD:first}\", true)[\"first\"] {C} {s}",
    "ParseKeyValue({S}, \" \", \",\")[\"GET\"] == \"/cart\"",
    "URL(Concat([\"http://h:80\", {A}], \"\"))[\"url.path\"] {C} {s}",
    "UnixMilli({T}) {C} 1767225600500",
    "Nanosecond({T}) / 1000000 {C} 500",
    "Minute({T}) == 0",
    "TruncateTime({T}, Duration(\"1s\")) == Unix(1767225600)",
    "FormatTime({T}, \"%Y-%m\") == \"2026-01\"",
    "IsInCIDR({S}, [\"10.0.0.0/8\"])",
    "trace_state[\"vendor\"] == \"a\"",
    "trace_state[\"team\"] != \"\"",
    "trace_id.string {C} \"8\"",
    "span_id != SpanID(0x0000000000000000)",
    "kind == SPAN_KIND_SERVER",
    "status.code == STATUS_CODE_ERROR",
    "resource.attributes[\"shard\"] {C} {i}",
    "resource.dropped_attributes_count > 0",
    "scope.attributes[\"sa\"] == \"x\"",
    "flags {C} 1",
    "dropped_events_count {C} 0",
];

/// For a list `spanevent`; `span.…` reaches what the others ask about.
const EVENT: &[&str] = &[
    "attributes[\"attempt\"] {C} {i}",
    "attributes[\"exception.type\"] == \"Timeout\"",
    "attributes[\"exception.type\"] != nil",
    "name == \"exception\"",
    "IsMatch(name, \"^(retry|log)$\")",
    "time - span.start_time {C} Duration(\"200ms\")",
    "time_unix_nano {C} span.end_time_unix_nano",
    "span.kind {C} {i}",
    "span.attributes[\"http.route\"] == {s}",
    "resource.attributes[\"service.name\"] == {s}",
    "scope.name == \"lib\"",
    "event_index == 0",
    "attributes[\"attempt\"] / span.kind == 1",
    "Len(attributes) {C} 1",
    "span.status.code == STATUS_CODE_ERROR",
];

const STRINGS: &[&str] = &[
    "name",
    "status.message",
    "attributes[\"http.route\"]",
    "attributes[\"user\"]",
    "resource.attributes[\"service.name\"]",
    "resource.attributes[\"region\"]",
    "scope.name",
    "scope.version",
    "kind.string",
    "trace_state",
    "span.name",
];
const INTS: &[&str] = &[
    "kind",
    "status.code",
    "attributes[\"http.status\"]",
    "attributes[\"retry\"]",
    "flags",
    "Len(name)",
    "dropped_links_count",
    "resource.attributes[\"shard\"]",
];
const ATTRIBUTES: &[&str] =
    &["http.route", "http.status", "retry", "score", "cached", "user", "tags", "ctx", "raw", "nothing", "missing"];
const COMPARISONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];
const INTEGERS: &[&str] = &["0", "1", "2", "3", "5", "200", "404", "500", "-1"];
const DOUBLES: &[&str] = &["0.5", "1.0", "1.5", "404.5", "-2.25", ".25"];
const DURATIONS: &[&str] = &[
    "(end_time - start_time)",
    "Duration(\"100ms\")",
    "Duration(\"1s\")",
    "Duration(\"2s\")",
    "(start_time - end_time)",
];
const TIMES: &[&str] = &["start_time", "end_time", "Unix(1767225601)", "(start_time + Duration(\"300ms\"))"];
const PATTERNS: &[&str] = &[
    "^GET",
    "cart",
    "(?i)check",
    "^/api/v\\\\d",
    "\\\\bpay\\\\b",
    "^5\\\\d\\\\d$",
    "true",
    "[a-z]+-\\\\d",
    "^.{3,5}$",
    "a.*e",
];

/// A condition for a list `span`.
pub(crate) fn span(dice: &mut Dice) -> String {
    combine(dice, SPAN, 2)
}

/// A condition for a list `spanevent`.
pub(crate) fn event(dice: &mut Dice) -> String {
    combine(dice, EVENT, 1)
}

fn combine(dice: &mut Dice, templates: &[&str], depth: usize) -> String {
    if depth == 0 || dice.chance(60) {
        let template = dice.pick(templates);
        return fill(dice, template);
    }
    let (left, right) = (combine(dice, templates, depth - 1), combine(dice, templates, depth - 1));
    match dice.below(5) {
        0 => format!("{left} or {right}"),
        1 => format!("not ({left})"),
        2 => format!("({left}) and ({right})"),
        3 => format!("not ({left} or {right})"),
        _ => format!("{left} and {right}"),
    }
}

fn fill(dice: &mut Dice, template: &str) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, hole) = rest.split_at(open);
        filled.push_str(before);
        let known = hole.get(1..3).filter(|hole| hole.ends_with('}')).and_then(|hole| one(dice, &hole[..1]));
        match known {
            Some(text) => {
                filled.push_str(&text);
                rest = &hole[3..];
            }
            None => {
                filled.push('{');
                rest = &hole[1..];
            }
        }
    }
    filled + rest
}

fn one(dice: &mut Dice, hole: &str) -> Option<String> {
    let text = match hole {
        "S" => dice.pick(STRINGS).to_owned(),
        "s" => {
            let words = dice.pick(&[SERVICES, ROUTES, USERS, NAMES]);
            format!("\"{}\"", dice.pick(words))
        }
        "I" => dice.pick(INTS).to_owned(),
        "i" => dice.pick(INTEGERS).to_owned(),
        "d" => dice.pick(DOUBLES).to_owned(),
        "A" => format!("attributes[\"{}\"]", dice.pick(ATTRIBUTES)),
        "C" => dice.pick(COMPARISONS).to_owned(),
        "L" => "attributes[\"tags\"]".to_owned(),
        "M" => "attributes[\"ctx\"]".to_owned(),
        "D" => dice.pick(DURATIONS).to_owned(),
        "T" => dice.pick(TIMES).to_owned(),
        "R" => format!("\"{}\"", dice.pick(PATTERNS)),
        _ => return None,
    };
    Some(text)
}
