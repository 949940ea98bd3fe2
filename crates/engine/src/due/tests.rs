//! A panic costs the traces that it hits and nothing else. Policies do not panic on demand, so the slot is damaged instead.

use super::*;
use crate::{Books, Scratch, Settings, Token};
use otlp::{Keys, scan::Scan, wire};
use policy::{PolicySet, TailSampling};

const SECOND: u64 = 1_000_000_000;
const ERRORS: &str = "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]";
const LIMITS: Limits = Limits { bytes_max: 1 << 20, spans_max: u32::MAX, notes: true };

struct Rig {
    engine: Engine,
    scan: Scan,
    scratch: Scratch,
}

fn rig() -> Rig {
    let (node, ..) = settings::load(&[format!("yaml:{ERRORS}")], &[], &|_| None);
    let decoded = TailSampling::decode(&node.unwrap(), &mut settings::Problems::new()).unwrap();
    let mut keys = Keys::default();
    let policies = Arc::new(PolicySet::new(&decoded, &mut keys, Now::default()));
    let settings = Settings { decision_wait: std::time::Duration::from_secs(1), ..Settings::default() };
    Rig { engine: Engine::new(&settings, policies), scan: Scan::new(Arc::new(keys)), scratch: Scratch::default() }
}

impl Rig {
    /// Sends a span with an error for each of these traces.
    fn send(&mut self, traces: &[u8], now_ns: u64) {
        let mut scope = Vec::new();
        for trace in traces {
            let mut span = Vec::new();
            wire::put_len(&mut span, 1, &[*trace; 16]);
            wire::put_len(&mut span, 15, &[0x18, 2]);
            wire::put_len(&mut scope, 2, &span);
        }
        let mut resource = Vec::new();
        wire::put_len(&mut resource, 2, &scope);
        let mut request = Vec::new();
        wire::put_len(&mut request, 1, &resource);
        self.scan.run(&request).unwrap();
        let now = Now { mono_ns: now_ns, wall_ns: now_ns };
        let token = Token::none();
        let arrival = self.engine.begin(&request, &self.scan, &token);
        self.engine.ingest(&arrival, 0..traces.len(), now, &mut self.scratch);
    }

    fn settle(&mut self, due: Due, now_ns: u64, emit: &mut dyn FnMut(Batch)) -> usize {
        let settled = due.decide(&self.engine, Now { mono_ns: now_ns, wall_ns: now_ns });
        settled.assemble(&self.engine, LIMITS, now_ns, &mut self.scratch, emit)
    }

    fn books(&self) -> Books {
        let books = self.engine.books();
        assert_eq!((books.residue(), books.buffered, books.traces_waiting), (0, 0, 0), "{books:?}");
        books
    }
}

#[test]
fn a_panic_while_deciding_drops_what_was_undecided() {
    let mut rig = rig();
    rig.send(&[1, 2], SECOND);
    let mut due = rig.engine.take_due(3 * SECOND).unwrap();
    due.slots[0].1.states.clear();
    assert!(rig.settle(due, 3 * SECOND, &mut |_| panic!("nothing is kept")) > 0);
    let books = rig.books();
    assert_eq!((books.dropped_for(DropReason::Internal), books.traces_dropped, books.kept), (2, 2, 0));

    rig.send(&[1, 3], 3 * SECOND);
    let due = rig.engine.take_due(5 * SECOND).unwrap();
    let mut spans = 0;
    assert_eq!(rig.settle(due, 5 * SECOND, &mut |batch| spans += batch.spans), 0);
    assert_eq!((spans, rig.books().late_sampled_out), (1, 1), "later traces are decided as ever");
}

#[test]
fn a_panic_while_assembling_drops_what_was_not_in_a_batch_yet() {
    let mut rig = rig();
    rig.send(&[1, 2, 3, 4], SECOND);
    let due = rig.engine.take_due(3 * SECOND).unwrap();
    let settled = due.decide(&rig.engine, Now { mono_ns: 3 * SECOND, wall_ns: 0 });
    let limits = Limits { spans_max: 2, ..LIMITS };
    let mut batches = 0;
    let panics = settled.assemble(&rig.engine, limits, 3 * SECOND, &mut rig.scratch, &mut |_| {
        batches += 1;
        assert!(batches > 1, "the first batch goes wrong");
    });
    assert_eq!(panics, 1);
    let books = rig.books();
    assert_eq!((books.kept, books.dropped_for(DropReason::Internal)), (2, 2), "{books:?}");
}

#[test]
fn a_block_that_cannot_be_read_is_counted() {
    let mut rig = rig();
    rig.send(&[1, 2], SECOND);
    let mut due = rig.engine.take_due(3 * SECOND).unwrap();
    due.slots[0].1.blocks[0].texts = crate::block::Texts::Lz4(Arc::from(&b"broken"[..]));
    assert_eq!(rig.settle(due, 3 * SECOND, &mut |batch| assert_eq!(batch.spans, 0)), 0);
    assert_eq!(rig.books().dropped_for(DropReason::UnreadableBlock), 2);
}
