//! Faults on demand: `tailrace: {fail_point: …}`, so that tests can show what becomes visible of them.
//!
//! Builds without debug assertions, as released ones are, do not have the setting; there nothing of this is left.

use settings::{Decode, Fields, Node, Problems, one_of};

/// The fault that is asked for, if one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FailPoint {
    #[cfg(debug_assertions)]
    at: Option<Fault>,
}

/// What may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The start takes two seconds longer.
    StartSlowly,
    /// The deciding thread panics when a trace waits.
    Decide,
    /// The deciding thread hangs when a trace waits.
    DecideHangs,
    /// A consumer of each destination ends.
    Deliver,
    /// The receivers do not accept connections any more.
    Receive,
    /// Nobody looks after what has been gathered any more.
    Gather,
}

const FAULTS: [(&str, Fault); 6] = [
    ("start_slowly", Fault::StartSlowly),
    ("decide", Fault::Decide),
    ("decide_hangs", Fault::DecideHangs),
    ("deliver", Fault::Deliver),
    ("receive", Fault::Receive),
    ("gather", Fault::Gather),
];

impl FailPoint {
    /// Takes it out of the settings, where there may be one.
    #[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "there is no such setting then"))]
    pub(crate) fn take(fields: &mut Fields<'_>, p: &mut Problems) -> Self {
        Self {
            #[cfg(debug_assertions)]
            at: fields.optional("fail_point", p),
        }
    }

    /// Whether this is to fail.
    #[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "nothing is to fail then"))]
    pub(crate) fn is(self, fault: Fault) -> bool {
        #[cfg(debug_assertions)]
        return self.at == Some(fault);
        #[cfg(not(debug_assertions))]
        false
    }
}

impl Decode for Fault {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        one_of(node, "fault", &FAULTS, p)
    }
}
