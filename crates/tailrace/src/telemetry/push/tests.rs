//! Metrics and log records pushed to a peer, as prost reads them there.
