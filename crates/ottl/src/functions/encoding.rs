//! Encodings of bytes and text.

mod charset;
mod pages;

use super::{
    Arguments, Call, Function,
    Kind::{Any, Str},
    Run, arg, opt, plain, prepared, run,
};
use crate::{
    error::Error,
    value::{Value, excerpt},
};
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use charset::Charset;

pub(super) const TABLE: &[Function] = &[
    plain("Base64Encode", &[arg("Target", Str), opt("Variant", Str)], base64_encode),
    prepared("Decode", &[arg("Target", Any), arg("Encoding", Str)], decode),
];

// Go's decoder does not look at the last digit's unused bits.
const PADDED: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
const RAW: GeneralPurposeConfig =
    PADDED.with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::RequireNone);

static BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, PADDED);
static BASE64_RAW: GeneralPurpose = GeneralPurpose::new(&STANDARD, RAW);
static BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, PADDED);
static BASE64_RAW_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, RAW);

fn base64_variant(name: &[u8]) -> Option<&'static GeneralPurpose> {
    match name {
        b"base64" => Some(&BASE64),
        b"base64-raw" => Some(&BASE64_RAW),
        b"base64-url" => Some(&BASE64_URL),
        b"base64-raw-url" => Some(&BASE64_RAW_URL),
        _ => None,
    }
}

/// An unknown variant is found when a span is asked about, even a literal one.
fn base64_encode(call: Call<'_>) -> Result<Value<'_>, Error> {
    let text = call.str(0)?;
    let variant = if call.is_given(1) { call.str(1)? } else { b"base64".into() };
    let engine = base64_variant(&variant).ok_or_else(|| {
        let variant = excerpt(&variant);
        Error::failed(format!(
            "unknown base64 variant `{variant}`, use `base64`, `base64-raw`, `base64-url` or `base64-raw-url`"
        ))
    })?;
    call.spend(2 * text.len())?;
    Ok(Value::string(engine.encode(&text)))
}

/// How bytes become text.
#[derive(Clone, Copy)]
enum Decoder {
    Base64(&'static GeneralPurpose),
    Text(Charset),
}

fn decode(arguments: &Arguments) -> Result<Run, String> {
    let Some(name) = arguments.constant_str(1) else {
        return Ok(run(|call: Call<'_>| {
            let target = call.any(0)?;
            let decoder = Decoder::named(&call.str(1)?).map_err(Error::failed)?;
            decoder.decode(call, target)
        }));
    };
    let decoder = Decoder::named(name)?;
    Ok(run(move |call: Call<'_>| decoder.decode(call, call.any(0)?)))
}

impl Decoder {
    fn named(name: &[u8]) -> Result<Self, String> {
        if let Some(engine) = base64_variant(name) {
            return Ok(Self::Base64(engine));
        }
        let charset = Charset::named(name).ok_or_else(|| {
            format!("unknown encoding `{}`, use `base64` or a character set's IANA name", excerpt(name))
        })?;
        Ok(Self::Text(charset))
    }

    fn decode<'e>(self, call: Call<'e>, target: Value<'e>) -> Result<Value<'e>, Error> {
        let (Value::Str(bytes) | Value::Bytes(bytes)) = target else {
            return Err(Error::failed(format!("`Decode` needs a string or bytes, found {}", target.kind())));
        };
        // Text may grow threefold.
        call.spend(4 * bytes.len())?;
        match self {
            Self::Base64(engine) => from_base64(engine, &bytes).map(Value::string),
            Self::Text(charset) => Ok(Value::Str(charset.decode(bytes))),
        }
    }
}

/// Go's decoder skips line breaks wherever they are.
fn from_base64(engine: &GeneralPurpose, text: &[u8]) -> Result<Vec<u8>, Error> {
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    engine.decode(digits).map_err(|error| Error::failed(format!("`{}` is not base64: {error}", excerpt(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{Failure, ask, ask_dynamically, check};

    fn texts(values: &[&'static str]) -> Vec<Value<'static>> {
        values.iter().map(|text| Value::str(*text)).collect()
    }

    #[test]
    fn base64_has_four_variants() {
        for (text, variant, expected) in [
            ("hello", "base64", Some("aGVsbG8=")),
            ("hello", "base64-raw", Some("aGVsbG8")),
            ("??>", "base64", Some("Pz8+")),
            ("??>", "base64-url", Some("Pz8-")),
            ("4x", "base64-url", Some("NHg=")),
            ("hello", "base64-raw-url", Some("aGVsbG8")),
            ("", "base64-url", Some("")),
            ("hi", "abc", None),
            ("hi", "", None),
        ] {
            check("Base64Encode", &[(&texts(&[text, variant]), expected.map(Value::str))]);
        }
        check("Base64Encode", &[(&texts(&["abc"]), Some(Value::str("YWJj"))), (&[Value::Int(5)], None)]);
        assert!(matches!(ask("Base64Encode", &texts(&["hi", "abc"])), Err(Failure::Error(_))));
    }

    #[test]
    fn base64_is_decoded_as_go_decodes_it() {
        for (text, variant, expected) in [
            ("aGk=", "base64", Some("hi")),
            ("aG\r\nk=\n", "base64", Some("hi")),
            ("aGl=", "base64", Some("hi")),
            ("aGk", "base64", None),
            ("aGk", "base64-raw", Some("hi")),
            ("aGk=", "base64-raw", None),
            ("Pz8-", "base64-url", Some("??>")),
            ("Pz8+", "base64-url", None),
            ("Pz8-", "base64-raw-url", Some("??>")),
            ("aGk= ", "base64", None),
            ("hello", "base64", None),
            ("", "base64", Some("")),
        ] {
            check("Decode", &[(&texts(&[text, variant]), expected.map(Value::str))]);
        }
    }

    #[test]
    fn decode_looks_at_a_literal_encoding_once() {
        let unknown = texts(&["aGk=", "abc"]);
        assert!(matches!(ask("Decode", &unknown), Err(Failure::Refused(_))));
        assert!(matches!(ask_dynamically("Decode", &unknown), Err(Failure::Error(_))));
        assert_eq!(ask_dynamically("Decode", &texts(&["aGk=", ""])), Ok(Value::str("aGk=")));
        let base64 = Value::str("base64");
        check(
            "Decode",
            &[
                (&[Value::Bytes(b"aGk=".into()), base64.clone()], Some(Value::str("hi"))),
                (&[Value::Int(5), base64.clone()], None),
                (&[Value::Nil, base64], None),
                (&[Value::Bytes(b"caf\xe9".into()), Value::str("ISO-8859-1")], Some(Value::str("café"))),
                (&[Value::Bytes(b"\xff".into()), Value::str("utf-8")], Some(Value::str("\u{fffd}"))),
            ],
        );
    }
}
