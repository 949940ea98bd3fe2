//! What is wrong with a statement, and where; and that an error leaves what otelcol leaves.

use crate::world::{FUEL, MOMENT};
use otlp::wire::put_len;
use ottl::{Context, Draft, Fuel, Paths, Statement};
use std::borrow::Cow;

/// The statement, then each of its mistakes: a mark under it, and what it says.
#[track_caller]
fn check(context: Context, paths: Paths, expected: &str) {
    let text = expected.trim_matches('\n').lines().next().expect("the statement");
    let mut shown = text.to_string();
    for error in Statement::compile(text, context, paths).err().unwrap_or_default() {
        let indent = text[..error.at.start].chars().count();
        let len = text[error.at.clone()].chars().count().max(1);
        shown += &format!("\n{}{} {}", " ".repeat(indent), "^".repeat(len), error.message);
    }
    assert_eq!(format!("\n{shown}\n"), format!("\n{}\n", expected.trim_matches('\n')));
}

#[test]
fn mistakes() {
    for expected in [
        r#"
sett(name, "x")
^^^^ unknown editor `sett`, did you mean `set`?
"#,
        r#"
SHA256(name)
^^^^^^ `SHA256` is no editor, their names begin with a lower-case letter
"#,
        r#"
set(name, "x")["a"]
              ^ `set` is an editor, it gives nothing that can be indexed
"#,
        r#"
set(name, "x") when true
               ^^^^ expected `where` or the end, found `when`
"#,
        r#"
set(name, "x") where
                    ^ expected a value, the statement ends
"#,
        r#"
set("name", "x")
    ^^^^^^ expected a path such as `attributes["key"]`, found `"name"`
"#,
        r#"
set(nam, foo) where knd == 1
    ^^^ unknown path `nam`, did you mean `name`?
         ^^^ unknown path `foo`
                    ^^^ unknown path `knd`, did you mean `kind`?
"#,
        r#"
set(name)
^^^ `set` lacks its `value`, it takes `target`, `value`
"#,
        r#"
limit(attributes, -1, [])
^^^^^ a limit is at least 0, -1 is not
"#,
        r#"
limit(attributes, attributes["i"], [])
                  ^^^^^^^^^^^^^^^ expected an int literal, found `attributes["i"]`
"#,
        r#"
limit(attributes, 1, ["a", "b"])
^^^^^ the limit 1 is less than the 2 priority keys
"#,
        r#"
merge_maps(attributes, attributes, "other")
^^^^^^^^^^ the strategy is `insert`, `update` or `upsert`, not `other`
"#,
        r#"
replace_pattern(name, "([", "x")
^^^^^^^^^^^^^^^ invalid pattern `([`: missing closing `]`
"#,
        r#"
replace_match(name, "[a", "x")
^^^^^^^^^^^^^ invalid pattern `[a`: a `[` is not closed
"#,
        r#"
replace_pattern(name, "a", "b", SHA257)
                                ^^^^^^ unknown converter `SHA257`, did you mean `SHA256`?
"#,
        r#"
replace_pattern(name, "a", "b", "SHA256")
                                ^^^^^^^^ expected the name of a converter such as `SHA256`
"#,
        r#"
append(attributes["x"])
^^^^^^ `append` needs a `value` or `values`
"#,
        r#"
copy_metric(name="x")
^^^^^^^^^^^ the editor `copy_metric` is not supported
"#,
        r#"
set(name, HasAttrKeyOnDatapoint("x"))
          ^^^^^^^^^^^^^^^^^^^^^ `HasAttrKeyOnDatapoint` is for metric conditions only
"#,
    ] {
        check(Context::Span, Paths::Plain, expected);
    }
    let expected = r#"
set(span.name, name)
               ^^^^ `name` does not say which context it is of, write one of `span.name`, `resource.name`, `scope.name`, `otelcol.name`, `instrumentation_scope.name`
"#;
    check(Context::Span, Paths::Prefixed, expected);
}

#[test]
fn an_error_leaves_what_was_done_before_it() {
    let mut span = Vec::new();
    put_len(&mut span, 5, b"name");
    let mut draft = Draft { item: Cow::Borrowed(&span), ..Draft::default() };
    let fuel = Fuel::new(FUEL);
    let mut moment = MOMENT;
    let mut execute = |draft: &mut Draft<'_>, text: &str| {
        let statement = Statement::compile(text, Context::Span, Paths::Plain).expect("a statement");
        statement.execute(draft, &mut moment, &fuel)
    };
    assert_eq!(execute(&mut draft, r#"set(name, "name")"#), Ok(true));
    assert_eq!(execute(&mut draft, r#"set(name, "x") where name == "y""#), Ok(false));
    assert!(matches!(draft.item, Cow::Borrowed(_)));
    assert!(execute(&mut draft, r#"set(attributes["new"], Now())"#).is_err());
    let mut expected = span.clone();
    put_len(&mut expected, 9, &[0x0a, 3, b'n', b'e', b'w', 0x12, 0]);
    assert_eq!(draft.item, expected);
    assert!(execute(&mut draft, "set(name, 1)").is_err());
    assert_eq!(draft.item, expected);
}

/// A statement can make a value grow with each execution, but not without end.
#[test]
fn growth_is_bounded() {
    let mut draft = Draft::default();
    let fuel = Fuel::new(u64::MAX);
    let mut moment = MOMENT;
    let statement = Statement::compile(r#"set(cache["a"], cache)"#, Context::Span, Paths::Plain).expect("a statement");
    let failed = (0..100).filter(|_| statement.execute(&mut draft, &mut moment, &fuel).is_err()).count();
    assert!(failed > 0 && draft.cache.len() < 1 << 20, "{failed} {}", draft.cache.len());
    let far =
        Statement::compile(r#"set(cache["b"][1000000000], 1)"#, Context::Span, Paths::Plain).expect("a statement");
    assert!(far.execute(&mut draft, &mut moment, &fuel).is_err());
}
