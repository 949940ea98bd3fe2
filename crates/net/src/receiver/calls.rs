//! A connection of a gRPC listener: unary calls on h2.
//!
//! Not hyper's or tonic's server: those give each call a task of its own before anything is known of it. Here a call whose
//! message is small and there already is answered on the spot, with the answers of all such calls in one write; any other
//! gets its task. A call that is turned away for want of time costs its headers and nothing else: its message is never asked
//! for, since the window that a connection gets while there is too much to do is small.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, Connection, Handshake, SendResponse};
use http::{HeaderMap, Request, Response};

use super::grpc::GrpcApi;
use super::guard::{Activity, InFlight};
use super::http2;
use super::keepalive::{Keepalive, Pinger};
use super::socket::Socket;
use crate::client::Client;

/// What a connection's messages may have on their way while there is too much to do.
const NARROW_WINDOW_BYTES: u32 = 512 << 10;
/// Refused calls whose messages may still be on their way; what comes for one is passed over.
const RESET_STREAMS_MAX: usize = 1024;
/// Calls that were begun and given up before anybody looked: clients that wait for a busy collector do so.
const GIVEN_UP_MAX: usize = 128;
/// A call that has brought no more than this by now may be answered on the spot.
const SMALL_BYTES_MAX: usize = 16 << 10;

/// How connections of a listener are served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) keepalive: Keepalive,
    /// Calls at once on one connection.
    pub(super) calls_max: u32,
}

/// An answer: its head, and unless that is all of it, a message and trailers.
pub(super) struct Answer {
    pub(super) head: Response<()>,
    pub(super) rest: Option<(Bytes, HeaderMap)>,
}

/// One connection, served until it ends.
pub(super) struct Calls {
    api: Arc<GrpcApi>,
    activity: Arc<Activity>,
    client: Arc<Client>,
    keepalive: Keepalive,
    state: State,
    /// No new calls, please.
    ending: bool,
}

enum State {
    Greeting(Handshake<Socket, Bytes>),
    Serving { connection: Connection<Socket, Bytes>, pinger: Option<Pinger>, narrow: bool },
}

impl Calls {
    pub(super) fn new(socket: Socket, terms: &Terms, api: &Arc<GrpcApi>, client: Arc<Client>) -> Calls {
        let mut builder = Builder::new();
        builder
            .max_concurrent_streams(terms.calls_max)
            .initial_window_size(http2::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(http2::CONNECTION_WINDOW_BYTES)
            // Of the usual window's size, also while that is narrow.
            .data_frame_budget(http2::CONNECTION_WINDOW_BYTES as usize / 2)
            .max_frame_size(http2::FRAME_BYTES_MAX)
            .max_header_list_size(http2::HEADER_BYTES_MAX)
            .max_send_buffer_size(http2::SEND_BYTES_MAX)
            .max_concurrent_reset_streams(RESET_STREAMS_MAX)
            .max_pending_accept_reset_streams(GIVEN_UP_MAX);
        let activity = Arc::clone(&socket.activity);
        let state = State::Greeting(builder.handshake(socket));
        Calls { api: Arc::clone(api), activity, client, keepalive: terms.keepalive, state, ending: false }
    }
}

impl Calls {
    /// Takes no more calls, and ends with the last one in flight.
    pub(super) fn graceful_shutdown(mut self: Pin<&mut Self>) {
        self.ending = true;
        if let State::Serving { connection, .. } = &mut self.state {
            connection.graceful_shutdown();
        }
    }
}

impl Future for Calls {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Calls { api, activity, client, keepalive, state, ending } = &mut *self;
        loop {
            match state {
                State::Greeting(handshake) => {
                    let Ok(mut connection) = ready!(Pin::new(handshake).poll(context)) else {
                        return Poll::Ready(());
                    };
                    if *ending {
                        connection.graceful_shutdown();
                    }
                    let pinger = connection.ping_pong().map(|pings| Pinger::new(*keepalive, pings));
                    *state = State::Serving { connection, pinger, narrow: false };
                }
                State::Serving { connection, pinger, narrow } => {
                    if *narrow != api.is_pressed() {
                        *narrow = !*narrow;
                        let window = if *narrow { NARROW_WINDOW_BYTES } else { http2::CONNECTION_WINDOW_BYTES };
                        connection.set_target_window_size(window);
                    }
                    match connection.poll_accept(context) {
                        Poll::Ready(Some(Ok((request, respond)))) => {
                            begin(api, activity, client, request, respond, context);
                        }
                        // How a connection ends is the peer's affair.
                        Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                        Poll::Pending => {
                            return pinger.as_mut().map_or(Poll::Pending, |pinger| pinger.poll_dead(context, activity));
                        }
                    }
                }
            }
        }
    }
}

/// Answers a call now if that is quickly done, else on a task of its own.
fn begin(
    api: &Arc<GrpcApi>,
    activity: &Arc<Activity>,
    client: &Arc<Client>,
    mut request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    context: &mut Context<'_>,
) {
    if let Some(answer) = api.turn_away(&request) {
        let _in_flight = InFlight::new(activity);
        send(&mut respond, answer);
        return;
    }
    let is_small = request.body_mut().flow_control().used_capacity() <= SMALL_BYTES_MAX;
    let (api, activity, client) = (Arc::clone(api), Arc::clone(activity), Arc::clone(client));
    let mut call = Box::pin(async move {
        let _in_flight = InFlight::new(&activity);
        let mut answering = pin!(api.answer(request, &client));
        let answered = poll_fn(|context| match answering.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            // Whoever gave up the call wants nothing done for it.
            Poll::Pending => respond.poll_reset(context).map(|_| None),
        });
        if let Some(answer) = answered.await {
            send(&mut respond, answer);
        }
    });
    if is_small {
        // A panic ends its call and no other.
        match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(())) | Err(_) => return,
        }
    }
    tokio::spawn(call);
}

/// Sends an answer; a peer that has gone does without.
fn send(respond: &mut SendResponse<Bytes>, answer: Answer) {
    let Ok(mut stream) = respond.send_response(answer.head, answer.rest.is_none()) else { return };
    if let Some((message, trailers)) = answer.rest {
        let _ = stream.send_data(message, false).and_then(|()| stream.send_trailers(trailers));
    }
}
