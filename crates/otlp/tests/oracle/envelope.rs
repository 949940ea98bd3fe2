//! An accepted request taken apart by prost's own primitives: which bytes are headers, which are spans.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

pub(crate) struct Envelope {
    /// Everything but the children.
    pub(crate) header: Vec<u8>,
    pub(crate) children: Vec<Vec<u8>>,
}

/// Splits the fields of a message into those of number `child` and the rest.
pub(crate) fn envelope(message: &[u8], child: u32) -> Envelope {
    let mut envelope = Envelope { header: Vec::new(), children: Vec::new() };
    let mut rest = message;
    while !rest.is_empty() {
        let field = rest;
        let (number, wire) = decode_key(&mut rest).expect("prost accepted it");
        if number == child && wire == WireType::LengthDelimited {
            let len = decode_varint(&mut rest).expect("prost accepted it") as usize;
            envelope.children.push(rest[..len].to_vec());
            rest = &rest[len..];
        } else {
            skip_field(wire, number, &mut rest, DecodeContext::default()).expect("prost accepted it");
            envelope.header.extend_from_slice(&field[..field.len() - rest.len()]);
        }
    }
    envelope
}
