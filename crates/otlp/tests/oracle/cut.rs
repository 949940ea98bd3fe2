//! Cut requests against prost: nothing is lost or doubled, and no part has more items than it may.

use crate::messages::{self, logs, metrics};
use crate::random::Random;
use crate::{check, generate};
use otlp::Signal;
use otlp::assemble::Builder;
use otlp::cut::{cut, join, split};
use otlp::wire::{put_len, put_uint};
use prost::Message;
use std::mem::take;

/// An item with all that is around it, encoded: resource's part, scope's part, record.
type Item = (Vec<u8>, Vec<u8>, Vec<u8>);

/// All items of a request, and all metrics without any, in order.
fn flat(signal: Signal, request: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    match signal {
        Signal::Traces => {
            for mut resource in messages::Request::decode(request).expect("valid").resource_spans {
                for mut scope in take(&mut resource.scope_spans) {
                    for record in take(&mut scope.spans) {
                        items.push((resource.encode_to_vec(), scope.encode_to_vec(), record.encode_to_vec()));
                    }
                }
            }
        }
        Signal::Metrics => {
            for mut resource in metrics::Request::decode(request).expect("valid").resource_metrics {
                for mut scope in take(&mut resource.scope_metrics) {
                    for record in take(&mut scope.metrics).into_iter().flat_map(single) {
                        items.push((resource.encode_to_vec(), scope.encode_to_vec(), record.encode_to_vec()));
                    }
                }
            }
        }
        Signal::Logs => {
            for mut resource in logs::Request::decode(request).expect("valid").resource_logs {
                for mut scope in take(&mut resource.scope_logs) {
                    for record in take(&mut scope.log_records) {
                        items.push((resource.encode_to_vec(), scope.encode_to_vec(), record.encode_to_vec()));
                    }
                }
            }
        }
    }
    items
}

/// The metric once for each of its points.
fn single(metric: metrics::Metric) -> Vec<metrics::Metric> {
    use metrics::metric::Data;
    macro_rules! each {
        ($data:ident, $kind:path) => {{
            let points = $data.data_points.clone();
            let with = |points| metrics::Metric {
                data: Some($kind({
                    let mut data = $data.clone();
                    data.data_points = points;
                    data
                })),
                ..metric.clone()
            };
            match points.is_empty() {
                true => vec![metric.clone()],
                false => points.into_iter().map(|point| with(vec![point])).collect(),
            }
        }};
    }
    match &metric.data {
        None => vec![metric],
        Some(Data::Gauge(data)) => each!(data, Data::Gauge),
        Some(Data::Sum(data)) => each!(data, Data::Sum),
        Some(Data::Histogram(data)) => each!(data, Data::Histogram),
        Some(Data::ExponentialHistogram(data)) => each!(data, Data::ExponentialHistogram),
        Some(Data::Summary(data)) => each!(data, Data::Summary),
    }
}

/// All items of all parts, sorted, after their numbers have been checked.
fn parts(signal: Signal, parts: &[(Vec<u8>, u64)]) -> Vec<Item> {
    let mut items = Vec::new();
    for (part, count) in parts {
        assert_eq!(check::decode(signal, part).expect("valid").items, *count);
        items.extend(flat(signal, part));
    }
    items.sort();
    items
}

#[test]
fn cuts_lose_nothing() {
    let cases = crate::variable("TAILRACE_CASES").unwrap_or(50_000) / 10;
    let first = crate::variable("TAILRACE_SEED").unwrap_or(1);
    for signal in Signal::ALL {
        let (mut cuts, mut halves) = (0, 0);
        for seed in first..first + cases {
            let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
            let request = generate::case(signal, &mut random);
            let Some(counts) = check::decode(signal, &request) else { continue };
            let mut expected = flat(signal, &request);
            let items_max = 1 + random.below(6) as u64;
            let cut = cut(signal, &request, items_max).expect("valid");
            assert!(cut.iter().all(|(_, items)| *items <= items_max), "{signal}, TAILRACE_SEED={seed}");
            let full = counts.items.div_ceil(items_max).max(u64::from(counts.records > 0));
            assert_eq!(cut.len() as u64, full, "{signal}, TAILRACE_SEED={seed}");
            cuts += cut.len();
            let mut joined = Builder::new();
            let items: u64 = cut.iter().map(|(part, _)| join(signal, &mut joined, part).expect("valid")).sum();
            assert_eq!(items, counts.items);
            let joined = parts(signal, &[(joined.finish(), items)]);
            expected.sort();
            assert!(parts(signal, &cut) == expected, "{signal}, TAILRACE_SEED={seed}, at most {items_max}");
            assert!(joined == expected, "{signal}, TAILRACE_SEED={seed}, joined");
            match split(signal, &request) {
                None => assert!(counts.items < 2, "{signal}, TAILRACE_SEED={seed}"),
                Some((left, right)) => {
                    halves += 2;
                    assert_eq!((left.1, right.1), (counts.items / 2, counts.items - counts.items / 2));
                    assert!(parts(signal, &[left, right]) == expected, "{signal}, TAILRACE_SEED={seed}, halves");
                }
            }
        }
        println!("{signal}: {cuts} cuts, {halves} halves");
        assert!(cases < 100 || cuts > 1_000 && halves > 500);
    }
}

#[test]
fn both_parts_of_a_metric_have_what_nobody_knows() {
    const UNKNOWN: u32 = 100;
    let mut data = Vec::new();
    put_len(&mut data, 1, b"");
    put_uint(&mut data, 2, 2);
    put_len(&mut data, UNKNOWN, b"data");
    put_len(&mut data, 1, b"");
    let mut metric = Vec::new();
    put_len(&mut metric, 1, b"name");
    put_len(&mut metric, 7, &data);
    put_len(&mut metric, UNKNOWN, b"metric");
    let mut request = metric;
    for number in [2, 2, 1] {
        let mut outer = Vec::new();
        put_len(&mut outer, number, &request);
        put_len(&mut outer, UNKNOWN, &[number as u8]);
        request = outer;
    }
    let ((left, _), (right, _)) = split(Signal::Metrics, &request).expect("two points");
    assert_eq!(left, right);
    let has = |text: &[u8]| left.windows(text.len()).any(|window| window == text);
    assert!(has(b"data") && has(b"metric") && has(b"name"));
    // The unknown fields of both envelopes.
    assert!(has(&[0xa2, 6, 1, 2]));
    assert_eq!(split(Signal::Metrics, &left), None);
}

#[test]
fn broken_requests_are_not_cut() {
    for signal in Signal::ALL {
        assert_eq!(split(signal, b""), None);
        assert_eq!(split(signal, b"broken"), None);
        assert_eq!(cut(signal, b"", 1), Ok(Vec::new()));
        assert!(cut(signal, b"broken", 1).is_err());
    }
}
