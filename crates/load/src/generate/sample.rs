//! Requests without a socket and without a clock: what the generator can do by itself, and bodies for benches and tests.

use super::{Generate, GenerateError, Pacing, Run, gzip::Gzip, nanoseconds};
use crate::{
    render::Renderer,
    schedule::{Next, Schedule},
};
use std::time::Duration;

impl Generate {
    /// How many spans a second one core can make with these options, sending excluded, measured over `duration`.
    ///
    /// # Errors
    /// [`GenerateError::Option`].
    pub fn limit(&self, duration: Duration) -> Result<f64, GenerateError> {
        let shape = self.shape()?;
        let mut renderer = Renderer::new(&shape, self.mix);
        let run = Run::new(shape, Self { rate: 0, duration: Duration::MAX, ..self.clone() });
        let (mut out, mut compressor, mut spans) = (Vec::new(), self.gzip.then(Gzip::new), 0);
        while run.started.elapsed() < duration
            && let Next::Send { plan, .. } = run.next()
        {
            out.clear();
            renderer.render(&plan, &mut out);
            spans += u64::from(plan.traces) * plan.spans.len() as u64;
            if let Some(compressor) = &mut compressor {
                compressor.compress(&out, &mut Vec::with_capacity(out.len()));
            }
        }
        Ok(spans as f64 / run.started.elapsed().as_secs_f64())
    }

    /// The first `requests` requests of a load with a rate, in the order in which they are due. They are the same in every run:
    /// all follows from the seed, and the load always starts at the same moment.
    ///
    /// # Errors
    /// [`GenerateError::Option`].
    pub fn sample(&self, requests: usize) -> Result<Vec<Vec<u8>>, GenerateError> {
        if self.rate == 0 {
            return Err(GenerateError::Option("a sample needs a rate: without one, times depend on the other side"));
        }
        let shape = self.shape()?;
        let mut renderer = Renderer::new(&shape, self.mix);
        let pacing = Pacing {
            spans_per_request: self.spans_per_request,
            spread_ns: nanoseconds(self.flush_spread),
            rate: self.rate,
            duration_ns: u64::MAX,
            started_ns: SAMPLE_STARTED_NS,
        };
        let mut schedule = Schedule::new(shape, self.keep, pacing);
        let mut gzip = self.gzip.then(Gzip::new);
        let mut bodies = Vec::new();
        while bodies.len() < requests
            && let Next::Send { plan, .. } = schedule.next(0)
        {
            let mut body = Vec::new();
            renderer.render(&plan, &mut body);
            if let Some(gzip) = &mut gzip {
                let plain = std::mem::take(&mut body);
                gzip.compress(&plain, &mut body);
            }
            bodies.push(body);
        }
        Ok(bodies)
    }
}

/// When a sample starts: 9 October 2025.
const SAMPLE_STARTED_NS: u64 = 1_760_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_in_every_run() {
        let load = Generate { rate: 20_000, seed: 1, ..Generate::default() };
        let sample = load.sample(12).expect("right options");
        assert_eq!(sample.len(), 12);
        assert_eq!(sample, load.sample(12).expect("right options"));
        assert!(Generate { rate: 0, ..load }.sample(1).is_err());
    }
}
