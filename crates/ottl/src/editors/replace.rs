//! Texts that match a pattern are replaced, in part or whole.

use super::{Editor, editor};
use crate::{
    edit::{Edit, Run, run},
    error::Error,
    expr::Expr,
    functions::{
        Argument, Arguments, Build, Call, Function,
        Kind::{Converter, Str, Target, Text},
        Param, arg, opt,
    },
    pattern::{Glob, Replacer},
    subject::Subject,
    value::{Value, excerpt},
};

pub(super) const TABLE: &[Editor] = &[
    editor("replace_match", ONE, |arguments| {
        let literal = literal(arguments, 1, glob)?;
        Ok(run(move |call: Call<'_>| replace_match(call, &literal)))
    }),
    editor("replace_all_matches", ONE, |arguments| {
        let literal = literal(arguments, 1, glob)?;
        Ok(run(move |call: Call<'_>| replace_all_matches(call, &literal)))
    }),
    editor("replace_pattern", PATTERN, |arguments| {
        let literal = literal(arguments, 1, replacer)?;
        Ok(run(move |call: Call<'_>| replace_pattern(call, &literal)))
    }),
    editor("replace_all_patterns", ALL_PATTERNS, replace_all_patterns),
];

const ONE: &[Param] = &[
    arg("Target", Target),
    arg("Pattern", Str),
    arg("Replacement", Str),
    opt("Function", Converter),
    opt("ReplacementFormat", Str),
];

const PATTERN: &[Param] = &[
    arg("Target", Target),
    arg("RegexPattern", Str),
    arg("Replacement", Str),
    opt("Function", Converter),
    opt("ReplacementFormat", Str),
];

const ALL_PATTERNS: &[Param] = &[
    arg("Target", Target),
    arg("Mode", Text),
    arg("RegexPattern", Str),
    arg("Replacement", Str),
    opt("Function", Converter),
    opt("ReplacementFormat", Str),
];

fn replace_match(call: Call<'_>, literal: &Option<Glob>) -> Edit {
    let dynamic = dynamic(call, 1, literal, glob)?;
    let value = call.any(0)?;
    let replacement = whole_replacement(call)?;
    match (value, literal.as_ref().or(dynamic.as_ref())) {
        (Value::Str(text), Some(glob)) if glob.is_match(&text) => {
            call.target(0)?.set(call.subject, &Value::string(replacement))
        }
        _ => Ok(None),
    }
}

fn replace_all_matches(call: Call<'_>, literal: &Option<Glob>) -> Edit {
    let dynamic = dynamic(call, 1, literal, glob)?;
    let Some(glob) = literal.as_ref().or(dynamic.as_ref()) else { return Ok(None) };
    call.target(0)?.edit_entries(call.subject, |entries| {
        let replacement = whole_replacement(call)?;
        for slot in entries.iter_mut() {
            if matches!(slot.value(), otlp::Value::Str(text) if glob.is_match(text)) {
                slot.set_str(&replacement);
            }
        }
        Ok(true)
    })
}

/// What a text that matches as a whole becomes.
fn whole_replacement(call: Call<'_>) -> Result<Vec<u8>, Error> {
    let replacement = call.str(2)?.into_owned();
    if call.converter(3).is_some() { converted(call, 3, replacement) } else { Ok(replacement) }
}

fn replace_pattern(call: Call<'_>, literal: &Option<Replacer>) -> Edit {
    let value = call.any(0)?;
    if matches!(value, Value::Nil) {
        return Ok(None);
    }
    let replacement = call.str(2)?;
    let Value::Str(text) = value else { return Ok(None) };
    let dynamic = dynamic(call, 1, literal, replacer)?;
    let Some(pattern) = literal.as_ref().or(dynamic.as_ref()) else { return Ok(None) };
    if !pattern.is_match(&text) {
        return Ok(None);
    }
    let replaced = replaced(call, 3, pattern, &text, &replacement)?;
    call.target(0)?.set(call.subject, &Value::string(replaced))
}

fn replace_all_patterns(arguments: &Arguments) -> Result<Run, String> {
    let literal = literal(arguments, 2, replacer)?;
    let is_for_keys = match arguments.constant_text(1) {
        Some("key") => true,
        Some("value") => false,
        other => return Err(format!("the mode is `key` or `value`, not `{}`", other.unwrap_or_default())),
    };
    Ok(run(move |call: Call<'_>| {
        let dynamic = dynamic(call, 2, &literal, replacer)?;
        let Some(pattern) = literal.as_ref().or(dynamic.as_ref()) else { return Ok(None) };
        call.target(0)?.edit_entries(call.subject, |entries| {
            let replacement = call.str(3)?;
            // A converter that fails leaves a value as it is.
            let replace = |text: &[u8]| replaced(call, 4, pattern, text, &replacement).ok();
            if !is_for_keys {
                for slot in entries.iter_mut() {
                    let text = slot.value().str_or_empty();
                    let is_meant = matches!(slot.value(), otlp::Value::Str(_)) && pattern.is_match(text);
                    if let Some(text) = is_meant.then(|| replace(text)).flatten() {
                        slot.set_str(&text);
                    }
                }
                return Ok(true);
            }
            rename(entries, pattern, replace);
            Ok(true)
        })
    }))
}

/// Renames the keys that match; of several that become equal the last one counts. Where a converter fails, otelcol loses the
/// entry, and so it is here.
fn rename(
    entries: &mut crate::edit::entries::Entries<'_>,
    pattern: &Replacer,
    replace: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    for slot in entries.take() {
        if !pattern.is_match(slot.key()) {
            entries.put_slot(slot);
        } else if let Some(key) = replace(slot.key()) {
            entries.put_slot(slot.renamed(&key));
        }
    }
}

/// A text with its matches replaced, each passed through the converter if there is one.
fn replaced(
    call: Call<'_>,
    function: usize,
    pattern: &Replacer,
    text: &[u8],
    template: &[u8],
) -> Result<Vec<u8>, Error> {
    call.spend(2 * text.len())?;
    pattern.replace(text, template, |expanded| match call.converter(function) {
        Some(_) => converted(call, function, expanded),
        None => Ok(expanded),
    })
}

/// A text passed through the converter, and put into the format behind it if there is one.
fn converted(call: Call<'_>, function: usize, text: Vec<u8>) -> Result<Vec<u8>, Error> {
    let Some(converter) = call.converter(function) else { return Ok(text) };
    let text = convert(call, converter, text)?;
    if call.is_given(function + 1) { format(&call.str(function + 1)?, &text) } else { Ok(text) }
}

fn convert(call: Call<'_>, function: &Function, text: Vec<u8>) -> Result<Vec<u8>, Error> {
    if function.params.len() != 1 {
        return Err(Error::failed(format!("`{}` takes more arguments than the text", function.name)));
    }
    let arguments = Arguments::new(vec![Some(Argument::Value(Expr::Literal(Value::string(text))))]);
    let subject = Subject::stored(&[], &[], &[], call.moment(), call.subject.fuel());
    let call = Call { arguments: &arguments, subject: &subject };
    let answer = match function.build {
        Build::Plain(answer) => answer(call).map(Value::into_owned),
        Build::Prepared(prepare) => {
            let run = prepare(&arguments).map_err(Error::failed)?;
            run(call).map(Value::into_owned)
        }
    };
    match answer? {
        Value::Str(text) => Ok(text.into_owned()),
        other => Err(Error::Type { expected: "a string from the converter", found: other.kind() }),
    }
}

/// Go's `Sprintf` with one text: the format has a `%s`, no other verb and no line break.
fn format(format: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
    let verbs = || format.windows(2).filter(|pair| pair[0] == b'%');
    if format.contains(&b'\n') || verbs().next().is_none() || verbs().any(|verb| verb[1] != b's') {
        return Err(Error::failed("the replacement's format needs one `%s` and nothing else behind a `%`"));
    }
    let mut out = Vec::with_capacity(format.len() + text.len());
    let mut rest = format;
    let mut is_used = false;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[(at + 2).min(rest.len())..];
        let is_cut = rest.is_empty() && format.ends_with(b"%");
        out.extend_from_slice(match (is_cut, is_used) {
            (true, _) => b"%!(NOVERB)",
            (false, false) => text,
            (false, true) => b"%!s(MISSING)",
        });
        is_used = true;
    }
    out.extend_from_slice(rest);
    Ok(out)
}

/// The pattern of a literal argument.
fn literal<P>(arguments: &Arguments, index: usize, new: fn(&[u8]) -> Result<P, String>) -> Result<Option<P>, String> {
    arguments.constant_str(index).map(new).transpose()
}

/// The pattern of an argument that is no literal.
fn dynamic<P>(
    call: Call<'_>,
    index: usize,
    literal: &Option<P>,
    new: fn(&[u8]) -> Result<P, String>,
) -> Result<Option<P>, Error> {
    match literal {
        Some(_) => Ok(None),
        None => new(&call.str(index)?).map(Some).map_err(Error::failed),
    }
}

fn glob(source: &[u8]) -> Result<Glob, String> {
    compiled(source, Glob::new)
}

fn replacer(source: &[u8]) -> Result<Replacer, String> {
    compiled(source, Replacer::new)
}

fn compiled<P>(source: &[u8], new: fn(&str) -> Result<P, String>) -> Result<P, String> {
    let compiled = std::str::from_utf8(source).map_err(|_| "not UTF-8".to_string()).and_then(new);
    compiled.map_err(|error| format!("invalid pattern `{}`: {error}", excerpt(source)))
}
