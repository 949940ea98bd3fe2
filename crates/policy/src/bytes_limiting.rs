//! `bytes_limiting`: as many traces as their bytes fit a token bucket. The batch class, like `rate_limiting`.
//!
//! A trace costs what contrib says that it takes as one request: pdata's sizes, with the tag and length of each
//! ResourceSpans. The size is kept in the trace's state while its pieces come.

use crate::{
    kinds::Class,
    set::{Compiler, Seen, Test, Unit, counted, grouped},
};
use settings::{Node, Problems};

/// Samples traces up to so many bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct BytesLimiting {
    /// Tokens earned a second; a trace costs as many as it has bytes.
    pub bytes_per_second: i64,
    /// The most tokens there can be; 0 = twice the rate.
    pub burst_capacity: i64,
}

impl BytesLimiting {
    pub(crate) fn decode(block: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = block.map("bytes_limiting", p)?;
        fields.describe::<Self>();
        let settings = Self {
            bytes_per_second: fields.take("bytes_per_second", 0, p),
            burst_capacity: fields.take("burst_capacity", 0, p),
        };
        fields.finish(p);
        if settings.bytes_per_second <= 0 {
            let message = "`bytes_per_second` is not above 0, so no traces pass but those of the first burst";
            let help = "write how many bytes may pass in a second".to_string();
            p.warning(&block.at, message, help);
        }
        Some(settings)
    }

    #[expect(clippy::unnecessary_wraps, reason = "every kind has this signature, see the table of kinds")]
    pub(crate) fn effective(&self) -> Option<Node> {
        Some(Node::map_of([
            ("burst_capacity", Node::from(self.burst_capacity)),
            ("bytes_per_second", Node::from(self.bytes_per_second)),
        ]))
    }

    pub(crate) fn class(&self) -> Class {
        Class::Batch
    }

    pub(crate) fn explain(&self, seen: &Seen<'_>) -> String {
        let bytes = counted(i64::try_from(seen.request_bytes()).unwrap_or(i64::MAX), "byte");
        let verb = if seen.is_opposite { "exceed" } else { "fit" };
        format!("{bytes} {verb} {} a second", grouped(self.bytes_per_second))
    }

    pub(crate) fn compile(&self, compiler: &mut Compiler<'_>) -> Test {
        compiler.limit(self.bytes_per_second, self.burst_capacity, Unit::Bytes)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Now,
        notation::{Bench, START},
    };

    /// The span's IDs, its times and its status, in scope and resource, each with tag and length.
    const ONE_SPAN: i64 = 18 + 10 + 2 + 9 + 9 + 2;
    const ONE_TRACE: i64 = 2 + (2 + (2 + (2 + 2 + ONE_SPAN)));

    /// `(milliseconds after the start, which of the traces due then pass)`, each of one span.
    #[track_caller]
    fn check(rate: i64, burst: i64, decisions: &[(u64, &[bool])]) {
        let block = format!("{{bytes_per_second: {rate}, burst_capacity: {burst}}}");
        let mut bench = Bench::new(&format!("- {{name: p, type: bytes_limiting, bytes_limiting: {block}}}"));
        for (at_ms, expected) in decisions {
            let now = Now { mono_ns: START.mono_ns + at_ms * 1_000_000, ..START };
            let verdicts = bench.verdicts(&vec!["0+1"; expected.len()], now);
            let verdicts: Vec<bool> = verdicts.iter().map(|verdict| verdict.keep).collect();
            assert_eq!(verdicts, *expected, "{rate} {burst} at {at_ms} ms");
        }
    }

    #[test]
    fn upstream_rows() {
        let z = ONE_TRACE;
        check(z / 2, 2 * z, &[(0, &[true])]);
        check(z / 2, z, &[(0, &[true])]);
        check(z, z - 1, &[(0, &[false])]);
        check(z, 3 * z, &[(0, &[true, true])]);
        check(z / 2, z + 1, &[(0, &[true, false])]);
        check(z, 0, &[(0, &[true, true, false])]);
        check(2 * z, z, &[(0, &[true]), (0, &[false]), (600, &[true])]);
        check(1, 0, &[(0, &[false])]);
    }

    #[test]
    fn callers_share_one_bucket() {
        let block = format!("{{bytes_per_second: 1, burst_capacity: {}}}", 2 * ONE_TRACE);
        let mut bench = Bench::new(&format!("- {{name: p, type: bytes_limiting, bytes_limiting: {block}}}"));
        let mut waiting = Vec::new();
        for number in 0..10 {
            crate::notation::requests("0+1", number).iter().for_each(|request| bench.fold(request, &mut waiting));
        }
        let set = &bench.set;
        let kept = std::thread::scope(|scope| {
            let callers: Vec<_> = waiting
                .iter_mut()
                .map(|trace| scope.spawn(|| set.decide(&mut [trace.candidate()], START)[0].keep))
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).filter(|kept| *kept).count()
        });
        assert_eq!(kept, 2);
    }

    #[test]
    fn the_cost_of_pieces_and_scopes_is_exact() {
        // Two pieces, of which the second brings an attribute of five bytes on the wire: `k` = true.
        let trace = "0+1, 0+1 | 0+1 k=true";
        let first = 2 + (2 + (2 + (2 + 2 * (2 + ONE_SPAN))));
        let second = 2 + (2 + (2 + (2 + 2 + ONE_SPAN + 9)));
        for (burst, passes) in [(first + second - 1, false), (first + second, true)] {
            let block = format!("{{bytes_per_second: 1, burst_capacity: {burst}}}");
            let mut bench = Bench::new(&format!("- {{name: p, type: bytes_limiting, bytes_limiting: {block}}}"));
            assert_eq!(bench.verdict(trace).keep, passes, "{burst}");
        }
    }
}
