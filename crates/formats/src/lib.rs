//! Traces in other forms than OTLP: Zipkin for another server, a waterfall for a human. Pure: bytes in, text out.

mod attribute_text;
pub mod waterfall;
pub mod zipkin;
