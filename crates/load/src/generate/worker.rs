//! One request after the other: takes a plan, waits for its time, sends it until it is taken.

use super::{
    Report, Run, Target,
    gzip::Gzip,
    link::{Answer, Link},
};
use crate::{
    arrivals::Arrivals,
    render::Renderer,
    schedule::{Next, Plan},
};
use bytes::Bytes;
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

/// Has at most one request in flight.
#[derive(Debug)]
pub(super) struct Worker {
    run: Arc<Run>,
    link: Link,
    renderer: Renderer,
    gzip: Option<Gzip>,
    json: bool,
    /// The request before compression, where there is compression.
    plain: Vec<u8>,
    frame: Arc<Vec<u8>>,
    report: Report,
}

/// A frame that its worker gets back when everybody else has let go of it.
struct Lent(Arc<Vec<u8>>);

impl Worker {
    pub(super) fn new(run: Arc<Run>, link: Link, renderer: Renderer) -> Self {
        let gzip = run.options.gzip.then(Gzip::new);
        let json = matches!(run.options.target, Target::HttpJson(_));
        Self { run, link, renderer, gzip, json, plain: Vec::new(), frame: Arc::default(), report: Report::default() }
    }

    /// Works until the schedule has nothing left.
    pub(super) async fn run(mut self) -> Report {
        while let Next::Send { plan, due_ns } = self.run.next() {
            let due = self.run.started + Duration::from_nanos(due_ns);
            self.wait_until(due).await;
            let began = if self.run.options.rate == 0 { Instant::now() } else { due };
            self.render(&plan);
            self.note_begin(&plan);
            let spans = u64::from(plan.traces) * plan.spans.len() as u64;
            self.send(spans, began).await;
        }
        self.report
    }

    /// Waits, but not past the stop of the run.
    async fn wait_until(&self, due: Instant) {
        let stop = self.run.stop.notified();
        if due <= Instant::now() || self.run.is_stopped() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {}
            () = stop => {}
        }
    }

    /// Notes the kept traces that this request is the first of.
    fn note_begin(&self, plan: &Plan) {
        let Some(arrivals) = self.run.options.arrivals.as_ref().filter(|_| plan.spans.start == 0) else { return };
        let indices = (0..u64::from(plan.traces)).map(|number| plan.first_trace + number * u64::from(plan.stride));
        let watched = indices.filter_map(|index| {
            let trace = self.run.shape.trace(index);
            (Arrivals::is_watched(&trace.id) && self.run.options.keep.keeps(&trace)).then_some(trace.id)
        });
        arrivals.begin(watched, Instant::now());
    }

    /// Makes the frame: five bytes of gRPC prefix, then the message.
    fn render(&mut self, plan: &Plan) {
        let started = Instant::now();
        if Arc::get_mut(&mut self.frame).is_none() {
            self.frame = Arc::default();
        }
        let frame = Arc::get_mut(&mut self.frame).expect("nobody else has it: checked above");
        frame.clear();
        frame.extend_from_slice(&[0; PREFIX]);
        match &mut self.gzip {
            None if !self.json => self.renderer.render(plan, frame),
            gzip => {
                self.plain.clear();
                self.renderer.render(plan, &mut self.plain);
                if self.json {
                    self.plain = otlp::json::encode(otlp::Signal::Traces, &self.plain)
                        .expect("the renderer writes nothing but well-formed requests");
                }
                match gzip {
                    Some(gzip) => gzip.compress(&self.plain, frame),
                    None => frame.extend_from_slice(&self.plain),
                }
            }
        }
        let len = (frame.len() - PREFIX) as u32;
        frame[0] = u8::from(self.gzip.is_some());
        frame[1..PREFIX].copy_from_slice(&len.to_be_bytes());
        self.report.rendering += started.elapsed();
    }

    /// Sends the frame until it is taken, given up or refused for good.
    async fn send(&mut self, spans: u64, began: Instant) {
        let mut backoff = BACKOFF_MIN;
        self.run.options.progress.offered.fetch_add(spans, Ordering::Relaxed);
        loop {
            let answer = self.export().await;
            let (after, message) = match answer {
                Answer::Accepted { rejected_spans } => return self.accepted(spans, rejected_spans, began),
                Answer::Failed(message) => return self.lost(spans, message),
                Answer::Refused { after, message } => {
                    self.report.refused += 1;
                    self.report.refused_with_delay += u64::from(after.is_some());
                    self.run.options.progress.refused.fetch_add(1, Ordering::Relaxed);
                    (after.unwrap_or(backoff), message)
                }
                Answer::Broken(message) => (backoff, message),
            };
            if self.run.is_stopped() || began.elapsed() + after > self.run.options.retry_max {
                return self.lost(spans, message);
            }
            self.wait_until(Instant::now() + after).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// One attempt.
    async fn export(&mut self) -> Answer {
        let sending = self.link.export(Bytes::from_owner(Lent(Arc::clone(&self.frame))));
        match self.run.options.answer_max {
            None => sending.await,
            Some(most) => tokio::time::timeout(most, sending)
                .await
                .unwrap_or_else(|_| Answer::Failed(format!("no answer within {} ms", most.as_millis()))),
        }
    }

    fn accepted(&mut self, spans: u64, rejected_spans: u64, began: Instant) {
        let rejected_spans = rejected_spans.min(spans);
        self.report.requests += 1;
        self.report.spans += spans - rejected_spans;
        self.run.options.progress.spans.fetch_add(spans - rejected_spans, Ordering::Relaxed);
        self.report.rejected_spans += rejected_spans;
        self.report.bytes += self.frame.len() as u64;
        self.report.latency.add(began.elapsed());
    }

    fn lost(&mut self, spans: u64, message: String) {
        self.report.lost_spans += spans;
        self.report.first_error.get_or_insert(message);
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A gRPC message is preceded by a flag and its length.
pub(super) const PREFIX: usize = 5;
const BACKOFF_MIN: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
