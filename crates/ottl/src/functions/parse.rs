//! Text that holds structure: JSON, CSV, key-value pairs, severities, URLs, user agents.
//!
//! Each format is a file of its own that makes a value of bytes; here its arguments are taken and its costs are counted.

mod csv;
mod json;
mod key_value;
mod severity;
mod url;
mod user_agent;

use super::{Arguments, Call, Function, Kind, Run, arg, opt, plain, prepared, run};
use crate::{
    error::Error,
    value::{Map, Value},
};
use csv::{Dialect, Quotes};
use severity::Severities;
use std::collections::BTreeMap;
use user_agent::UserAgents;

pub(super) const TABLE: &[Function] = &[
    plain("ParseJSON", &[arg("Target", Kind::Str)], parse_json).costly(),
    prepared(
        "ParseKeyValue",
        &[arg("Target", Kind::Str), opt("Delimiter", Kind::Text), opt("PairDelimiter", Kind::Text)],
        parse_key_value,
    )
    .costly(),
    prepared(
        "ParseCSV",
        &[
            arg("Target", Kind::Str),
            arg("Header", Kind::Str),
            opt("Delimiter", Kind::Text),
            opt("HeaderDelimiter", Kind::Text),
            opt("Mode", Kind::Text),
        ],
        parse_csv,
    )
    .costly(),
    prepared("ParseSeverity", &[arg("Target", Kind::Any), arg("Mapping", Kind::Map)], parse_severity),
    plain("URL", &[arg("URI", Kind::Str)], parse_url).costly(),
    prepared("UserAgent", &[arg("UserAgent", Kind::Str)], parse_user_agent).costly(),
];

/// A map of the data model whose values are texts. Of a key that stands twice the last value counts.
fn text_map<'e>(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Value<'e> {
    let entries: BTreeMap<_, _> = pairs.into_iter().collect();
    Value::Map(Map::data(entries.into_iter().map(|(key, value)| (key.into(), Value::string(value))).collect()))
}

fn parse_json(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    call.spend(JSON_WEIGHT * text.len())?;
    json::parse(&text).map_err(Error::failed)
}

/// A value takes several times the bytes of its text.
const JSON_WEIGHT: usize = 4;

fn parse_key_value(arguments: &Arguments) -> Result<Run, String> {
    let delimiter = arguments.constant_str(1).unwrap_or(b"=").to_vec();
    let pair_delimiter = arguments.constant_str(2).unwrap_or(b" ").to_vec();
    if delimiter.is_empty() || pair_delimiter.is_empty() {
        return Err("a delimiter of `ParseKeyValue` is empty".to_string());
    }
    if delimiter == pair_delimiter {
        return Err("both delimiters of `ParseKeyValue` are the same".to_string());
    }
    Ok(run(move |call: Call<'_>| {
        let text = call.str(0)?;
        call.spend(2 * text.len())?;
        key_value::parse(&text, &delimiter, &pair_delimiter).map(text_map).map_err(Error::failed)
    }))
}

fn parse_csv(arguments: &Arguments) -> Result<Run, String> {
    let delimiter = single_char(arguments, 2, "delimiter")?.unwrap_or(',');
    let header_delimiter = single_char(arguments, 3, "header_delimiter")?.unwrap_or(delimiter);
    let quotes = match arguments.constant_str(4).unwrap_or(b"strict") {
        b"strict" => Quotes::Strict,
        b"lazyQuotes" => Quotes::Lazy,
        b"ignoreQuotes" => Quotes::Ignored,
        other => {
            let mode = crate::value::excerpt(other);
            return Err(format!("unknown mode `{mode}`, there are `strict`, `lazyQuotes` and `ignoreQuotes`"));
        }
    };
    let dialect = Dialect { delimiter, quotes };
    Ok(run(move |call: Call<'_>| {
        let (row, header) = (call.str(0)?, call.str(1)?);
        call.spend(2 * (row.len() + header.len()))?;
        if header.is_empty() {
            return Err(Error::failed("the headers are empty"));
        }
        let headers = csv::split(&header, header_delimiter);
        let fields = dialect.fields(&row).map_err(Error::failed)?;
        if fields.len() != headers.len() {
            return Err(Error::failed(format!("{} fields for {} headers", fields.len(), headers.len())));
        }
        Ok(text_map(headers.into_iter().map(<[u8]>::to_vec).zip(fields)))
    }))
}

/// A literal of one character. What is no UTF-8 counts as U+FFFD, byte by byte.
fn single_char(arguments: &Arguments, index: usize, name: &str) -> Result<Option<char>, String> {
    let Some(text) = arguments.constant_str(index) else { return Ok(None) };
    let text = String::from_utf8_lossy(text);
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) => Ok(Some(char)),
        _ => Err(format!("`{name}` must be a single character")),
    }
}

fn parse_severity(arguments: &Arguments) -> Result<Run, String> {
    // What is wrong with the mapping is found out by otelcol, too, but told only when the condition is evaluated.
    let severities = match arguments.constant(1) {
        Some(Value::Map(map)) => Severities::new(map),
        _ => Err("the mapping of severities must be a literal"),
    };
    Ok(run(move |call: Call<'_>| {
        let severities = severities.as_ref().map_err(|error| Error::failed(*error))?;
        severities.level(&call.any(0)?).map(Value::string)
    }))
}

fn parse_url(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    call.spend(4 * text.len())?;
    if text.is_empty() {
        return Err(Error::failed("the URL is empty"));
    }
    url::parse(&text).map(Value::Map).map_err(Error::failed)
}

/// Knows the clients and systems that matter, by a table of our own; otelcol carries the thousand rules of `uap-core`. What
/// this table does not know is `Other`, as it is there; a rare browser may be called by the engine that it is built on.
fn parse_user_agent(_: &Arguments) -> Result<Run, String> {
    let agents = UserAgents::new()?;
    Ok(run(move |call: Call<'_>| {
        let text = call.str(0)?;
        call.spend(USER_AGENT_WEIGHT * text.len())?;
        Ok(Value::Map(agents.parse(&text)))
    }))
}

/// Each rule of the table may look at the text once.
const USER_AGENT_WEIGHT: usize = 20;

#[cfg(test)]
mod tests;
