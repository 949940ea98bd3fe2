//! The receiver over real loopback sockets.
