//! What becomes of requests, by settings of each kind.

use super::*;
use crate::notation::{check, decode};

fn redaction(yaml: &str) -> Redaction {
    Redaction::new(&decode(yaml).unwrap()).unwrap()
}

#[track_caller]
fn spans(yaml: &str, cases: &[(&str, &str)]) {
    let processor = redaction(yaml);
    let line = |span: &str| format!("{{}} [s] {span}");
    cases.iter().for_each(|(before, after)| check(&processor, Signal::Traces, &line(before), &line(after), 0));
}

#[test]
fn unknown_keys_go_from_everywhere() {
    let processor = redaction("{allowed_keys: [a], summary: debug}");
    for signal in Signal::ALL {
        check(
            &processor,
            signal,
            "{a: 1, b: 2} [s] n {c: 3, a: 4, b: 5}",
            "{a: 1, redaction.redacted.keys: b, redaction.redacted.count: 1} [s] n {a: 4, redaction.redacted.keys: b,c, \
             redaction.redacted.count: 2}",
            0,
        );
        check(&processor, signal, "- [s] n {a: 1}", "- [s] n {a: 1}", 0);
    }
    spans("{}", &[("n {a: 1, b: x}", "n {}")]);
}

#[test]
fn values_are_masked() {
    spans(
        "{allow_all_keys: true, blocked_values: ['4[0-9]{3}', 'se.ret'], allowed_values: ['^ok'], summary: info}",
        &[
            ("n {a: 4111 and 4222, b: x}", "n {a: **** and ****, b: x, redaction.masked.count: 1}"),
            ("n {a: 4111}", "n {a: 4111}"),
            ("n {a: ok 4111}", "n {a: ok 4111, redaction.allowed.count: 1}"),
            ("n {a: secret, redaction.masked.count: 2}", "n {a: ****, redaction.masked.count: 3}"),
        ],
    );
    spans(
        "{allow_all_keys: true, blocked_values: ['4[0-9]{3}'], redact_all_types: true}",
        &[("n {a: 4111, b: [4111, 2], c: true}", "n {a: ****, b: [****,2], c: true}")],
    );
    spans(
        "{allow_all_keys: true, blocked_key_patterns: ['token'], ignored_keys: [x.token], ignored_key_patterns: ['^y'], \
         summary: debug}",
        &[(
            "n {token: 5, a.token: 'b', x.token: c, y.token: d}",
            "n {token: ****, a.token: ****, x.token: c, y.token: d, redaction.masked.keys: a.token,token, \
             redaction.masked.count: 2, redaction.ignored.count: 2}",
        )],
    );
}

#[test]
fn hashes() {
    let key = "k".repeat(64);
    for (function, expected) in [
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha3", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
    ] {
        let yaml = format!("{{allow_all_keys: true, hash_function: {function}, blocked_values: [abc]}}");
        spans(&yaml, &[("n {a: 'abc!'}", &format!("n {{a: {expected}!}}"))]);
    }
    for (function, digits) in [("hmac-sha256", 64), ("hmac-sha512", 128)] {
        let yaml =
            format!("{{allow_all_keys: true, hash_function: {function}, hmac_key: {key}, blocked_values: [abc]}}");
        let settings: RedactionSettings = decode(&yaml).unwrap();
        let rules = Redaction::new(&settings).unwrap().rules;
        assert_eq!(rules.masked(b"abc").len(), digits);
    }
}

#[test]
fn queries() {
    spans(
        "{allow_all_keys: true, db_sanitizer: {redis: {enabled: true, attributes: [db.statement]}, \
         mongo: {enabled: true, attributes: [q]}}}",
        &[
            (
                "SET k v kind=3 {db.system: Redis, db.statement: SET a b}",
                "SET k ? kind=3 {db.system: Redis, db.statement: SET a ?}",
            ),
            ("SET k v kind=3 {db.statement: SET a b}", "SET k v kind=3 {db.statement: SET a b}"),
            (
                "n {db.system: mongodb, q: '[1]', db.statement: SET a b}",
                "n {db.system: mongodb, q: [\"?\"], db.statement: SET a b}",
            ),
        ],
    );
    let processor = redaction("{allow_all_keys: true, db_sanitizer: {redis: {enabled: true, attributes: [s]}}}");
    check(&processor, Signal::Logs, "{} [s] SET a b {s: SET c d}", "{} [s] SET a ? {s: SET c ?}", 0);
}

