//! `resourcedetection`: attributes that tell where the program runs, on every resource.
//!
//! What the detectors find is looked for outside of this crate and comes in as an argument; here it is merged, by the order
//! of the detectors, and put into requests.

mod catalogue;
mod written;

pub use catalogue::{DETECTORS, Detector, Form};
pub use written::{DetectorSettings, ResourceDetectionSettings, RetrySettings};

use crate::{
    Broken, Edited, Moment, Processor, any_value::Literal, attribute_list::AttributeList, resource, splice::Splice,
    walk,
};
use otlp::{
    Signal,
    wire::{WireError, put_len},
};
use std::{borrow::Cow, convert::Infallible, ops::Range};

/// What one detector found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Keys and values.
    pub attributes: Vec<(String, Literal)>,
    /// By which version of the conventions the keys are named; empty if nobody knows.
    pub schema_url: String,
}

/// The processor `resourcedetection`.
#[derive(Clone, Debug)]
pub struct ResourceDetection {
    detected: Detected,
    schema_url: String,
}

/// What is put into each resource.
#[derive(Clone, Debug)]
struct Detected {
    /// Keys and the bodies of `AnyValue`s.
    attributes: Vec<(String, Vec<u8>)>,
    replaces: bool,
}

impl ResourceDetection {
    /// Merges what the detectors found, each beside its name, in the order in which they count.
    ///
    /// # Errors
    /// None.
    pub fn new(settings: &ResourceDetectionSettings, found: &[(&str, Found)]) -> Result<Self, Infallible> {
        let mut attributes: Vec<(String, Vec<u8>)> = Vec::new();
        let mut schema_url = String::new();
        for (name, found) in found {
            if schema_url.is_empty() {
                schema_url.clone_from(&found.schema_url);
            }
            let Some(detector) = Detector::named(name) else { continue };
            for (key, value) in found.attributes.iter().filter(|(key, _)| settings.takes(detector, key)) {
                if !attributes.iter().any(|(known, _)| known == key) {
                    attributes.push((key.clone(), value.encode()));
                }
            }
        }
        Ok(Self { detected: Detected { attributes, replaces: settings.r#override }, schema_url })
    }

    /// Names the conventions of a part that names none.
    fn name_schema(&self, splice: &mut Splice<'_>, part: Range<usize>) -> Result<(), WireError> {
        if self.schema_url.is_empty() {
            return Ok(());
        }
        let end = part.end;
        for field in walk::fields(splice.source(), part) {
            let field = field?;
            if field.number == walk::SCHEMA_URL && !field.body.is_empty() {
                return Ok(());
            }
        }
        splice.insert(end, |out| put_len(out, walk::SCHEMA_URL, self.schema_url.as_bytes()));
        Ok(())
    }
}

impl resource::Change for Detected {
    fn apply<'e>(&'e self, list: &mut AttributeList<'e>) {
        for (key, value) in &self.attributes {
            if self.replaces {
                list.set(key.as_bytes(), Cow::Borrowed(value));
            } else if list.position(key.as_bytes()).is_none() {
                list.add(key.as_bytes(), Cow::Borrowed(value));
            }
        }
    }
}

impl Processor for ResourceDetection {
    fn edit<'a>(&self, _signal: Signal, request: &'a [u8], _moment: Moment<'_>) -> Result<Edited<'a>, Broken> {
        let mut splice = Splice::new(request);
        let mut list = AttributeList::new(request);
        for part in walk::fields(request, 0..request.len()) {
            let part = part?;
            if part.number == walk::RESOURCE_PART {
                splice.enter(&part);
                resource::edit_part(&self.detected, &mut splice, &mut list, &part)?;
                self.name_schema(&mut splice, part.body.clone())?;
                splice.leave();
            }
        }
        Ok(Edited::new(splice.finish(), 0))
    }
}

#[cfg(test)]
mod tests;
