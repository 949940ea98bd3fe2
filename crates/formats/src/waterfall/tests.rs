//! Spans in a small notation in, exact pictures out.
//!
//! A line is `id parent service name start..end [!message]`, milliseconds since an arbitrary moment; `-` is no parent.

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const EPOCH_MS: u64 = 1_767_225_600_000;

fn spans(notation: &str) -> Vec<OwnedSpan> {
    notation.lines().map(str::trim).filter(|line| !line.is_empty()).map(span).collect()
}

fn span(line: &str) -> OwnedSpan {
    let (line, message) = line.split_once('!').map_or((line, None), |(line, message)| (line, Some(message)));
    let words: Vec<&str> = line.split_whitespace().collect();
    let [span_id, parent, service, name @ .., times] = &words[..] else { panic!("{line}") };
    let id = |text: &str| u64::from_str_radix(text, 16).map(|id| id.to_be_bytes().to_vec()).unwrap_or_default();
    let ns = |text: &str| text.parse::<u64>().map_or(0, |ms| (EPOCH_MS + ms) * 1_000_000);
    let (start, end) = times.split_once("..").unwrap();
    OwnedSpan {
        trace_id: TraceId::from_hex(TRACE).unwrap(),
        span_id: id(span_id),
        parent_span_id: id(parent),
        service: (*service).to_owned(),
        name: name.join(" "),
        start_ns: ns(start),
        end_ns: ns(end),
        is_error: message.is_some(),
        message: message.unwrap_or_default().to_owned(),
    }
}

#[track_caller]
fn check(notation: &str, expected: &str) {
    let picture = render(&spans(notation), "errors", &Style { width: 80, ..Style::default() });
    assert!(picture == expected.strip_prefix('\n').unwrap(), "\n{picture}");
    for line in picture.lines() {
        assert!(widths(line) <= 80 || line.starts_with(TRACE), "{line}");
    }
}

#[test]
fn a_shop() {
    let mut notation = String::from(
        "1 - shop GET /checkout 0..840
         2 1 shop validate basket 4..18
         3 1 cart GET /cart 20..330
         4 3 cart load items 30..300
         90 1 payment POST /charge 340..836 !card declined
         91 90 bank authorise 350..830 !
         92 90 payment log 831..835",
    );
    for query in 0..24 {
        notation += &format!("\n{:x} 4 db SELECT item {}..{}", 16 + query, 32 + 11 * query, 36 + 11 * query);
    }
    check(
        &notation,
        r"
4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /c…  840 ms  31 spans  kept: errors
  shop · GET /checkout            ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━      840 ms
  ├─ shop · validate basket       ━                                    14.0 ms
  ├─ cart · GET /cart             ╺━━━━━━━━━━━━                         310 ms
  │  └─ cart · load items          ━━━━━━━━━━╸                          270 ms
  │     └─ db · × 24 SELECT item   ━━━━━━━━━━╸                       Σ 96.0 ms
  └─ payment · POST /charge                   ╺━━━━━━━━━━━━━━━━━━━      496 ms ✗
     ✗ card declined
     ├─ bank · authorise                       ━━━━━━━━━━━━━━━━━━━      480 ms ✗
     └─ payment · log                                            ╺     4.00 ms
",
    );
}

#[test]
fn a_retry_storm() {
    check(
        "1 - shop GET /price 0..1000
         2 1 shop call price 0..200 !timeout
         3 2 price GET 10..190
         4 1 shop call price 250..450 !timeout
         5 4 price GET 260..440
         6 1 shop call price 700..900
         7 6 price GET 710..890",
        r"
4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /pr…  1.00 s  7 spans  kept: errors
  shop · GET /price         ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━      1.00 s
  └─ shop · × 3 call price  ━━━━━━━━ ╺━━━━━━━╸        ╺━━━━━━━╸       Σ 600 ms ✗
     ✗ 2 of 3 failed: timeout
     └─ price · × 3 GET     ━━━━━━━╸ ╺━━━━━━━         ╺━━━━━━━        Σ 540 ms
",
    );
}

