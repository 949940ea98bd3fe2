//! Patterns in Go's syntax: a literal one is compiled with the condition, any other one at each call.

use super::{Arguments, Call, Function, Kind, Run, arg, prepared, run};
use crate::{
    error::Error,
    pattern::Pattern,
    value::{Value, excerpt},
};

pub(super) const TABLE: &[Function] =
    &[prepared("IsMatch", &[arg("Target", Kind::StrLike), arg("Pattern", Kind::Str)], is_match).costly()];

fn is_match(arguments: &Arguments) -> Result<Run, String> {
    let Some(source) = arguments.constant_str(1) else {
        return Ok(run(|call: Call<'_>| matches(call, &dynamic(call, 1)?)));
    };
    let pattern = literal(source)?;
    Ok(run(move |call: Call<'_>| matches(call, &pattern)))
}

fn matches<'e>(call: Call<'e>, pattern: &Pattern) -> Result<Value<'e>, Error> {
    let Some(text) = call.str_like(0)? else { return Ok(Value::Bool(false)) };
    call.spend(text.len())?;
    Ok(Value::Bool(pattern.is_match(&text)))
}

/// A pattern that stands in the condition.
fn literal(source: &[u8]) -> Result<Pattern, String> {
    let text = std::str::from_utf8(source).map_err(|_| "invalid pattern: not UTF-8".to_string())?;
    Pattern::new(text).map_err(|error| format!("invalid pattern `{}`: {error}", excerpt(source)))
}

/// A pattern that some argument evaluates to.
fn dynamic(call: Call<'_>, index: usize) -> Result<Pattern, Error> {
    let source = call.str(index)?;
    // Compiling takes much longer than matching.
    call.spend(DYNAMIC_BYTES + source.len() * 100)?;
    literal(&source).map_err(Error::failed)
}

/// What compiling a pattern costs at least.
const DYNAMIC_BYTES: usize = 5000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{Failure, ask, ask_dynamically, check};

    #[test]
    fn is_match_takes_anything_with_a_text() {
        check(
            "IsMatch",
            &[
                (&[Value::str("GET /"), Value::str("^GET")], Some(Value::Bool(true))),
                (&[Value::Int(500), Value::str("^500$")], Some(Value::Bool(true))),
                (&[Value::Nil, Value::str(".*")], Some(Value::Bool(false))),
            ],
        );
        let broken = [Value::str("x"), Value::str("([")];
        assert!(matches!(ask("IsMatch", &broken), Err(Failure::Refused(_))));
        assert!(matches!(ask_dynamically("IsMatch", &broken), Err(Failure::Error(_))));
    }
}
