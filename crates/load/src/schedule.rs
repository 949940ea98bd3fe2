//! What is sent next, and when: pure, time is an argument.
//!
//! Traces come into being in stripes of four groups; a group has as many traces as fill one request of the first service.
//! ```text
//! stripe            group 0      group 1      group 2      group 3
//! service 0 sends   0 1 2 3 …    at once, one request a group, traces in a row
//! service k sends   0 4 8 …      at a time of its own within the flush spread, traces dealt out like cards,
//!                   1 5 9 …      so that no two services put the same traces into one request
//! ```
//! Two ways of pacing: at a rate, groups begin at fixed intervals and every request has its due time; without a rate, what is
//! due goes first and otherwise a new group begins. In the latter case the spread grows with time to its full width: otherwise the
//! first seconds would have nothing but first services to send, several times the traces that can be kept up later, and the
//! load would swing between the two for the whole run. Invariant: a stripe that has begun is sent whole, so the spans of every
//! trace are sent all, and the expected set is exact.

use crate::{
    expected::{Expected, Keep},
    random::{mix, scale},
    trace::Shape,
};
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    ops::Range,
};

/// One request: some spans of one service of some traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) service: u32,
    /// The traces are `first_trace`, `first_trace + stride`, …
    pub(crate) first_trace: u64,
    pub(crate) stride: u32,
    pub(crate) traces: u32,
    pub(crate) spans: Range<u32>,
    /// Wall time at which trace `began_trace`, the stripe's first, ended; the others follow at intervals of `pace_ns`.
    pub(crate) began_ns: u64,
    pub(crate) began_trace: u64,
    pub(crate) pace_ns: u64,
}

/// What a worker has to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Send this, not before `due_ns` after the start.
    Send { plan: Plan, due_ns: u64 },
    /// Everything was handed out.
    Finished,
}

/// How the load is cut and paced.
#[derive(Clone, Debug)]
pub(crate) struct Pacing {
    pub(crate) spans_per_request: u32,
    pub(crate) spread_ns: u64,
    /// Spans a second, 0 for as fast as possible.
    pub(crate) rate: u64,
    pub(crate) duration_ns: u64,
    /// Wall time of the start.
    pub(crate) started_ns: u64,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    shape: Shape,
    keep: Keep,
    pacing: Pacing,
    group_traces: u32,
    next_group: u64,
    stripe_began_ns: u64,
    waiting: BinaryHeap<Reverse<Waiting>>,
    pushed: u64,
    ended: bool,
    stopped: bool,
    pub(crate) expected: Expected,
}

/// A request that has its time, ordered by it.
#[derive(Debug)]
struct Waiting {
    due_ns: u64,
    number: u64,
    plan: Plan,
}

impl Schedule {
    pub(crate) fn new(shape: Shape, keep: Keep, pacing: Pacing) -> Self {
        let per_service = (0..shape.services).map(|service| shape.spans_of(service).len() as u32).max().unwrap_or(1);
        Self {
            group_traces: (pacing.spans_per_request / per_service.max(1)).max(1),
            shape,
            keep,
            pacing,
            next_group: 0,
            stripe_began_ns: 0,
            waiting: BinaryHeap::new(),
            pushed: 0,
            ended: false,
            stopped: false,
            expected: Expected::default(),
        }
    }

    /// Hands out the next request. `now_ns` counts from the start.
    pub(crate) fn next(&mut self, now_ns: u64) -> Next {
        let starts_stripe = self.next_group.is_multiple_of(STRIPE_GROUPS);
        self.ended |= starts_stripe && (self.stopped || self.group_due_ns(now_ns) >= self.pacing.duration_ns);
        let group_due_ns = self.group_due_ns(now_ns);
        let first_waiting_ns = self.waiting.peek().map(|Reverse(waiting)| waiting.due_ns);
        match first_waiting_ns {
            Some(due_ns) if self.ended || due_ns <= group_due_ns => self.pop(),
            _ if self.ended => Next::Finished,
            _ => {
                self.begin_group(group_due_ns);
                self.pop()
            }
        }
    }

    /// Begins no more traces, and sends what is left of those that have begun without waiting.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// How many traces have begun.
    pub(crate) fn traces(&self) -> u64 {
        self.next_group * u64::from(self.group_traces)
    }

    fn pop(&mut self) -> Next {
        match self.waiting.pop() {
            Some(Reverse(Waiting { due_ns, plan, .. })) => {
                Next::Send { plan, due_ns: if self.stopped { 0 } else { due_ns } }
            }
            None => Next::Finished,
        }
    }

    fn group_due_ns(&self, now_ns: u64) -> u64 {
        match self.pacing.rate {
            0 => now_ns,
            rate => {
                let spans = u128::from(self.next_group) * u128::from(self.group_spans());
                u64::try_from(spans * 1_000_000_000 / u128::from(rate)).unwrap_or(u64::MAX)
            }
        }
    }

    fn group_spans(&self) -> u64 {
        u64::from(self.group_traces) * u64::from(self.shape.spans)
    }

