//! Character sets by their IANA names, and bytes of them as text.
//!
//! Names are those of Go's `x/text`, which otelcol uses, and well-formed text becomes what it becomes there. What is no
//! character becomes U+FFFD; no input is an error. In the East Asian sets Go sometimes makes one U+FFFD where encoding_rs
//! makes one and a letter, or the other way round.

use super::pages;
use encoding_rs::Encoding;
use std::borrow::Cow;

/// A character set.
#[derive(Clone, Copy)]
pub(super) enum Charset {
    /// Bytes stay as they are.
    Raw,
    Ascii,
    Utf8,
    /// What a byte order mark says, if `has_mark`; otherwise big endian or not.
    Utf16 {
        is_big: bool,
        has_mark: bool,
    },
    Latin1,
    /// Latin 1 with six Turkish letters.
    Latin5,
    /// The last characters of a page, and those that differ from it.
    Page(&'static str, &'static [(u8, char)]),
    /// One that the web knows, too.
    Web(&'static Encoding),
    /// One of those with a character a byte. What the web takes for control characters from U+0080 on is nothing in Go.
    WebByte(&'static Encoding),
    /// GB 2312 in 7 bits.
    Hz,
}

const LATIN5: &[(u8, char)] = &[(0xd0, 'Ğ'), (0xdd, 'İ'), (0xde, 'Ş'), (0xf0, 'ğ'), (0xfd, 'ı'), (0xfe, 'ş')];
const CP1047: &[(u8, char)] = &[(0x5f, '^'), (0xad, '['), (0xb0, '¬'), (0xba, 'Ý'), (0xbb, '¨'), (0xbd, ']')];

impl Charset {
    /// The character set of that name, in any case.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?.to_lowercase();
        Self::of_otelcol(&name).or_else(|| Self::of_iana(name.trim()))
    }

    /// Names that otelcol adds or means otherwise than IANA does.
    fn of_otelcol(name: &str) -> Option<Self> {
        Some(match name {
            "" | "utf-8" | "utf8" | "ascii" | "us-ascii" => Self::Utf8,
            "utf-16" | "utf16" => Self::Utf16 { is_big: false, has_mark: false },
            "utf-8-raw" | "utf8-raw" | "nop" => Self::Raw,
            _ => return None,
        })
    }

    fn of_iana(name: &str) -> Option<Self> {
        Some(match name {
            "ansi_x3.4-1968" | "ansi_x3.4-1986" | "cp367" | "csascii" | "ibm367" | "iso-ir-6" | "iso646-us"
            | "iso_646.irv:1991" | "us" | "us-ascii" => Self::Ascii,
            "utf-8" | "csutf8" => Self::Utf8,
            "utf-16" | "csutf16" => Self::Utf16 { is_big: true, has_mark: true },
            "utf-16be" | "csutf16be" => Self::Utf16 { is_big: true, has_mark: false },
            "utf-16le" | "csutf16le" => Self::Utf16 { is_big: false, has_mark: false },
            "hz-gb-2312" => Self::Hz,
            _ => return Self::of_one_byte(name).or_else(|| asian(name).map(Self::Web)),
        })
    }

    fn of_one_byte(name: &str) -> Option<Self> {
        Some(match name {
            "cp819" | "csisolatin1" | "ibm819" | "iso-8859-1" | "iso-ir-100" | "iso_8859-1" | "iso_8859-1:1987"
            | "l1" | "latin1" => Self::Latin1,
            "csisolatin5" | "iso-8859-9" | "iso-ir-148" | "iso_8859-9" | "iso_8859-9:1989" | "l5" | "latin5" => {
                Self::Latin5
            }
            "437" | "cp437" | "cspc8codepage437" | "ibm437" => Self::Page(pages::CP437, &[]),
            "850" | "cp850" | "cspc850multilingual" | "ibm850" => Self::Page(pages::CP850, &[]),
            "852" | "cp852" | "cspcp852" | "ibm852" => Self::Page(pages::CP852, &[]),
            "855" | "cp855" | "csibm855" | "ibm855" => Self::Page(pages::CP855, &[]),
            "ccsid00858" | "cp00858" | "csibm00858" | "ibm00858" | "pc-multilingual-850+euro" => {
                Self::Page(pages::CP850, &[(0xd5, '€')])
            }
            "860" | "cp860" | "csibm860" | "ibm860" => Self::Page(pages::CP860, &[]),
            "862" | "cp862" | "cspc862latinhebrew" | "ibm862" => Self::Page(pages::CP862, &[]),
            "863" | "cp863" | "csibm863" | "ibm863" => Self::Page(pages::CP863, &[]),
            "865" | "cp865" | "csibm865" | "ibm865" => Self::Page(pages::CP865, &[]),
            "cp037" | "csibm037" | "ebcdic-cp-ca" | "ebcdic-cp-nl" | "ebcdic-cp-us" | "ebcdic-cp-wt" | "ibm037" => {
                Self::Page(pages::CP037, &[])
            }
            "csibm1047" | "ibm-1047" | "ibm1047" => Self::Page(pages::CP037, CP1047),
            "ccsid01140" | "cp01140" | "csibm01140" | "ebcdic-us-37+euro" | "ibm01140" => {
                Self::Page(pages::CP037, &[(0x9f, '€')])
            }
            _ => return iso(name).or_else(|| windows(name)).map(Self::WebByte),
        })
    }

    /// The bytes as UTF-8.
    pub(super) fn decode(self, bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        let text = match self {
            Self::Raw => return bytes,
            Self::Utf8 if std::str::from_utf8(&bytes).is_ok() => return bytes,
            Self::Utf8 => String::from_utf8_lossy(&bytes).into_owned(),
            Self::Ascii => bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { UNKNOWN }).collect(),
            Self::Utf16 { is_big, has_mark } => utf16(&bytes, is_big, has_mark),
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Latin5 => bytes.iter().map(|byte| exception(LATIN5, *byte).unwrap_or(char::from(*byte))).collect(),
            Self::Page(page, exceptions) => one_byte(&bytes, page, exceptions),
            Self::Web(encoding) => encoding.decode_without_bom_handling(&bytes).0.into_owned(),
            Self::WebByte(encoding) => encoding
                .decode_without_bom_handling(&bytes)
                .0
                .chars()
                .map(|char| if ('\u{80}'..'\u{a0}').contains(&char) { UNKNOWN } else { char })
                .collect(),
            Self::Hz => hz(&bytes),
        };
        Cow::Owned(text.into_bytes())
    }
}

