//! Patterns in Go's syntax: a literal one is compiled with the condition, any other one at each call.

mod grok;

use super::{Arguments, Call, Function, Kind, Run, arg, opt, prepared, run};
use crate::{
    error::Error,
    pattern::{Extractor, Pattern},
    value::{Map, Value, excerpt},
};
use grok::{Grok, Patterns};
use std::borrow::Cow;

pub(super) const TABLE: &[Function] = &[
    prepared("IsMatch", &[arg("Target", Kind::StrLike), arg("Pattern", Kind::Str)], is_match).costly(),
    prepared("ExtractPatterns", &[arg("Target", Kind::Str), arg("Pattern", Kind::Str)], extract_patterns).costly(),
    prepared(
        "ExtractGrokPatterns",
        &[
            arg("Target", Kind::Str),
            arg("Pattern", Kind::Str),
            opt("NamedCapturesOnly", Kind::Flag),
            opt("PatternDefinitions", Kind::Texts),
        ],
        extract_grok_patterns,
    )
    .costly(),
];

fn is_match(arguments: &Arguments) -> Result<Run, String> {
    let Some(source) = arguments.constant_str(1) else {
        return Ok(run(|call: Call<'_>| {
            let source = dynamic_source(call)?;
            matches(call, &compiled(&source, Pattern::new).map_err(Error::failed)?)
        }));
    };
    let pattern = compiled(source, Pattern::new)?;
    Ok(run(move |call: Call<'_>| matches(call, &pattern)))
}

fn matches<'e>(call: Call<'e>, pattern: &Pattern) -> Result<Value<'e>, Error> {
    let Some(text) = call.str_like(0)? else { return Ok(Value::Bool(false)) };
    call.spend(text.len())?;
    Ok(Value::Bool(pattern.is_match(&text)))
}

fn extract_patterns(arguments: &Arguments) -> Result<Run, String> {
    let Some(source) = arguments.constant_str(1) else {
        return Ok(run(|call: Call<'_>| {
            let source = dynamic_source(call)?;
            extract(call, &compiled(&source, Extractor::new).map_err(Error::failed)?)
        }));
    };
    let pattern = compiled(source, Extractor::new)?;
    Ok(run(move |call: Call<'_>| extract(call, &pattern)))
}

/// What the named groups matched; a group that took no part is empty, and without a match there is none.
fn extract<'e>(call: Call<'e>, pattern: &Extractor) -> Result<Value<'e>, Error> {
    if pattern.is_nameless() {
        return Err(Error::failed("the pattern has no named group"));
    }
    let text = call.str(0)?;
    call.spend(2 * text.len())?;
    let groups = pattern.extract(&text).unwrap_or_default();
    let mut entries = Vec::new();
    for (name, text) in groups {
        put(&mut entries, name.as_bytes().to_vec(), Value::string(text.unwrap_or_default()));
    }
    Ok(Value::Map(Map::data(entries)))
}

/// Sets an entry; of several groups with one name the last counts.
fn put(entries: &mut Vec<(Cow<'static, [u8]>, Value<'static>)>, name: Vec<u8>, value: Value<'static>) {
    match entries.iter_mut().find(|(known, _)| **known == *name) {
        Some((_, known)) => *known = value,
        None => entries.push((name.into(), value)),
    }
}

fn extract_grok_patterns(arguments: &Arguments) -> Result<Run, String> {
    let mut patterns = Patterns::default();
    for definition in arguments.constant_items(3) {
        let Value::Str(definition) = definition else { return Err("a pattern definition is no string".to_string()) };
        patterns.define(utf8(definition)?)?;
    }
    let is_named_only = arguments.constant_bool(2).unwrap_or(false);
    let Some(source) = arguments.constant_str(1) else {
        return Ok(run(move |call: Call<'_>| {
            let source = dynamic_source(call)?;
            let grok = compiled(&source, |source| Grok::new(source, &patterns, is_named_only));
            extract_grok(call, &grok.map_err(Error::failed)?)
        }));
    };
    let grok = compiled(source, |source| Grok::new(source, &patterns, is_named_only))?;
    Ok(run(move |call: Call<'_>| extract_grok(call, &grok)))
}

fn extract_grok<'e>(call: Call<'e>, grok: &Grok) -> Result<Value<'e>, Error> {
    let text = call.str(0)?;
    call.spend(2 * text.len())?;
    grok.extract(&text).map(Value::Map).map_err(Error::failed)
}

/// Compiles a pattern.
fn compiled<P>(source: &[u8], new: impl FnOnce(&str) -> Result<P, String>) -> Result<P, String> {
    new(utf8(source)?).map_err(|error| format!("invalid pattern `{}`: {error}", excerpt(source)))
}

fn utf8(source: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(source).map_err(|_| "invalid pattern: not UTF-8".to_string())
}

/// The text of a pattern that some argument evaluates to.
fn dynamic_source(call: Call<'_>) -> Result<std::borrow::Cow<'_, [u8]>, Error> {
    let source = call.str(1)?;
    // Compiling takes much longer than matching.
    call.spend(DYNAMIC_BYTES + source.len() * 100)?;
    Ok(source)
}

/// What compiling a pattern costs at least.
const DYNAMIC_BYTES: usize = 5000;

#[cfg(test)]
mod tests;