    fn begin_group(&mut self, due_ns: u64) {
        let number = self.next_group % STRIPE_GROUPS;
        let first_trace = self.traces();
        if number == 0 {
            self.stripe_began_ns = due_ns;
        }
        for index in first_trace..first_trace + u64::from(self.group_traces) {
            self.expected.add(&self.keep, &self.shape, &self.shape.trace(index));
        }
        self.next_group += 1;
        self.push(0, first_trace, 1, due_ns);
        if number + 1 == STRIPE_GROUPS {
            let began_trace = first_trace - number * u64::from(self.group_traces);
            for service in 1..self.shape.services {
                for deal in 0..STRIPE_GROUPS {
                    let roll = mix(self.shape.seed ^ mix(self.next_group << 16 | u64::from(service) << 8 | deal));
                    let flush_ns = self.stripe_began_ns + scale(roll, self.spread_ns().max(1));
                    self.push(service, began_trace + deal, STRIPE_GROUPS as u32, flush_ns.max(due_ns));
                }
            }
        }
    }

    fn spread_ns(&self) -> u64 {
        match self.pacing.rate {
            0 => self.pacing.spread_ns.min(self.stripe_began_ns / 2),
            _ => self.pacing.spread_ns,
        }
    }

    fn push(&mut self, service: u32, first_trace: u64, stride: u32, due_ns: u64) {
        let spans = self.shape.spans_of(service);
        let stripe_traces = STRIPE_GROUPS * u64::from(self.group_traces);
        let pace_ns = match self.pacing.rate {
            0 => PACE_NS,
            rate => u64::from(self.shape.spans) * 1_000_000_000 / rate,
        };
        for start in spans.clone().step_by(self.pacing.spans_per_request.max(1) as usize) {
            let plan = Plan {
                service,
                first_trace,
                stride,
                traces: self.group_traces,
                spans: start..spans.end.min(start.saturating_add(self.pacing.spans_per_request)),
                began_ns: self.pacing.started_ns + self.stripe_began_ns,
                began_trace: first_trace / stripe_traces * stripe_traces,
                pace_ns,
            };
            self.pushed += 1;
            self.waiting.push(Reverse(Waiting { due_ns, number: self.pushed, plan }));
        }
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due_ns, self.number).cmp(&(other.due_ns, other.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

/// Groups of a stripe.
const STRIPE_GROUPS: u64 = 4;
/// Between two traces of a stripe where no rate says it.
const PACE_NS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn shape(spans: u32) -> Shape {
        Shape { spans, services: 5, error_share: 0.1, slow_share: 0.1, seed: 5 }
    }

    fn pacing(spans_per_request: u32, rate: u64) -> Pacing {
        let second = 1_000_000_000;
        Pacing { spans_per_request, spread_ns: 4 * second, rate, duration_ns: 3 * second, started_ns: 10 * second }
    }

    /// Everything that is handed out when a request takes a millisecond, with the time at which it is sent.
    fn run(shape: &Shape, pacing: &Pacing, stop_ns: u64) -> (Vec<(u64, Plan)>, Schedule) {
        let mut schedule = Schedule::new(shape.clone(), Keep::Everything, pacing.clone());
        let (mut now_ns, mut sent) = (0, Vec::new());
        while let Next::Send { plan, due_ns } = schedule.next(now_ns) {
            now_ns = due_ns.max(now_ns) + 1_000_000;
            sent.push((now_ns, plan));
            if now_ns >= stop_ns {
                schedule.stop();
            }
        }
        (sent, schedule)
    }

    fn check(spans: u32, pacing: &Pacing, stop_ns: u64) {
        let shape = shape(spans);
        let (sent, schedule) = run(&shape, pacing, stop_ns);
        let mut seen: HashMap<u64, (u32, u64, u64)> = HashMap::new();
        for (now_ns, plan) in &sent {
            for number in 0..u64::from(plan.traces) {
                let trace = seen.entry(plan.first_trace + number * u64::from(plan.stride)).or_insert((0, *now_ns, 0));
                trace.0 += plan.spans.len() as u32;
                trace.2 = *now_ns;
            }
            assert!(plan.traces * plan.spans.len() as u32 <= pacing.spans_per_request.max(1), "{plan:?}");
        }
        assert_eq!(seen.len() as u64, schedule.traces());
        assert_eq!(schedule.expected.traces, schedule.traces());
        assert!(seen.values().all(|(count, ..)| *count == spans), "every trace was sent whole");
        if stop_ns == u64::MAX {
            let longest_ns = seen.values().map(|(_, first, last)| last - first).max().unwrap_or(0);
            // Without a rate, the spread has not come far after three seconds.
            let longest_ns_min = if pacing.rate == 0 { 1_000_000_000 } else { 2_000_000_000 };
            assert!((longest_ns_min..4_700_000_000).contains(&longest_ns), "traces take {longest_ns} ns to arrive");
        }
    }

    #[test]
    fn every_trace_is_sent_whole_and_within_the_spread() {
        for (spans, spans_per_request, rate) in
            [(10, 512, 0), (10, 10, 0), (10, 512, 20_000), (10, 64, 5_000), (50, 3, 0), (5, 1, 500)]
        {
            check(spans, &pacing(spans_per_request, rate), u64::MAX);
        }
    }

    #[test]
    fn a_stop_sends_the_rest_at_once() {
        check(10, &pacing(512, 0), 700_000_000);
        let (sent, _) = run(&shape(10), &pacing(512, 50_000), 700_000_000);
        let last_ns = sent.last().expect("something was sent").0;
        assert!(last_ns < 1_500_000_000, "ended after {last_ns} ns");
    }

    #[test]
    fn the_rate_is_kept() {
        let (sent, schedule) = run(&shape(10), &pacing(512, 20_000), u64::MAX);
        let spans = schedule.traces() * 10;
        assert!((60_000..72_000).contains(&spans), "{spans} spans in three seconds");
        assert!(sent.is_sorted_by_key(|(now_ns, _)| *now_ns));
    }
}
