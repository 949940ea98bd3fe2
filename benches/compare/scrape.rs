//! What a collector says of itself, and the verdict lag that follows from it.
//!
//! Both collectors count new traces and verdicts. The verdict that makes the count of verdicts *n* is, first in first out,
//! that of the trace that made the count of new traces *n*, so it came this long after its time:
//! ```text
//! lag(n) = when verdicts reached n − when new traces reached n − decision wait
//! ```
//! The scrapes are the clock: the first time is read too late and the second too early, each by at most one interval. The
//! lag is overstated, never understated, but for traces that overtake each other.

use load::Latency;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The text of one scrape.
#[derive(Debug)]
pub(crate) struct Scrape {
    text: String,
}

/// The two counts over time.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    points: Vec<Point>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at: Instant,
    begun: u64,
    decided: u64,
}

impl Scrape {
    pub(crate) async fn of(address: SocketAddr) -> Result<Self, String> {
        let read = async {
            let mut stream = TcpStream::connect(address).await?;
            // Neither side wraps an answer to HTTP/1.0 into chunks.
            stream.write_all(format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        };
        let text = read.await.map_err(|error| format!("cannot read the metrics at {address}: {error}"))?;
        Ok(Self { text })
    }

    /// The sum over all series of the metric, with or without `_total`.
    pub(crate) fn sum(&self, metric: &str) -> f64 {
        let lines = self.text.lines().filter(|line| {
            line.strip_prefix(metric).is_some_and(|rest| rest.trim_start_matches("_total").starts_with(['{', ' ']))
        });
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// The largest value of any series of the metric, signs aside.
    pub(crate) fn most(&self, metric: &str) -> f64 {
        let lines = self.text.lines().filter(|line| line.starts_with(metric));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .fold(0.0, |most, value| most.max(value.abs()))
    }
}

impl Verdicts {
    /// Reads the counts until this future is dropped.
    pub(crate) async fn watch(&mut self, address: SocketAddr) {
        loop {
            if let Ok(scrape) = Scrape::of(address).await {
                self.points.push(Point {
                    at: Instant::now(),
                    begun: scrape.sum("otelcol_processor_tail_sampling_new_trace_id_received") as u64,
                    decided: scrape.sum("otelcol_processor_tail_sampling_global_count_traces_sampled") as u64,
                });
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    pub(crate) fn lags(&self, decision_wait: Duration) -> Latency {
        let (mut lags, mut begun) = (Latency::new(), self.points.iter().zip(self.points.iter().skip(1)).peekable());
        for (before, now) in self.points.iter().zip(self.points.iter().skip(1)) {
            for number in (before.decided + 1..=now.decided).step_by(EACH) {
                while begun.next_if(|(_, after)| after.begun < number).is_some() {}
                let Some((not_yet, _)) = begun.peek() else { break };
                lags.add(now.at.saturating_duration_since(not_yet.at + decision_wait));
            }
        }
        lags
    }
}

const INTERVAL: Duration = Duration::from_millis(20);
/// One trace in so many is looked at.
const EACH: usize = 16;
