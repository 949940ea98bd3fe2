//! Joins the fields of an envelope that are not its children.
//!
//! As a rule they are adjacent, before the children, and one range of the request says it all. When children stand between
//! them, they are copied to a side buffer in their order, each byte once.

use super::{Header, Range};

/// The fields seen so far of the envelope that is open.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    header: Header,
}

impl Fields {
    /// Adds the encoded field at `field`, after those that were added before.
    pub(super) fn add(&mut self, request: &[u8], field: Range, aside: &mut Vec<u8>) {
        let range = &mut self.header.range;
        if range.len == 0 {
            *range = field;
        } else if !self.header.aside && range.end() == field.start as usize {
            range.len += field.len;
        } else {
            if !self.header.aside {
                let earlier = *range;
                *range = Range::new(aside.len(), 0);
                self.header.aside = true;
                append(request, earlier, range, aside);
            }
            append(request, field, range, aside);
        }
    }

    /// The envelope is at its end. Starts a new one.
    pub(super) fn close(&mut self) -> Header {
        std::mem::take(&mut self.header)
    }

    /// The envelope is at its end and nobody needs it. Starts a new one.
    pub(super) fn discard(&mut self, aside: &mut Vec<u8>) {
        let header = self.close();
        if header.aside {
            aside.truncate(header.range.start as usize);
        }
    }
}

/// Copies `field` of the request to the end of `aside`, which is where `range` ends.
fn append(request: &[u8], field: Range, range: &mut Range, aside: &mut Vec<u8>) {
    aside.extend_from_slice(field.of(request));
    range.len += field.len;
}