#[test]
fn log_bodies() {
    use crate::any_value::Literal;
    let text = |text: &str| Literal::Str(text.to_string());
    let map = |entries: &[(&str, Literal)]| {
        Literal::Map(entries.iter().map(|(key, value)| ((*key).to_string(), value.clone())).collect())
    };
    let rules = redaction(
        "{allow_all_keys: true, blocked_values: [secret], blocked_key_patterns: [token], ignored_keys: [i], allowed_values: [ok]}",
    )
    .rules;
    let body = map(&[
        ("a", Literal::List(vec![text("x"), map(&[("b", text("secret")), ("ok", text("ok secret"))])])),
        ("token", Literal::Int(5)),
        ("i", text("secret")),
    ]);
    let expected = map(&[
        ("a", Literal::List(vec![text("x"), map(&[("b", text("****")), ("ok", text("ok secret"))])])),
        ("token", text("****")),
        ("i", text("secret")),
    ]);
    let mut tally = Tally::default();
    let edited = rules.value(&body.encode(), Path::Root, 0, &mut tally).unwrap();
    assert_eq!(edited, Some(expected.encode()));
    let names =
        |keys: &[Cow<'_, [u8]>]| keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect::<Vec<_>>();
    assert_eq!(names(&tally.masked), ["a.[1].b", "token"]);
    assert_eq!(names(&tally.allowed), ["a.[1].ok"]);
    assert_eq!(tally.ignored, 1);
    assert_eq!(rules.value(&text("fine").encode(), Path::Root, 0, &mut tally), Ok(None));

    let processor = redaction("{allow_all_keys: true, blocked_values: [secret], summary: debug}");
    let after = "{} [s] a **** {b: 1, redaction.body.masked.keys: body, redaction.body.masked.count: 1}";
    check(&processor, Signal::Logs, "{} [s] a secret {b: 1}", after, 0);
}

#[test]
fn fields_in_another_order() {
    let mut event = Vec::new();
    crate::any_value::put_key_value(&mut event, EVENT_ATTRIBUTE, b"k", &crate::any_value::of_str(b"secret"));
    let mut span = Vec::new();
    put_len(&mut span, walk::EVENT, &event);
    crate::any_value::put_key_value(&mut span, walk::SPAN_ATTRIBUTE, b"k", &crate::any_value::of_str(b"secret"));
    let mut scope = Vec::new();
    put_len(&mut scope, walk::ITEM, &span);
    let mut resource = Vec::new();
    put_len(&mut resource, walk::SCOPE_PART, &scope);
    let mut request = Vec::new();
    put_len(&mut request, walk::RESOURCE_PART, &resource);
    let processor = redaction("{allow_all_keys: true, blocked_values: [secret]}");
    let edited = processor.edit(Signal::Traces, &request, Moment::at(0, 0)).unwrap();
    let text = String::from_utf8_lossy(&edited.body).into_owned();
    assert_eq!((text.matches("****").count(), text.contains("secret")), (2, false));
}

#[test]
fn settings() {
    for (yaml, expected) in [
        ("{blocked_values: [a, '(']}", "invalid pattern `(`"),
        ("{hash_function: md4}", "unknown hash function `md4`"),
        (
            "{hash_function: hmac-sha256, hmac_key: short}",
            "`hmac-sha256` needs an `hmac_key` of at least 32 bytes, this has 5",
        ),
        ("{db_sanitizer: {sql: {enabled: true}}}", "queries in SQL cannot be sanitized by this version"),
        ("{allowed_key: [a]}", "unknown setting `allowed_key` in `redaction`, did you mean `allowed_keys`?"),
    ] {
        let error = decode::<RedactionSettings>(yaml).unwrap_err();
        assert!(error.starts_with(expected), "{yaml}: {error}");
    }
    let settings: RedactionSettings =
        decode("{hash_function: SHA3, url_sanitizer: {sanitize_span_name: false}}").unwrap();
    let printed = settings.effective().to_yaml(::settings::Mode::Unredacted);
    assert!(printed.contains("hash_function: sha3\nhmac_key: \"\"\n"), "{printed}");
    assert!(
        printed.ends_with("url_sanitizer:\n    attributes: []\n    enabled: false\n    sanitize_span_name: false\n"),
        "{printed}"
    );
}
