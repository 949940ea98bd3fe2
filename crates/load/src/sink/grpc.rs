//! OTLP/gRPC on h2, for the one method of the trace service.

use super::{Answer, MESSAGE_BYTES_MAX, Shared, inflate::inflate};
use crate::retry;
use bytes::{Bytes, BytesMut};
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use otlp::wire::{put_len, put_uint};
use std::sync::Arc;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tonic::{Code, Status};

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((socket, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            connections.spawn(connection(socket, Arc::clone(&shared)));
        }
    }
}

/// Serves the calls of one client until it goes; calls in progress end with it.
async fn connection(socket: TcpStream, shared: Arc<Shared>) {
    let _ = socket.set_nodelay(true);
    let handshake = h2::server::Builder::new()
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_MAX)
        .handshake::<_, Bytes>(socket);
    let Ok(mut connection) = handshake.await else { return };
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        while calls.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        calls.spawn(async move {
            // A call fails when its client has gone; nobody is left to tell.
            let _ = call(request, respond, &shared).await;
        });
    }
}

async fn call(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: &Shared,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let answer = match read(&mut body, shared.discards()).await? {
        Some(frame) if shared.discards() || head.uri.path() == EXPORT_PATH => {
            let encoding = head.headers.get("grpc-encoding").and_then(|value| value.to_str().ok()).unwrap_or_default();
            match message(&frame, encoding) {
                Ok(message) => shared.answer(&message, &head.headers).await,
                Err(wrong) => Answer::Malformed(wrong),
            }
        }
        Some(_) => Answer::Malformed(format!("no method `{}` here", head.uri.path())),
        None => Answer::Malformed("the message is too large".to_owned()),
    };
    reply(&mut respond, answer)
}

/// The whole body; nothing if it is too large. A body that is discarded is only counted.
async fn read(body: &mut RecvStream, discards: bool) -> Result<Option<BytesMut>, h2::Error> {
    let mut frame = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if discards {
            continue;
        }
        if frame.len() + chunk.len() > MESSAGE_BYTES_MAX {
            return Ok(None);
        }
        if frame.is_empty() {
            // The prefix tells how much will come; a client cannot make the sink reserve more than a window by it.
            let announced = chunk.get(1..5).and_then(|len| Some(u32::from_be_bytes(len.try_into().ok()?))).unwrap_or(0);
            frame.reserve((announced as usize + 5).min(WINDOW_BYTES as usize));
        }
        frame.extend_from_slice(&chunk);
    }
    Ok(Some(frame))
}

/// Takes the one message out of its frame.
fn message<'a>(frame: &'a [u8], encoding: &str) -> Result<std::borrow::Cow<'a, [u8]>, String> {
    let Some((prefix, message)) = frame.split_first_chunk::<5>() else {
        // Discarded bodies, and requests without a message.
        return Ok((&[]).into());
    };
    let [flag, len @ ..] = *prefix;
    if u32::from_be_bytes(len) as usize != message.len() {
        return Err("the frame's length is not that of the message".to_owned());
    }
    inflate(if flag == 0 { "identity" } else { encoding }, message)
}

fn reply(respond: &mut SendResponse<Bytes>, answer: Answer) -> Result<(), h2::Error> {
    let mut response = Response::new(());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    let status = match answer {
        Answer::Accepted => return accepted(respond, response, Bytes::from_static(&[0; 5])),
        Answer::Rejected { spans, message } => return accepted(respond, response, partial_success(spans, &message)),
        Answer::Failed => Status::invalid_argument("the sink was told to fail"),
        Answer::Malformed(message) => Status::invalid_argument(message),
        Answer::Unavailable { retry_after: None } => Status::unavailable("the sink was told to refuse"),
        Answer::Unavailable { retry_after: Some(delay) } => {
            let message = "the sink was told to refuse";
            let details = retry::encode(Code::Unavailable as i32, message, delay);
            Status::with_details(Code::Unavailable, message, details.into())
        }
    };
    // Without a message to send, a status goes out alone.
    let _ = status.add_header(response.headers_mut());
    respond.send_response(response, true).map(drop)
}

fn accepted(respond: &mut SendResponse<Bytes>, response: Response<()>, message: Bytes) -> Result<(), h2::Error> {
    let mut stream = respond.send_response(response, false)?;
    stream.send_data(message, false)?;
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    stream.send_trailers(trailers)
}

/// A framed ExportTraceServiceResponse.
fn partial_success(spans: u64, message: &str) -> Bytes {
    let (mut partial, mut frame) = (Vec::new(), vec![0; 5]);
    put_uint(&mut partial, 1, spans);
    put_len(&mut partial, 2, message.as_bytes());
    put_len(&mut frame, 1, &partial);
    let len = (frame.len() - 5) as u32;
    frame[1..5].copy_from_slice(&len.to_be_bytes());
    frame.into()
}

const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// Large enough that no client on loopback waits for the window.
const WINDOW_BYTES: u32 = 8 << 20;
const STREAMS_MAX: u32 = 1000;
