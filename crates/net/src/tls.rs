//! TLS settings of servers and clients.
