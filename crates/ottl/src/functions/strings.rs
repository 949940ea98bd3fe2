//! Text: joining, cutting, case, formats.

mod case;
mod printf;

use super::{
    Arguments, Call, Function,
    Kind::{EachAny, EachStrLike, Flag, Int, Str, Text},
    Param, Run, arg, opt, plain, prepared, run,
};
use crate::{
    error::Error,
    value::{List, Value, excerpt},
};
use std::{borrow::Cow, ops::Range};

pub(super) const TABLE: &[Function] = &[
    plain("Concat", &[arg("Vals", EachStrLike), arg("Delimiter", Str)], concat),
    prepared("ConvertCase", &[arg("Target", Str), arg("ToCase", Text)], convert_case),
    plain("Format", &[arg("Format", Text), arg("Vals", EachAny)], format),
    plain("HasPrefix", &[arg("Target", Str), arg("Prefix", Str)], has_prefix),
    plain("HasSuffix", &[arg("Target", Str), arg("Suffix", Str)], has_suffix),
    plain("Split", &[arg("Target", Str), arg("Delimiter", Str)], split),
    plain("Substring", &[arg("Target", Str), arg("Start", Int), arg("Length", Int), opt("Utf8Safe", Flag)], substring),
    plain("ToCamelCase", TARGET, |call| converted(call, case::camel)),
    plain("ToLowerCase", TARGET, |call| converted(call, case::lower)),
    plain("ToSnakeCase", TARGET, |call| converted(call, case::snake)),
    plain("ToUpperCase", TARGET, |call| converted(call, case::upper)),
    plain("Trim", &[arg("Target", Str), opt("Replacement", Text)], trim),
    plain("TrimPrefix", &[arg("Target", Str), arg("Prefix", Str)], trim_prefix),
    plain("TrimSuffix", &[arg("Target", Str), arg("Suffix", Str)], trim_suffix),
];

const TARGET: &[Param] = &[arg("Target", Str)];

fn concat(call: Call<'_>) -> Result<Value<'_>, Error> {
    let delimiter = call.str(1)?;
    let mut joined = Vec::new();
    for (index, item) in call.items(0)?.enumerate() {
        let item = item?.into_str_like()?;
        let text = item.as_deref().unwrap_or(b"<nil>");
        call.spend(text.len() + delimiter.len())?;
        if index > 0 {
            joined.extend_from_slice(&delimiter);
        }
        joined.extend_from_slice(text);
    }
    Ok(Value::string(joined))
}

fn convert_case(arguments: &Arguments) -> Result<Run, String> {
    let convert = match arguments.constant_str(1).unwrap_or_default() {
        b"lower" => case::lower,
        b"upper" => case::upper,
        b"snake" => case::snake,
        b"camel" => case::camel,
        other => {
            let other = excerpt(other);
            return Err(format!("unknown case `{other}`, write `lower`, `upper`, `snake` or `camel`"));
        }
    };
    Ok(run(move |call: Call<'_>| converted(call, convert)))
}

fn converted(call: Call<'_>, convert: fn(&[u8]) -> Vec<u8>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    // A character may become a longer one.
    call.spend(2 * text.len())?;
    Ok(Value::string(convert(&text)))
}

fn format(call: Call<'_>) -> Result<Value<'_>, Error> {
    let arguments = call.values(1)?;
    let format = call.arguments.constant_str(0).unwrap_or_default();
    printf::sprintf(call, format, &arguments).map(Value::string)
}

fn has_prefix(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(Value::Bool(call.str(0)?.starts_with(&call.str(1)?)))
}

fn has_suffix(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(Value::Bool(call.str(0)?.ends_with(&call.str(1)?)))
}

/// Where `needle` begins first.
pub(super) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    text.windows(needle.len()).position(|window| window == needle)
}

fn split(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    let delimiter = call.str(1)?;
    call.spend(search_cost(&text, &delimiter))?;
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(end) = end_of_part(&text[start..], &delimiter) {
        call.spend(PART_COST)?;
        parts.push(part(&text, start..start + end));
        start += end + delimiter.len();
    }
    // Without a delimiter the text falls apart into characters, and nothing is left.
    if !delimiter.is_empty() || start < text.len() {
        parts.push(part(&text, start..text.len()));
    }
    Ok(Value::List(List::strings(parts)))
}

/// What a part costs besides its bytes.
const PART_COST: usize = size_of::<Value<'_>>();

/// What it costs to look for `needle`.
pub(super) fn search_cost(text: &[u8], needle: &[u8]) -> usize {
    // Mostly the first byte decides.
    text.len().saturating_mul(1 + needle.len() / 16)
}

fn end_of_part(rest: &[u8], delimiter: &[u8]) -> Option<usize> {
    if delimiter.is_empty() {
        return case::first_char(rest).map(|(_, len)| len).filter(|len| *len < rest.len());
    }
    find(rest, delimiter)
}

fn part<'e>(text: &Cow<'e, [u8]>, range: Range<usize>) -> Value<'e> {
    Value::Str(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_vec()),
    })
}

fn substring(call: Call<'_>) -> Result<Value<'_>, Error> {
    let start = usize::try_from(call.int(1)?).map_err(|_| Error::failed("`Substring` cannot start before the text"))?;
    let length = usize::try_from(call.int(2)?).ok().filter(|length| *length > 0);
    let length = length.ok_or_else(|| Error::failed("`Substring` needs a length above 0"))?;
    let text = call.str(0)?;
    let end = start.checked_add(length).filter(|end| *end <= text.len());
    let mut end = end.ok_or_else(|| Error::failed("`Substring` reaches past the end of the text"))?;
    let mut start = start;
    if call.arguments.constant_bool(3) == Some(true) {
        let is_inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        while is_inside(start) {
            start += 1;
        }
        while start < end && is_inside(end) {
            end -= 1;
        }
        end = end.max(start);
    }
    Ok(part(&text, start..end))
}

/// Without the characters of a set at both ends; blanks, if none is given.
fn trim(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    let set = String::from_utf8_lossy(call.arguments.constant_str(1).unwrap_or(b" "));
    call.spend(search_cost(&text, set.as_bytes()))?;
    let range = case::trimmed_range(&text, |char| set.contains(char));
    Ok(part(&text, range))
}

fn trim_prefix(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    let prefix = call.str(1)?;
    let start = if text.starts_with(&prefix) { prefix.len() } else { 0 };
    Ok(part(&text, start..text.len()))
}

fn trim_suffix(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    let suffix = call.str(1)?;
    let end = if text.ends_with(&suffix) { text.len() - suffix.len() } else { text.len() };
    Ok(part(&text, 0..end))
}

#[cfg(test)]
mod tests;