const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

fn iso(name: &str) -> Option<&'static Encoding> {
    Some(match name {
        "csisolatin2" | "iso-8859-2" | "iso-ir-101" | "iso_8859-2" | "iso_8859-2:1987" | "l2" | "latin2" => {
            encoding_rs::ISO_8859_2
        }
        "csisolatin3" | "iso-8859-3" | "iso-ir-109" | "iso_8859-3" | "iso_8859-3:1988" | "l3" | "latin3" => {
            encoding_rs::ISO_8859_3
        }
        "csisolatin4" | "iso-8859-4" | "iso-ir-110" | "iso_8859-4" | "iso_8859-4:1988" | "l4" | "latin4" => {
            encoding_rs::ISO_8859_4
        }
        "csisolatincyrillic" | "cyrillic" | "iso-8859-5" | "iso-ir-144" | "iso_8859-5" | "iso_8859-5:1988" => {
            encoding_rs::ISO_8859_5
        }
        "arabic" | "asmo-708" | "csisolatinarabic" | "ecma-114" | "iso-8859-6" | "iso-ir-127" | "iso_8859-6"
        | "iso_8859-6:1987" | "csiso88596e" | "iso-8859-6-e" | "iso_8859-6-e" | "csiso88596i" | "iso-8859-6-i"
        | "iso_8859-6-i" => encoding_rs::ISO_8859_6,
        "csisolatingreek" | "ecma-118" | "elot_928" | "greek" | "greek8" | "iso-8859-7" | "iso-ir-126"
        | "iso_8859-7" | "iso_8859-7:1987" => encoding_rs::ISO_8859_7,
        "csisolatinhebrew" | "hebrew" | "iso-8859-8" | "iso-ir-138" | "iso_8859-8" | "iso_8859-8:1988"
        | "csiso88598e" | "iso-8859-8-e" | "iso_8859-8-e" | "csiso88598i" | "iso-8859-8-i" | "iso_8859-8-i" => {
            encoding_rs::ISO_8859_8
        }
        "csisolatin6" | "iso-8859-10" | "iso-ir-157" | "iso_8859-10:1992" | "l6" | "latin6" => encoding_rs::ISO_8859_10,
        "csiso885913" | "iso-8859-13" => encoding_rs::ISO_8859_13,
        "csiso885914" | "iso-8859-14" | "iso-celtic" | "iso-ir-199" | "iso_8859-14" | "iso_8859-14:1998" | "l8"
        | "latin8" => encoding_rs::ISO_8859_14,
        "csiso885915" | "iso-8859-15" | "iso_8859-15" | "latin-9" => encoding_rs::ISO_8859_15,
        "csiso885916" | "iso-8859-16" | "iso-ir-226" | "iso_8859-16" | "iso_8859-16:2001" | "l10" | "latin10" => {
            encoding_rs::ISO_8859_16
        }
        "866" | "cp866" | "csibm866" | "ibm866" => encoding_rs::IBM866,
        "cskoi8r" | "koi8-r" => encoding_rs::KOI8_R,
        "cskoi8u" | "koi8-u" => encoding_rs::KOI8_U,
        "csmacintosh" | "mac" | "macintosh" => encoding_rs::MACINTOSH,
        _ => return None,
    })
}

