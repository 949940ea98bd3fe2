//! The check of metrics, logs and traces against prost: what is taken, and how much it holds.

use crate::generate;
use crate::messages::{self, logs, metrics};
use crate::random::Random;
use otlp::Signal;
use otlp::check::{Check, Counts, check};
use otlp::scan::Progress;
use prost::Message;

/// What prost takes it for.
pub(crate) fn decode(signal: Signal, request: &[u8]) -> Option<Counts> {
    let per_record: Vec<usize> = match signal {
        Signal::Traces => {
            let request = messages::Request::decode(request).ok()?;
            let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
            scopes.flat_map(|scope| scope.spans.iter().map(|_| 1)).collect()
        }
        Signal::Metrics => {
            let request = metrics::Request::decode(request).ok()?;
            let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
            scopes.flat_map(|scope| scope.metrics.iter().map(points)).collect()
        }
        Signal::Logs => {
            let request = logs::Request::decode(request).ok()?;
            let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
            scopes.flat_map(|scope| scope.log_records.iter().map(|_| 1)).collect()
        }
    };
    Some(Counts { records: per_record.len() as u64, items: per_record.iter().sum::<usize>() as u64 })
}

fn points(metric: &metrics::Metric) -> usize {
    use metrics::metric::Data;
    match &metric.data {
        None => 0,
        Some(Data::Gauge(data)) => data.data_points.len(),
        Some(Data::Sum(data)) => data.data_points.len(),
        Some(Data::Histogram(data)) => data.data_points.len(),
        Some(Data::ExponentialHistogram(data)) => data.data_points.len(),
        Some(Data::Summary(data)) => data.data_points.len(),
    }
}

#[test]
fn checks_as_prost_decodes() {
    let cases = crate::variable("TAILRACE_CASES").unwrap_or(50_000) / 3;
    let first = crate::variable("TAILRACE_SEED").unwrap_or(1);
    for signal in Signal::ALL {
        let (mut taken, mut items) = (0, 0);
        let mut in_steps = Check::new();
        for seed in first..first + cases {
            let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
            let request = generate::case(signal, &mut random);
            let (expected, found) = (decode(signal, &request), check(signal, &request));
            assert_eq!(found.ok(), expected, "{signal}, TAILRACE_SEED={seed}: {found:?}, {request:02x?}");
            let bytes_max = 1 + random.below(200);
            in_steps.begin(signal);
            let end = loop {
                match in_steps.advance(&request, bytes_max) {
                    Ok(Progress::More) => {}
                    end => break end.map(|_| in_steps.counts()),
                }
            };
            assert_eq!(end, found, "{signal}, TAILRACE_SEED={seed}, in steps of {bytes_max}");
            taken += u64::from(expected.is_some());
            items += expected.unwrap_or_default().items;
        }
        println!("{signal}: seeds {first}..{}: {taken} taken with {items} items", first + cases);
        assert!(cases < 100 || taken * 10 >= cases * 3 && taken * 10 <= cases * 7, "{taken} of {cases} {signal} taken");
    }
}

#[test]
fn checks_large_requests() {
    for signal in Signal::ALL {
        for (seed, len) in [(1, 2 << 20), (2, 300_000)] {
            let request = generate::large(signal, &mut Random(seed), len);
            let found = check(signal, &request).ok();
            assert!(found.is_some_and(|counts| counts.items > 50), "{found:?}");
            assert_eq!(found, decode(signal, &request));
            assert!(check(signal, &request[..request.len() - 1]).is_err());
        }
    }
}