#[test]
fn orphans_and_circles() {
    check(
        "1 - shop GET / 0..10
         5 77 mail send 4..6
         6 5 smtp deliver 5..6
         7 77 mail log 6..7
         8 78 stock reserve 2..3
         a b loop one 1..2
         b a loop two 2..3
         c c loop self 3..4",
        r"
4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /  10.0 ms  8 spans  kept: errors
  shop · GET /          ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━     10.0 ms
  loop · self                       ╺━━━━                              1.00 ms
  ┄ parent 0000000000000078 never came
  └─ stock · reserve            ━━━━━                                  1.00 ms
  ┄ parent 0000000000000077 never came
  ├─ mail · send                        ╺━━━━━━━━╸                     2.00 ms
  │  └─ smtp · deliver                       ━━━━╸                     1.00 ms
  └─ mail · log                                  ━━━━╸                 1.00 ms
  ┄ parents form a circle
  └─ loop · one             ━━━━╸                                      1.00 ms
     └─ loop · two              ━━━━━                                  1.00 ms
",
    );
}

#[test]
fn no_root() {
    check(
        "5 77 mail send 4..6",
        r"
4bf92f3577b34da6a3ce929d0e0e4736  mail · send  2.00 ms  1 span, no root  kept: errors
  ┄ parent 0000000000000077 never came
  └─ mail · send  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━     2.00 ms
",
    );
}

#[test]
fn one_span() {
    check(
        "1 - shop GET / 0..840",
        r"
4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /  840 ms  1 span  kept: errors
  shop · GET /  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━      840 ms
",
    );
}

#[test]
fn unknown_times() {
    check(
        "1 - shop GET / x..10
         2 1 shop backwards 9..5
         3 1 shop open 9..x",
        r"
4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /  ?  3 spans  kept: errors
  shop · GET /                                                               ?
  ├─ shop · backwards                                                        ?
  └─ shop · open                                                             ?
",
    );
}

#[test]
fn clocks_that_differ() {
    check(
        "1 - shop GET / 100..200
         2 1 ahead work 180..260
         3 1 behind work 10..90",
        r"
4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /  250 ms  3 spans  kept: errors
  shop · GET /                      ╺━━━━━━━━━━━━━━━━━━                 100 ms
  ├─ behind · work  ━━━━━━━━━━━━━━━                                    80.0 ms
  └─ ahead · work                                  ━━━━━━━━━━━━━━━     80.0 ms
",
    );
}

