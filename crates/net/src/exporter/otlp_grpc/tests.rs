//! Against a peer that plays a script.
