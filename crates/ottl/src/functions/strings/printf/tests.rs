//! What otelcol answered.

use crate::{
    functions::testing::ask,
    value::{Id, List, Time, Value},
};
use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
};

fn check(format: &'static str, arguments: &[Value<'static>], expected: &'static str) {
    let call = [Value::str(format), Value::List(List::native(arguments.to_vec()))];
    assert_eq!(ask("Format", &call), Ok(Value::str(expected)), "{format} of {arguments:?}");
}

fn time() -> Value<'static> {
    Value::Time(Time::from_wire(1_767_225_600_302_333_727))
}

fn trace_id() -> Value<'static> {
    Value::Id(Id::Trace(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()))
}

fn list() -> Value<'static> {
    let items = vec![Value::Int(1), Value::str("a"), Value::Nil, Value::Float(1.5), Value::Bool(true)];
    Value::List(List::native(items))
}

/// Indices, stars, and what is too much or too little.
#[test]
fn directives_find_their_arguments() {
    check("%[1]d %[1]x", &[Value::Int(10)], "10 a");
    check("%[2]d %[1]d", &[Value::Int(1), Value::Int(2)], "2 1");
    check("%[2]d %d", &[Value::Int(1), Value::Int(2), Value::Int(3)], "2 3");
    check("%[3]d", &[Value::Int(1), Value::Int(2)], "%!d(BADINDEX)");
    check("%[0]d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%[x]d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%[1d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%[1]", &[Value::Int(1)], "%!(NOVERB)");
    check("%[]d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%[-1]d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%*d|", &[Value::Int(5), Value::Int(3)], "    3|");
    check("%-*d|", &[Value::Int(5), Value::Int(3)], "3    |");
    check("%*d|", &[Value::Int(-5), Value::Int(3)], "3    |");
    check("%*d", &[Value::str("a"), Value::Int(3)], "%!(BADWIDTH)3");
    check("%*d", &[Value::Int(1000001), Value::Int(3)], "%!(BADWIDTH)3");
    check("%.*f", &[Value::Int(2), Value::Float(1.5)], "1.50");
    check("%.*f", &[Value::Int(-2), Value::Float(1.5)], "%!(BADPREC)1.500000");
    check("%.*f", &[Value::str("x"), Value::Float(1.5)], "%!(BADPREC)1.500000");
    check("%*.*f|", &[Value::Int(8), Value::Int(2), Value::Float(1.5)], "    1.50|");
    check("%[2]*[1]d|", &[Value::Int(3), Value::Int(5)], "    3|");
    check("%[1]*.[2]*[3]f|", &[Value::Int(8), Value::Int(2), Value::Float(1.5)], "    1.50|");
    check("%[3]*.[2]*[1]f|", &[Value::Float(1.5), Value::Int(2), Value::Int(8)], "    1.50|");
    check("%[3]*.[2]f|", &[Value::Float(1.5), Value::Int(2), Value::Int(8)], "%!f(int64=       2)|");
    check("%[1]2d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%[1].2d", &[Value::Int(1)], "%!d(BADINDEX)");
    check("%2[1]d|", &[Value::Int(1)], " 1|");
    check("%.2[1]d|", &[Value::Int(1)], "01|");
    check("%.[1]2f", &[Value::Float(1.5)], "1.50");
    check("%d", &[], "%!d(MISSING)");
    check("%d", &[Value::Int(1), Value::Int(2)], "1%!(EXTRA int64=2)");
    check("abc", &[], "abc");
    check("", &[], "");
    check("x", &[Value::Nil, Value::str("a"), Value::Float(1.5)], "x%!(EXTRA <nil>, string=a, float64=1.5)");
    check("%s %s", &[Value::str("a"), Value::str("b")], "a b");
    check("%[1]%", &[Value::Int(5)], "%");
    check("%[5]%", &[Value::Int(5)], "%");
    check("%[1]d %d %d", &[Value::Int(1), Value::Int(2)], "1 2 %!d(MISSING)");
    check("%[2]d", &[Value::Int(1), Value::Int(2)], "2");
    check("%v %v %v", &[Value::Int(1), Value::str("a")], "1 a %!v(MISSING)");
    check("%é", &[], "%!é(MISSING)");
    check("%d %s", &[Value::str("a"), Value::Int(1)], "%!d(string=a) %!s(int64=1)");
    check("%6.2f|%-8s|%+d", &[Value::Float(2.714), Value::str("ab"), Value::Int(7)], "  2.71|ab      |+7");
    check("%c%c", &[Value::Int(72), Value::Int(105)], "Hi");
    check("%w %w", &[Value::Int(1), Value::str("a")], "%!w(int64=1) %!w(string=a)");
    check("%[1]w", &[Value::Int(5)], "%!w(int64=5)");
}