fn windows(name: &str) -> Option<&'static Encoding> {
    let page = name.strip_prefix("cswindows").or_else(|| name.strip_prefix("windows-"))?;
    Some(match page {
        "874" => encoding_rs::WINDOWS_874,
        "1250" => encoding_rs::WINDOWS_1250,
        "1251" => encoding_rs::WINDOWS_1251,
        "1252" => encoding_rs::WINDOWS_1252,
        "1253" => encoding_rs::WINDOWS_1253,
        "1254" => encoding_rs::WINDOWS_1254,
        "1255" => encoding_rs::WINDOWS_1255,
        "1256" => encoding_rs::WINDOWS_1256,
        "1257" => encoding_rs::WINDOWS_1257,
        "1258" => encoding_rs::WINDOWS_1258,
        _ => return None,
    })
}

fn asian(name: &str) -> Option<&'static Encoding> {
    Some(match name {
        "csshiftjis" | "ms_kanji" | "shift_jis" => encoding_rs::SHIFT_JIS,
        "cseucpkdfmtjapanese" | "euc-jp" | "extended_unix_code_packed_format_for_japanese" => encoding_rs::EUC_JP,
        "csiso2022jp" | "iso-2022-jp" => encoding_rs::ISO_2022_JP,
        "cseuckr" | "euc-kr" => encoding_rs::EUC_KR,
        "cp936" | "csgbk" | "gbk" | "ms936" | "windows-936" => encoding_rs::GBK,
        "csgb18030" | "gb18030" => encoding_rs::GB18030,
        "big5" | "csbig5" => encoding_rs::BIG5,
        _ => return None,
    })
}

fn exception(exceptions: &[(u8, char)], byte: u8) -> Option<char> {
    exceptions.iter().find(|(at, _)| *at == byte).map(|(_, char)| *char)
}

fn one_byte(bytes: &[u8], page: &str, exceptions: &[(u8, char)]) -> String {
    let page: Vec<char> = page.chars().collect();
    let first = 256 - page.len();
    let char = |byte: &u8| {
        let place = usize::from(*byte).checked_sub(first);
        let char = place.and_then(|place| page.get(place).copied());
        exception(exceptions, *byte).or(char).unwrap_or(char::from(*byte))
    };
    bytes.iter().map(char).collect()
}

fn utf16(bytes: &[u8], is_big: bool, has_mark: bool) -> String {
    let (is_big, bytes) = match bytes {
        [0xfe, 0xff, rest @ ..] if has_mark => (true, rest),
        [0xff, 0xfe, rest @ ..] if has_mark => (false, rest),
        _ => (is_big, bytes),
    };
    let unit = |pair: &[u8]| {
        let [first, second] = pair else { return 0xfffd };
        if is_big { u16::from_be_bytes([*first, *second]) } else { u16::from_le_bytes([*first, *second]) }
    };
    let mut units = bytes.chunks(2).map(unit).peekable();
    let mut text = String::with_capacity(bytes.len());
    while let Some(unit) = units.next() {
        let is_surrogate = (0xd800..0xe000).contains(&unit);
        // Any surrogate takes a low one that follows with it, even where they make no pair.
        let low = if is_surrogate { units.next_if(|next| (0xdc00..0xe000).contains(next)) } else { None };
        let char = char::decode_utf16([unit].into_iter().chain(low)).next();
        text.push(char.and_then(Result::ok).unwrap_or(UNKNOWN));
    }
    text
}

/// `~{` begins pairs of 7-bit bytes, `~}` ends them, `~~` is a tilde, a tilde before a line break joins lines.
fn hz(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut is_double = false;
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let (char, length) = match (tail.first(), is_double) {
            _ if !first.is_ascii() => (Some(UNKNOWN), 1),
            (Some(b'{'), _) if *first == b'~' => {
                is_double = true;
                (None, 2)
            }
            (Some(b'}'), _) if *first == b'~' => {
                is_double = false;
                (None, 2)
            }
            (Some(b'~'), _) if *first == b'~' => (Some('~'), 2),
            (Some(b'\n'), _) if *first == b'~' => (None, 2),
            (Some(_), _) if *first == b'~' => (Some(UNKNOWN), 2),
            (None, _) if *first == b'~' => (Some(UNKNOWN), 1),
            (_, false) => (Some(char::from(*first)), 1),
            (None, true) => (Some(UNKNOWN), 1),
            (Some(second), true) => hz_pair(*first, *second),
        };
        text.extend(char);
        rest = rest.get(length..).unwrap_or_default();
    }
    text
}

/// A character of a pair, and how many bytes it takes.
fn hz_pair(first: u8, second: u8) -> (Option<char>, usize) {
    if !(0x21..0x7e).contains(&first) || !(0x21..0x7f).contains(&second) {
        return (Some(UNKNOWN), if second > 0x80 { 1 } else { 2 });
    }
    let pair = [first | 0x80, second | 0x80];
    let char = encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(&pair);
    let char = char.and_then(|text| text.chars().next());
    (Some(char.filter(|char| !PRIVATE.contains(char)).unwrap_or(UNKNOWN)), 2)
}

/// Where GBK puts what GB 2312 does not have.
const PRIVATE: std::ops::Range<char> = '\u{e000}'..'\u{f900}';

#[cfg(test)]
mod tests;
