//! Actions on attribute lists; what they do was asked of otelcol 0.161.

use super::*;
use crate::{
    Client,
    notation::{attributes, decode, shown_attributes},
    splice::Splice,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

/// Somebody with the tenant `A` of whom no more is known.
#[derive(Debug)]
struct Tenant;

impl Client for Tenant {
    fn address(&self) -> String {
        "::1".to_string()
    }

    fn full_address(&self) -> Option<String> {
        Some("[::1]:80".to_string())
    }

    fn all_metadata(&self) -> Vec<(String, String)> {
        vec![("tenant".to_string(), "A".to_string())]
    }

    fn attributes(&self) -> &[&str] {
        &[]
    }

    fn metadata(&self, key: &str) -> Vec<String> {
        [("tenant", "A")].iter().filter(|(name, _)| *name == key).map(|(_, value)| (*value).to_string()).collect()
    }

    fn attribute(&self, _name: &str) -> Option<String> {
        None
    }
}

fn applied(actions: &str, before: &str) -> String {
    applied_for(None, actions, before)
}

fn applied_for(client: Option<&dyn Client>, actions: &str, before: &str) -> String {
    let settings: Vec<ActionSettings> = decode(actions).unwrap();
    let actions = Actions::new(&settings).unwrap();
    let sender = client.map(Sender::new);
    let actions = actions.of(sender.as_ref());
    let source = Resource { attributes: attributes(before), ..Resource::default() }.encode_to_vec();
    let mut list = AttributeList::new(&source);
    list.read(0..source.len(), 1).unwrap();
    actions.apply(&mut list);
    let mut splice = Splice::new(&source);
    list.write(&mut splice);
    shown_attributes(&Resource::decode(&*splice.finish()).unwrap().attributes)
}

#[test]
fn values_come_from_the_client() {
    for (actions, before, after) in [
        ("{key: a, from_context: metadata.tenant, action: upsert}", "{a: x}", "{a: A}"),
        ("{key: a, from_context: tenant, default_value: 7, action: insert}", "{}", "{a: A}"),
        ("{key: a, from_context: tenant, action: update}", "{}", "{}"),
        ("{key: a, from_context: metadata.b, action: upsert}", "{a: x}", "{a: x}"),
        ("{key: a, from_context: metadata.b, default_value: 7, action: insert}", "{}", "{a: 7}"),
        ("{key: a, from_context: auth.b, default_value: 7, action: insert}", "{}", "{a: 7}"),
        ("{key: a, from_context: client.address, default_value: 7, action: insert}", "{}", "{a: ::1}"),
    ] {
        assert_eq!(applied_for(Some(&Tenant), &format!("[{actions}]"), before), after, "{actions}");
    }
}

#[test]
fn actions() {
    let sha_x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    for (actions, before, after) in [
        ("{key: a, value: 1, action: insert}", "{b: 2}", "{b: 2, a: 1}"),
        ("{key: a, value: 1, action: insert}", "{a: 2}", "{a: 2}"),
        ("{key: a, value: 1, action: INSERT}", "{}", "{a: 1}"),
        ("{key: a, value: \"\", action: insert}", "{}", "{a: \"\"}"),
        ("{key: a, value: [1, {b: 2.5}], action: insert}", "{}", "{a: [1,{\"b\":2.5}]}"),
        ("{key: a, value: 1, action: update}", "{b: 2}", "{b: 2}"),
        ("{key: a, value: true, action: update}", "{a: 2, b: 3}", "{a: true, b: 3}"),
        ("{key: a, value: 1.5, action: upsert}", "{a: 2, b: 3}", "{a: 1.5, b: 3}"),
        ("{key: a, value: 1, action: upsert}", "{}", "{a: 1}"),
        ("{key: a, from_attribute: b, action: upsert}", "{b: x}", "{b: x, a: x}"),
        ("{key: a, from_attribute: b, action: upsert}", "{c: x}", "{c: x}"),
        ("{key: a, from_attribute: b, default_value: d, action: upsert}", "{c: x}", "{c: x, a: d}"),
        ("{key: a, from_attribute: b, default_value: d, action: upsert}", "{b: x}", "{b: x, a: x}"),
        ("{key: a, from_context: metadata.b, action: upsert}", "{b: x}", "{b: x}"),
        ("{key: a, from_context: b, default_value: 7, action: insert}", "{b: x}", "{b: x, a: 7}"),
        ("{key: a, from_context: client.address, default_value: 7, action: insert}", "{}", "{a: \"\"}"),
        ("{key: a, action: delete}", "{a: 1, b: 2, c: 3}", "{c: 3, b: 2}"),
        ("{pattern: '^a|c$', action: delete}", "{ab: 1, b: 2, bc: 3, d: 4}", "{b: 2, d: 4}"),
        ("{key: d, pattern: '^a', action: delete}", "{ab: 1, b: 2, d: 3, e: 4}", "{b: 2, e: 4}"),
        ("{key: a, action: hash}", "{a: x}", &format!("{{a: {sha_x}}}")),
        ("{key: a, action: hash}", "{a: [x]}", "{a: \"\"}"),
        ("{key: a, action: hash}", "{b: x}", "{b: x}"),
        ("{pattern: a, action: hash}", "{a: x, b: y, ca: x}", &format!("{{a: {sha_x}, b: y, ca: {sha_x}}}")),
        ("{key: a, pattern: '^(?P<b>.)(?P<c>.)?', action: extract}", "{a: x, b: 1}", "{a: x, b: x, c: \"\"}"),
        ("{key: a, pattern: '(?P<a>.)$', action: extract}", "{a: xy}", "{a: y}"),
        ("{key: a, pattern: '(?P<b>.)', action: extract}", "{a: 12}", "{a: 12}"),
        ("{key: a, pattern: '(?P<b>y)', action: extract}", "{a: x}", "{a: x}"),
        ("{key: a, converted_type: int, action: convert}", "{a: '42'}", "{a: 42}"),
        ("{key: a, converted_type: int, action: convert}", "{a: x}", "{a: x}"),
        ("{key: a, converted_type: int, action: convert}", "{a: -1.9}", "{a: -1}"),
        ("{key: a, converted_type: int, action: convert}", "{a: true}", "{a: 1}"),
        ("{key: a, converted_type: int, action: convert}", "{a: [1]}", "{a: [1]}"),
        ("{key: a, converted_type: double, action: convert}", "{a: '1.5'}", "{a: 1.5}"),
        ("{key: a, converted_type: double, action: convert}", "{a: 2}", "{a: 2.0}"),
        ("{key: a, converted_type: string, action: convert}", "{a: 2.0}", "{a: \"2\"}"),
        ("{key: a, converted_type: string, action: convert}", "{a: {c: <, b: 1}}", "{a: {\"b\":1,\"c\":\"<\"}}"),
        (
            "{key: a, value: 1, action: insert}, {key: b, from_attribute: a, action: insert}, {key: a, action: delete}",
            "{}",
            "{b: 1}",
        ),
    ] {
        assert_eq!(applied(&format!("[{actions}]"), before), after, "{actions} on {before}");
    }
}

#[test]
fn mistakes() {
    for (action, expected) in [
        (
            "{key: a}",
            "an action needs `action`; write one of `insert`, `update`, `upsert`, `delete`, `hash`, `extract` or `convert`",
        ),
        ("{key: a, action: inserd}", "unknown action `inserd`, did you mean `insert`?"),
        ("{key: a, actoin: insert}", "unknown setting `actoin` in `action`, did you mean `action`?"),
        ("{action: insert, value: 1}", "the action `insert` needs a `key`"),
        ("{action: delete}", "the action `delete` needs a `key` or a `pattern`"),
        (
            "{key: a, action: insert}",
            "the action `insert` of `a` needs a `value`, `from_attribute`, `from_context` or `default_value`",
        ),
        (
            "{key: a, action: insert, value: 1, from_attribute: b}",
            "the action `insert` of `a` has both `value` and `from_attribute`; remove one of them",
        ),
        ("{key: a, action: insert, value: 1, pattern: b}", "the action `insert` has no `pattern`; remove it"),
        ("{key: a, action: delete, value: 1}", "the action `delete` has no `value`; remove it"),
        (
            "{key: a, action: hash, pattern: '('}",
            "invalid pattern `(`: missing closing `)`; write it in Go's syntax (RE2)",
        ),
        (
            "{key: a, action: extract}",
            "the action `extract` of `a` needs a `pattern`; write one such as `^(?P<key>.*)$`",
        ),
        ("{key: a, action: extract, pattern: x}", "the pattern `x` has no group; write one as `(?P<key>…)`"),
        (
            "{key: a, action: extract, pattern: (x)}",
            "the pattern `(x)` has a group without a name; write it as `(?P<key>…)` or `(?:…)`",
        ),
        (
            "{key: a, action: convert}",
            "the action `convert` of `a` needs a `converted_type`; write `int`, `double` or `string`",
        ),
        (
            "{key: a, action: convert, converted_type: bool}",
            "unknown `converted_type` `bool`; write `int`, `double` or `string`",
        ),
        ("{key: 1, action: delete}", "`key` must be text, found the integer `1`"),
    ] {
        assert_eq!(decode::<ActionSettings>(action).unwrap_err(), expected, "{action}");
    }
}