/// Verbs and flags with values of all kinds.
#[test]
fn verbs_print_values() {
    check("% x", &[Value::Bool(true)], "%!x(bool=true)");
    check("%.1v", &[Value::Bool(false)], "false");
    check("%10v|", &[Value::Bool(false)], "     false|");
    check("%5d|", &[Value::Bool(true)], "%!d(bool= true)|");
    check("%U", &[Value::Bool(true)], "%!U(bool=true)");
    check("%e", &[Value::Bool(true)], "%!e(bool=true)");
    check("%o", &[Value::Bool(true)], "%!o(bool=true)");
    check("%q", &[Value::Bool(false)], "%!q(bool=false)");
    check("%v", &[Value::Bool(true)], "true");
    check("%x", &[Value::Bool(true)], "%!x(bool=true)");
    check("%z", &[Value::Bool(false)], "%!z(bool=false)");
    check("%#x", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "0x0102ff");
    check("%010v", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[0000000001 0000000002 0000000255]");
    check("%5T|", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[]uint8|");
    check("%T", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[]uint8");
    check("%b", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[1 10 11111111]");
    check("%d", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[1 2 255]");
    check("%q", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "\"\\x01\\x02\\xff\"");
    check("%v", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[1 2 255]");
    check("%w", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[%!w(uint8=1) %!w(uint8=2) %!w(uint8=255)]");
    check("%x", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "0102ff");
    check("%z", &[Value::Bytes(Cow::Borrowed(&[1, 2, 255]))], "[%!z(uint8=1) %!z(uint8=2) %!z(uint8=255)]");
    check("% x", &[Value::Duration(90_000_000_000)], "31 6d 33 30 73");
    check("%# x", &[Value::Duration(90_000_000_000)], "0x31 0x6d 0x33 0x30 0x73");
    check("%#v", &[Value::Duration(90_000_000_000)], "90000000000");
    check("%#x", &[Value::Duration(90_000_000_000)], "0x316d333073");
    check("%-5d|", &[Value::Duration(90_000_000_000)], "90000000000|");
    check("%5T|", &[Value::Duration(90_000_000_000)], "time.Duration|");
    check("%5t|", &[Value::Duration(90_000_000_000)], "%!t(time.Duration=90000000000)|");
    check("%T", &[Value::Duration(90_000_000_000)], "time.Duration");
    check("%e", &[Value::Duration(90_000_000_000)], "%!e(time.Duration=90000000000)");
    check("%f", &[Value::Duration(90_000_000_000)], "%!f(time.Duration=90000000000)");
    check("%o", &[Value::Duration(90_000_000_000)], "1236432602000");
    check("%q", &[Value::Duration(90_000_000_000)], "\"1m30s\"");
    check("%s", &[Value::Duration(90_000_000_000)], "1m30s");
    check("%x", &[Value::Duration(90_000_000_000)], "316d333073");
    check("%#.0f", &[Value::Float(0.0001)], "0.");
    check("%#.3g", &[Value::Float(1.7976931348623157e308)], "1.80e+308");
    check("%#g", &[Value::Float(1.0e100)], "1.00000e+100");
    check("%.20f", &[Value::Float(100.0)], "100.00000000000000000000");
    check("%.3g", &[Value::Float(999999.5)], "1e+06");
    check("%010.2f", &[Value::Float(1.0)], "0000001.00");
    check("%F", &[Value::Float(2.5)], "2.500000");
    check("%G", &[Value::Float(1.7976931348623157e308)], "1.7976931348623157E+308");
    check("%X", &[Value::Float(0.0)], "0X0P+00");
    check("%f", &[Value::Float(1.5)], "1.500000");
    check("%s", &[Value::Float(-0.0)], "%!s(float64=-0)");
    check("%x", &[Value::Float(-1.5)], "-0x1.8p+00");
    check("% x", &[Value::Id(Id::Span([0; 8]))], "");
    check("%#q", &[Value::Id(Id::Span([0; 8]))], "``");
    check("%+v", &[Value::Id(Id::Span([0; 8]))], "");
    check("%-10v|", &[Value::Id(Id::Span([0; 8]))], "          |");
    check("%-5d|", &[Value::Id(Id::Span([0; 8]))], "[0     0     0     0     0     0     0     0    ]|");
    check("%.1v", &[Value::Id(Id::Span([0; 8]))], "");
    check("%.2s", &[Value::Id(Id::Span([0; 8]))], "");
    check("%03d", &[Value::Id(Id::Span([0; 8]))], "[000 000 000 000 000 000 000 000]");
    check("%10s|", &[Value::Id(Id::Span([0; 8]))], "          |");
    check("%10v|", &[Value::Id(Id::Span([0; 8]))], "          |");
    check("%U", &[Value::Id(Id::Span([0; 8]))], "[U+0000 U+0000 U+0000 U+0000 U+0000 U+0000 U+0000 U+0000]");
    check("%X", &[Value::Id(Id::Span([0; 8]))], "");
    check("%o", &[Value::Id(Id::Span([0; 8]))], "[0 0 0 0 0 0 0 0]");
    check("%q", &[Value::Id(Id::Span([0; 8]))], "\"\"");
    check("% 05d", &[Value::Int(-5)], "-0005");
    check("%#12U|", &[Value::Int(128512)], " U+1F600 '😀'|");
    check("%#X", &[Value::Int(65)], "0X41");
    check("%+ d", &[Value::Int(-1)], "-1");
    check("%+", &[Value::Int(1)], "%!(NOVERB)%!(EXTRA int64=1)");
    check("%-05d|", &[Value::Int(5)], "5    |");
    check("%-5d|", &[Value::Int(5)], "5    |");
    check("%.0d", &[Value::Int(0)], "");
    check("%.8U|", &[Value::Int(65)], "U+00000041|");
    check("%05d", &[Value::Int(128512)], "128512");
    check("%5%", &[Value::Int(65)], "%%!(EXTRA int64=65)");
    check("%5.", &[Value::Int(-5)], "%!.(int64=   -5)");
    check("%8.3d", &[Value::Int(-1)], "    -001");
    check("%O", &[Value::Int(65)], "0o101");
    check("%T", &[Value::Int(0)], "int64");
    check("%U", &[Value::Int(65)], "U+0041");
    check("%b", &[Value::Int(0)], "0");
    check("%c", &[Value::Int(65)], "A");
    check("%e", &[Value::Int(-1)], "%!e(int64=-1)");
    check("%t", &[Value::Int(-5)], "%!t(int64=-5)");
    check("%x", &[Value::Int(-5)], "-5");
    check("%z", &[Value::Int(5)], "%!z(int64=5)");
    check("%日", &[Value::Int(1)], "%!日(int64=1)");
    check("%+q", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[\"a\" \"b\"]");
    check("%+v", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[a b]");
    check("%-10v|", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[a          b         ]|");
    check(
        "%-5d|",
        &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))],
        "[%!d(string=a    ) %!d(string=b    )]|",
    );
    check("%10v|", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[         a          b]|");
    check("%5T|", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[]string|");
    check(
        "%5t|",
        &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))],
        "[%!t(string=    a) %!t(string=    b)]|",
    );
    check("%T", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[]string");
    check("%U", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[%!U(string=a) %!U(string=b)]");
    check("%X", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[61 62]");
    check("%b", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[%!b(string=a) %!b(string=b)]");
    check("%f", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[%!f(string=a) %!f(string=b)]");
    check("%q", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[\"a\" \"b\"]");
    check("%s", &[Value::List(List::strings(vec![Value::str("a"), Value::str("b")]))], "[a b]");
    check("% x", &[Value::Nil], "%!x(<nil>)");
    check("%# x", &[Value::Nil], "%!x(<nil>)");
    check("%#x", &[Value::Nil], "%!x(<nil>)");
    check("%+q", &[Value::Nil], "%!q(<nil>)");
    check("%-10v|", &[Value::Nil], "<nil>     |");
    check("%03d", &[Value::Nil], "%!d(<nil>)");
    check("%10v|", &[Value::Nil], "     <nil>|");
    check("%U", &[Value::Nil], "%!U(<nil>)");
    check("%c", &[Value::Nil], "%!c(<nil>)");
    check("%w", &[Value::Nil], "%!w(<nil>)");
    check("%#.2v", &[Value::str("a\tb\n")], "\"a\\t\"");
    check("%#q", &[Value::str("")], "``");
    check("%#x", &[Value::str("hello")], "0x68656c6c6f");
    check("%-10x|", &[Value::str("a\"b")], "612262    |");
    check("%.2q", &[Value::str("hello")], "\"he\"");
    check("%.3x", &[Value::str("a\"b")], "612262");
    check("%5.1s|", &[Value::str("`x`")], "    `|");
    check("%5T|", &[Value::str("a\"b")], "string|");
    check("%T", &[Value::str("a\tb\n")], "string");
    check("%X", &[Value::str("a\tb\n")], "6109620A");
    check("%c", &[Value::str("a\"b")], "%!c(string=a\"b)");
    check("%p", &[Value::str("a\"b")], "%!p(string=a\"b)");
    check("% x", &[list()], "[ 1 61 <nil>  0x1.8p+00 %!x(bool=true)]");
    check("%#q", &[list()], "['\\x01' `a` <nil> %!q(float64=1.50000) %!q(bool=true)]");
    check("%-10v|", &[list()], "[1          a          <nil> 1.5        true      ]|");
    check("%-5d|", &[list()], "[1     %!d(string=a    ) <nil> %!d(float64=1.5  ) %!d(bool=true )]|");
    check("%010v", &[list()], "[0000000001 000000000a <nil> 00000001.5 000000true]");
    check("%10v|", &[list()], "[         1          a <nil>        1.5       true]|");
    check("%5T|", &[list()], "[]interface {}|");
    check("%5d|", &[list()], "[    1 %!d(string=    a) <nil> %!d(float64=  1.5) %!d(bool= true)]|");
    check("%T", &[list()], "[]interface {}");
    check("%X", &[list()], "[1 61 <nil> 0X1.8P+00 %!X(bool=true)]");
    check("%d", &[list()], "[1 %!d(string=a) <nil> %!d(float64=1.5) %!d(bool=true)]");
    check("%o", &[list()], "[1 %!o(string=a) <nil> %!o(float64=1.5) %!o(bool=true)]");
    check("%q", &[list()], "['\\x01' \"a\" <nil> %!q(float64=1.5) %!q(bool=true)]");
    check("%z", &[list()], "[%!z(int64=1) %!z(string=a) <nil> %!z(float64=1.5) %!z(bool=true)]");
    check("%+q", &[time()], "\"2026-01-01 00:00:00.302333727 +0000 UTC\"");
    check("%+v", &[time()], "2026-01-01 00:00:00.302333727 +0000 UTC");
    check("%10s|", &[time()], "2026-01-01 00:00:00.302333727 +0000 UTC|");
    check("%T", &[time()], "time.Time");
    check("%U", &[time()], "{U+12053F1F U+EE0E7B000 %!U(*time.Location=<nil>)}");
    check("%d", &[time()], "{302333727 63902822400 0}");
    check("%p", &[time()], "%!p(time.Time={302333727 63902822400 <nil>})");
    check("%v", &[time()], "2026-01-01 00:00:00.302333727 +0000 UTC");
    check("%#x", &[trace_id()], "0x3462663932663335373762333464613661336365393239643065306534373336");
    check("%+q", &[trace_id()], "\"4bf92f3577b34da6a3ce929d0e0e4736\"");
    check("%.2s", &[trace_id()], "4b");
    check("%10v|", &[trace_id()], "4bf92f3577b34da6a3ce929d0e0e4736|");
    check("%T", &[trace_id()], "pcommon.TraceID");
    check("%X", &[trace_id()], "3462663932663335373762333464613661336365393239643065306534373336");
    check("%x", &[trace_id()], "3462663932663335373762333464613661336365393239643065306534373336");
}

/// Formats and arguments by chance have some text. `OTTL_SEED` replays a run.
#[test]
fn random_formats_are_survived() {
    let replayed = std::env::var("OTTL_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = replayed.unwrap_or_else(|| RandomState::new().hash_one(0_u8) | 1);
    println!("OTTL_SEED={seed}");
    let mut state = seed;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let pieces =
        ["%", "%", "[", "]", "*", ".", "1", "20", "0", "-", "+", "#", " ", "v", "d", "x", "q", "s", "g", "U", "日"];
    for _ in 0..20_000 {
        let format: String = (0..random(12)).map(|_| pieces[random(pieces.len())]).collect();
        let values =
            [Value::Int(-7), Value::Float(1e300), Value::str(b"a\xffb"), Value::Nil, time(), trace_id(), list()];
        let arguments = (0..random(4)).map(|_| values[random(values.len())].clone()).collect();
        let call = [Value::string(format.clone()), Value::List(List::native(arguments))];
        assert!(ask("Format", &call).is_ok(), "{format}");
    }
}
