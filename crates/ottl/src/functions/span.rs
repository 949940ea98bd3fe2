//! Questions about the span itself.

use super::{Call, Function, Place, plain};
use crate::{error::Error, value::Value};

pub(super) const TABLE: &[Function] = &[plain("IsRootSpan", &[], is_root_span).only(Place::Spans)];

fn is_root_span(call: Call<'_>) -> Result<Value<'_>, Error> {
    Ok(Value::Bool(call.subject().is_root()))
}
