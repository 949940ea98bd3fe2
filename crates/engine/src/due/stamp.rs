//! `tailsampling.*`: what contrib writes into the scopes of kept spans under its gate `recordpolicy`.
//!
//! A trace's spans bear the deciding policy; late ones bear it with `cached_decision`, because they follow a remembered
//! verdict. Where policies are asked piece by piece, the pieces that had to wait bear nothing, as in contrib.

use super::{Fate, SettledSlot};
use crate::slot::{Kept, Standing};
use otlp::scope::{self, Attribute, Value};
use policy::PolicySet;
use std::collections::BTreeMap;

/// What stands in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp<'a> {
    policy: &'a str,
    composite: Option<&'a str>,
    is_cached: bool,
}

/// The stamps of a slot's traces.
#[derive(Debug, Default)]
pub(super) struct Stamps<'a> {
    of_trace: Vec<Option<Stamp<'a>>>,
    /// Traces that were kept over a piece, with the number of spans read so far.
    by_piece: BTreeMap<u32, (Kept, Stamp<'a>, u32)>,
}

impl<'a> Stamps<'a> {
    /// The stamps of all kept traces; without them nothing is written.
    pub(super) fn new(slot: &SettledSlot, policies: &'a PolicySet) -> Self {
        let mut stamps = Self::default();
        for (index, (trace, fate)) in (0..).zip(slot.traces.iter().zip(&slot.fates)) {
            let stamp = if let Fate::Kept(verdict) = fate {
                let names = policies.recorded(verdict);
                let is_cached = trace.standing == Standing::Follows;
                let composite = names.composite_policy.filter(|_| !is_cached);
                Some(Stamp { policy: names.policy, composite, is_cached })
            } else {
                None
            };
            if let Some(stamp) = stamp
                && let Some(kept) = slot.past.get(&index).and_then(|past| past.kept)
            {
                stamps.by_piece.insert(index, (kept, stamp, 0));
            }
            stamps.of_trace.push(stamp);
        }
        stamps
    }

    /// The stamp of the trace's next span.
    pub(super) fn next(&mut self, trace: u32) -> Option<Stamp<'a>> {
        let Some((kept, stamp, read)) = self.by_piece.get_mut(&trace) else {
            return self.of_trace.get(trace as usize).copied().flatten();
        };
        *read += 1;
        if *read < kept.first {
            None
        } else if *read <= kept.last {
            Some(*stamp)
        } else {
            Some(Stamp { composite: None, is_cached: true, ..*stamp })
        }
    }
}

impl Stamp<'_> {
    /// The scope header with the stamp in it.
    pub(super) fn on(&self, scope_header: &[u8]) -> Vec<u8> {
        let mut attributes: Vec<Attribute<'_>> = Vec::with_capacity(3);
        if !self.policy.is_empty() {
            attributes.push(Attribute { key: "tailsampling.policy", value: Value::Text(self.policy) });
        }
        if let Some(composite) = self.composite {
            attributes.push(Attribute { key: "tailsampling.composite_policy", value: Value::Text(composite) });
        }
        if self.is_cached {
            attributes.push(Attribute { key: "tailsampling.cached_decision", value: Value::Bool(true) });
        }
        scope::with_attributes(scope_header, &attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A verdict that is remembered without a name; ours always has one, so only the stamp can be asked.
    #[test]
    fn late_span_uses_decision_cache_without_metadata() {
        let stamp = Stamp { policy: "", composite: None, is_cached: true };
        let expected = scope::with_attributes(
            b"\x0a\x03\x0a\x01a",
            &[Attribute { key: "tailsampling.cached_decision", value: Value::Bool(true) }],
        );
        assert_eq!(stamp.on(b"\x0a\x03\x0a\x01a"), expected);
    }
}
