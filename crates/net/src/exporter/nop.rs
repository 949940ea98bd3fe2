//! `nop`: takes everything and sends nothing. For measuring what lies before it.

use bytes::Bytes;

use super::{Batch, Delivered, ExportError, Exporter};
use crate::BoxFuture;

/// Delivers to nowhere, at once.
pub struct Nop;

impl Exporter for Nop {
    fn export<'a>(&'a self, _body: Bytes, _batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(async { Ok(Delivered::default()) })
    }
}
