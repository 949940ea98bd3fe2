//! Pings on a quiet HTTP/2 connection, and the end of one whose peer does not answer them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep};

use super::guard::Activity;

/// When a peer is pinged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keepalive {
    /// So long nothing came, at least.
    pub(super) interval: Duration,
    /// For the answer.
    pub(super) timeout: Duration,
}

/// Pings one peer.
pub(super) struct Pinger {
    keepalive: Keepalive,
    pings: PingPong,
    timer: Pin<Box<Sleep>>,
    asked: bool,
    /// What had been read, and when that was last found to have grown.
    bytes_read: u64,
    heard: Instant,
}

impl Pinger {
    pub(super) fn new(keepalive: Keepalive, pings: PingPong) -> Pinger {
        let heard = Instant::now();
        let timer = Box::pin(tokio::time::sleep_until(heard + keepalive.interval));
        Pinger { keepalive, pings, timer, asked: false, bytes_read: 0, heard }
    }

    /// Ready when the peer must be taken for dead.
    pub(super) fn poll_dead(&mut self, context: &mut Context<'_>, activity: &Activity) -> Poll<()> {
        if self.bytes_read != activity.bytes_read() {
            self.bytes_read = activity.bytes_read();
            self.heard = Instant::now();
        }
        loop {
            if self.asked && self.pings.poll_pong(context).is_ready() {
                self.asked = false;
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if self.asked {
                return Poll::Ready(());
            }
            // The timer was set when less had been heard.
            let (now, quiet) = (Instant::now(), self.heard + self.keepalive.interval);
            if now < quiet {
                self.timer.as_mut().reset(quiet);
            } else {
                // An error shows on the connection itself.
                self.asked = self.pings.send_ping(Ping::opaque()).is_ok();
                self.timer.as_mut().reset(now + self.keepalive.timeout);
            }
        }
    }
}
