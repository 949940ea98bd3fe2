//! What otelcol answered.

use crate::{functions::testing::ask, value::Value};

#[test]
fn hashes_are_those_of_otelcol() {
    for (name, text, expected) in RECORDED {
        let answer = ask(name, &[Value::str(text)]);
        assert_eq!(answer, Ok(Value::str(expected)), "{name}({text:?})");
    }
    for (text, expected) in [
        ("hello", -6_615_550_055_289_275_125),
        ("", -3_750_763_034_362_895_579),
        ("42", 571_532_774_284_038_691),
        ("abc", -1_792_535_898_324_117_685),
    ] {
        assert_eq!(ask("FNV", &[Value::str(text)]), Ok(Value::Int(expected)), "{text:?}");
    }
    assert!(ask("MD5", &[Value::Int(5)]).is_err());
    assert!(ask("XXH3", &[Value::Nil]).is_err());
}

#[test]
fn long_texts_go_another_way() {
    for (name, len, expected) in RECORDED_LONG {
        let text: String = "abcdefghij".repeat(300)[..len].to_string();
        assert_eq!(ask(name, &[Value::string(text)]), Ok(Value::str(expected)), "{name} of {len}");
    }
}

const RECORDED: [(&str, &str, &str); 32] = [
    ("SHA1", "hello", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
    ("Murmur3Hash", "hello", "47fa8b24"),
    ("MD5", "", "d41d8cd98f00b204e9800998ecf8427e"),
    ("SHA1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ("SHA256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (
        "SHA512",
        "",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    ("Murmur3Hash", "", "00000000"),
    ("Murmur3Hash128", "", "00000000000000000000000000000000"),
    ("XXH3", "", "2d06800538d394c2"),
    ("XXH128", "", "99aa06d3014798d86001c324468d497f"),
    ("MD5", "hello", "5d41402abc4b2a76b9719d911017c592"),
    ("SHA256", "hello", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    (
        "SHA512",
        "hello",
        "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043",
    ),
    ("Murmur3Hash128", "hello", "029bbd41b3a7d8cb191dae486a901e5b"),
    ("XXH3", "hello", "9555e8555c62dcfd"),
    ("XXH128", "hello", "b5e9c1ad071b3e7fc779cfaa5e523818"),
    ("MD5", "The quick brown fox jumps over the lazy dog", "9e107d9d372bb6826bd81d3542a419d6"),
    ("SHA1", "The quick brown fox jumps over the lazy dog", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
    (
        "SHA256",
        "The quick brown fox jumps over the lazy dog",
        "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592",
    ),
    (
        "SHA512",
        "The quick brown fox jumps over the lazy dog",
        "07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb642e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6",
    ),
    ("Murmur3Hash", "The quick brown fox jumps over the lazy dog", "23f74f2e"),
    ("Murmur3Hash128", "The quick brown fox jumps over the lazy dog", "6c1b07bc7bbc4be347939ac4a93c437a"),
    ("XXH3", "The quick brown fox jumps over the lazy dog", "ce7d19a5418fb365"),
    ("XXH128", "The quick brown fox jumps over the lazy dog", "ddd650205ca3e7fa24a1cc2e3a8a7651"),
    ("MD5", "日本語", "00110af8b4393ef3f72c50be5b332bec"),
    ("SHA1", "日本語", "c12140a0ffb4e56481b4fe0a7a25040c2eafa9ca"),
    ("SHA256", "日本語", "77710aedc74ecfa33685e33a6c7df5cc83004da1bdcef7fb280f5c2b2e97e0a5"),
    (
        "SHA512",
        "日本語",
        "3df44aa21ecaedcf5b27b2d9ac97347ef57344534798de884593bed4ff920c79213d491eb5b61c07780cc485be830a1a2f6ef1347e02216d0cb560afd3f392f5",
    ),
    ("Murmur3Hash", "日本語", "9772a4a5"),
    ("Murmur3Hash128", "日本語", "f4effba8b987bb12ee76470a47800fe4"),
    ("XXH3", "日本語", "11fec42c806050b7"),
    ("XXH128", "日本語", "cf540541fa85fd53750ff417a7ae0479"),
];

const RECORDED_LONG: [(&str, usize, &str); 22] = [
    ("XXH3", 13, "e60e064a1520ca10"),
    ("XXH128", 13, "c789f6cc2869b12aab130fc168d105da"),
    ("XXH3", 15, "5e77858996f6bebc"),
    ("XXH128", 15, "8220cf71a7bcce6e7739152fa5548350"),
    ("XXH3", 31, "7fa9975dfae991d1"),
    ("XXH128", 31, "d93e6375f21a279d8c9590d7ef0970e3"),
    ("XXH3", 64, "cfb26a45c1c7d685"),
    ("XXH128", 64, "2ca7995e5324e8d1fbd6efd29e78f0c0"),
    ("XXH3", 127, "b1b7240ee52fa15c"),
    ("XXH128", 127, "c1daf44d1d0c4a8ef2d8cfb129e4acf2"),
    ("XXH3", 160, "f4c8feba055fb9b0"),
    ("XXH128", 160, "6a4e47f85d80da125ef1759868656954"),
    ("XXH3", 200, "9815c14b4e975d89"),
    ("XXH128", 200, "a1313b3263cf2dd86ba524de460065aa"),
    ("XXH3", 256, "e5baaa114c3c7484"),
    ("XXH128", 256, "22bdc472d679b394e5baaa114c3c7484"),
    ("XXH3", 1024, "39f2d226becfe36b"),
    ("XXH128", 1024, "ba7eac100dcb27af39f2d226becfe36b"),
    ("XXH3", 1040, "3c1ed18151c1b0c3"),
    ("XXH128", 1040, "f1d379c7438a98033c1ed18151c1b0c3"),
    ("XXH3", 2048, "c1adf7a7c991b12c"),
    ("XXH128", 2048, "6998ad39975e1975c1adf7a7c991b12c"),
];
