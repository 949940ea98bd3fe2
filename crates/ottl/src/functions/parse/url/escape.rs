//! Percent signs of URLs: which bytes need one depends on where they stand.

/// Where in a URL a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Host,
    /// The zone of an IPv6 address.
    Zone,
    User,
    Query,
    Fragment,
}

impl Place {
    /// Whether a byte must be escaped here.
    fn escapes(self, byte: u8) -> bool {
        let others: &[u8] = match self {
            Self::Path => b"$&+,/:;=@",
            Self::Host | Self::Zone => b"!\"$&'()*+,:;<=>[]",
            Self::User => b"$&+,;=",
            Self::Query => b"",
            Self::Fragment => b"!$&()*+,/:;=?@",
        };
        !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte) && !others.contains(&byte)
    }
}

/// Writes the text with percent signs where they are needed.
pub(super) fn escape(text: &[u8], place: Place, out: &mut Vec<u8>) {
    for byte in text {
        if place.escapes(*byte) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
}

/// Whether a text that could be unescaped needs no further escapes.
pub(super) fn is_escaped(text: &[u8], place: Place) -> bool {
    text.iter().all(|byte| b"!$&'()*+,;=:@[]%".contains(byte) || !place.escapes(*byte))
}

/// The text without its percent signs.
pub(super) fn unescape(text: &[u8], place: Place) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let value = value.ok_or("no two digits after a percent sign")?;
                let is_allowed = match place {
                    Place::Host => value >= 0x80 || value == b'%',
                    Place::Zone => value == b'%' || value == b' ' || !Place::Host.escapes(value),
                    _ => true,
                };
                if !is_allowed {
                    return Err("a character that cannot be escaped in a host");
                }
                out.push(value);
                rest = &after[2..];
            }
            b'+' if place == Place::Query => out.push(b' '),
            _ if matches!(place, Place::Host | Place::Zone) && byte.is_ascii() && place.escapes(*byte) => {
                return Err("a character that a host cannot have");
            }
            _ => out.push(*byte),
        }
    }
    Ok(out)
}
