//! The shop of the demo.
