//! Undoes the compression of a request, within the bound of a message.

use super::MESSAGE_BYTES_MAX;
use flate2::read::GzDecoder;
use std::{borrow::Cow, io::Read as _};

/// The plain message, or why there is none.
pub(super) fn inflate<'a>(encoding: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, String> {
    match encoding {
        "" | "identity" => Ok(Cow::Borrowed(bytes)),
        "gzip" => {
            let mut plain = Vec::with_capacity(bytes.len().saturating_mul(4).min(MESSAGE_BYTES_MAX));
            let limited = GzDecoder::new(bytes).take(MESSAGE_BYTES_MAX as u64 + 1).read_to_end(&mut plain);
            match limited {
                Ok(_) if plain.len() <= MESSAGE_BYTES_MAX => Ok(Cow::Owned(plain)),
                Ok(_) => Err("the message is too large".to_owned()),
                Err(error) => Err(format!("not gzip: {error}")),
            }
        }
        other => Err(format!("unknown encoding `{other}`, the sink knows `gzip`")),
    }
}
