//! The bounds of HTTP/2 that both servers share, ours for gRPC and hyper's for OTLP/HTTP.

/// Flow control: the body of a stream, and of all streams of a connection, that may be on its way.
pub(super) const STREAM_WINDOW_BYTES: u32 = 1 << 20;
pub(super) const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// The largest frame that clients are offered; most requests fit into one, which spares a copy.
pub(super) const FRAME_BYTES_MAX: u32 = 256 << 10;
/// The largest list of headers.
pub(super) const HEADER_BYTES_MAX: u32 = 16 << 10;
/// What waits to be sent on a stream; an answer is hardly ever larger.
pub(super) const SEND_BYTES_MAX: usize = 64 << 10;