#[test]
fn hostile_names() {
    check(
        "1 - shop \u{1b}[2J\u{202e}GET 0..10
         2 1 漢字サービス 取得 0..5 !line\u{b}two
         3 1 a_service_with_a_rather_long_name and_an_operation_that_is_even_longer_than_that 5..9",
        r"
4bf92f3577b34da6a3ce929d0e0e4736  shop · \u{1b}…  10.0 ms  3 spans  kept: errors
  shop · \u{1b}[2J\u{202e}GET      ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━     10.0 ms
  ├─ 漢字サービス · 取得           ━━━━━━━━━━━━━━━╸                    5.00 ms ✗
  │  ✗ line\u{b}two
  └─ a_service_with_a_rather_lon…                 ╺━━━━━━━━━━━━        4.00 ms
",
    );
}

#[test]
fn many_rows() {
    let steps = |index| format!("{:x} 1 shop step{index} {index}..{}\n", index + 2, index + 1);
    let mut all = spans("1 - shop GET / 0..100");
    all.extend(spans(&(0..100).map(steps).collect::<String>()));
    all.extend(spans("ffff 77 mail send 0..100"));
    let pictures: Vec<String> =
        [4, 101].map(|rows_max| render(&all, "slow", &Style { rows_max, width: 80, colour: false })).into();
    assert_eq!(pictures[0].lines().count(), 6, "{}", pictures[0]);
    assert_eq!(pictures[0].lines().next_back(), Some("  … 98 more spans"));
    assert_eq!(pictures[1].lines().next_back(), Some("  … 1 more span"), "the orphan is not announced");
    assert_eq!(pictures[1].lines().count(), 103);
}

#[test]
fn colours_change_no_text() {
    let spans = spans("1 - shop GET / 0..10 !no");
    let style = Style { width: 60, rows_max: 4, colour: true };
    let coloured = render(&spans, "errors", &style);
    assert!(coloured.contains("\x1b[31m✗ \x1b[0m\x1b[31mno\x1b[0m\n"), "{coloured:?}");
    let plain: String = coloured
        .split('\x1b')
        .map(|part| part.split_once('m').filter(|_| part.starts_with('[')).map_or(part, |(_, text)| text))
        .collect();
    assert_eq!(plain, render(&spans, "errors", &Style { colour: false, ..style }));
}

#[test]
fn deep_and_circular_traces_end() {
    let style = Style { rows_max: 20, ..Style::default() };
    let mut chain: Vec<OwnedSpan> = (1..=100_000u64)
        .map(|index| OwnedSpan {
            span_id: index.to_be_bytes().to_vec(),
            parent_span_id: (index - 1).to_be_bytes().to_vec(),
            start_ns: index,
            end_ns: u64::MAX,
            ..OwnedSpan::default()
        })
        .collect();
    let picture = render(&chain, "", &style);
    assert!(picture.lines().all(|line| widths(line) <= 100), "{picture}");
    assert_eq!(picture.lines().next_back(), Some("  … 99980 more spans"));

    chain[0].parent_span_id = 100_000u64.to_be_bytes().to_vec();
    let picture = render(&chain, "", &style);
    assert_eq!(picture.lines().nth(1), Some("  ┄ parents form a circle"));
    assert_eq!(picture.lines().count(), 1 + 1 + 20 + 1);

    // Many small circles are as quick as one.
    for (index, span) in chain.iter_mut().enumerate() {
        span.parent_span_id = ((index as u64 ^ 1) + 1).to_be_bytes().to_vec();
    }
    assert_eq!(render(&chain, "", &style).lines().nth(1), Some("  ┄ parents form a circle"));
}

#[test]
fn collected_from_a_request() {
    let json = format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"cart"}}}}]}},"scopeSpans":[{{"spans":[
            {{"traceId":"{TRACE}","spanId":"0000000000000002","parentSpanId":"0000000000000001","name":"a","startTimeUnixNano":5,"endTimeUnixNano":9,"status":{{"code":2,"message":"m"}}}},
            {{"traceId":"00000000000000000000000000000001","spanId":"0000000000000003","name":"other"}},
            {{"traceId":"{TRACE}","spanId":"0000000000000004","name":"{}"}}]}}]}}]}}"#,
        "x".repeat(10_000)
    );
    let request = otlp::json::decode(otlp::Signal::Traces, json.as_bytes()).unwrap();
    let spans = OwnedSpan::collect(&request, TraceId::from_hex(TRACE).unwrap());
    let expected = OwnedSpan {
        trace_id: TraceId::from_hex(TRACE).unwrap(),
        span_id: vec![0, 0, 0, 0, 0, 0, 0, 2],
        parent_span_id: vec![0, 0, 0, 0, 0, 0, 0, 1],
        service: "cart".into(),
        name: "a".into(),
        start_ns: 5,
        end_ns: 9,
        is_error: true,
        message: "m".into(),
    };
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[0], expected);
    assert_eq!(spans[1].name.len(), TEXT_BYTES_MAX);
    assert_eq!(render(&[], "why", &Style::default()), "");
    assert_eq!(OwnedSpan::collect(&request[..request.len() - 1], TraceId::default()), []);
}

#[test]
fn a_long_reason_has_a_line_of_its_own() {
    let spans = spans("1 - shop GET /checkout 0..840");
    let why = "`errors`: status ERROR in span `GET /checkout`";
    let drawn = render(&spans, why, &Style { width: 80, ..Style::default() });
    let lines: Vec<&str> = drawn.lines().take(2).collect();
    let first = "4bf92f3577b34da6a3ce929d0e0e4736  shop · GET /checkout  840 ms  1 span";
    assert_eq!(lines, [first, "  kept: `errors`: status ERROR in span `GET /checkout`"]);
    let wide = render(&spans, why, &Style { width: 140, ..Style::default() });
    assert!(wide.starts_with(&format!("{first}  kept: {why}\n")), "{wide}");
}
