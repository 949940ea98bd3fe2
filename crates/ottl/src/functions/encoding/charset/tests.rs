//! What Go's `x/text` answered.

use super::Charset;

#[track_caller]
fn check(name: &str, bytes: &[u8], expected: &str) {
    let charset = Charset::named(name.as_bytes()).unwrap_or_else(|| panic!("{name} is unknown"));
    let text = charset.decode(bytes.into());
    assert_eq!(String::from_utf8_lossy(&text), expected, "{name}");
}

#[test]
fn sets_of_one_byte() {
    check("ISO-8859-1", b"caf\xe9\x80", "café\u{80}");
    check(" latin5 ", b"\xd0\xdd\xe9", "Ğİé");
    check("l2", b"\xb1\x80", "ą\u{fffd}");
    check("cyrillic", b"\xbf\xe0", "Пр");
    check("windows-1252", b"\x80\x81\xe9", "€\u{fffd}é");
    check("koi8-r", b"\xf0\xd2", "Пр");
    check("macintosh", b"\x8e\xdb", "é€");
    check("437", b"\x82\xe3\xb0a", "éπ░a");
    check("cp00858", b"\xd5a\x82", "€aé");
    check("850", b"\xd5", "ı");
    check("ibm037", b"\xc8\x85\x93\x93\x96\x5f\x9f", "Hello¬¤");
    check("ibm1047", b"\xc8\x5f\xad\xbd", "H^[]");
    check("ibm01140", b"\x9f", "€");
    check("cp367", b"a\xe9", "a\u{fffd}");
}

#[test]
fn unicode() {
    check("", b"caf\xc3\xa9\xff", "café\u{fffd}");
    check("ASCII", b"\xe2\x82x", "\u{fffd}x");
    check("utf-16", b"h\0i\0\x3d\xd8\x00\xde", "hi😀");
    check("utf-16le", b"\xff\xfeh\0", "\u{feff}h");
    check("utf-16be", b"\0h\0", "h\u{fffd}");
    check("csutf16", b"\xff\xfeh\0", "h");
    check("csutf16", b"\0h", "h");
    check("utf-16be", b"\xdc\0\xdc\0\0h", "\u{fffd}h");
    assert_eq!(&*Charset::named(b"UTF-8-RAW").expect("known").decode(b"\xff".into()), b"\xff");
}

#[test]
fn east_asian_sets() {
    check("shift_jis", b"\x93\xfa\x96\x7b\xb1", "日本ｱ");
    check("euc-jp", b"\xc6\xfc\xcb\xdc", "日本");
    check("iso-2022-jp", b"\x1b$BF|K\\\x1b(Ba", "日本a");
    check("gbk", b"\xd6\xd0\xce\xc4", "中文");
    check("gb18030", b"\x90\x30\x81\x30", "𐀀");
    check("hz-gb-2312", b"a~{VPND~}~~~\nb~{\x2f\x3e", "a中文~b\u{fffd}");
    check("big5", b"\xa4\xa4\xa4\xe5", "中文");
    check("euc-kr", b"\xc7\xd1", "한");
}

#[test]
fn unknown_names() {
    for name in ["abc", "utf-7", "windows-1259", "cswindows936", "base64"] {
        assert!(Charset::named(name.as_bytes()).is_none(), "{name}");
    }
}
