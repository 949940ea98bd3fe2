//! OTLP/HTTP: protobuf or JSON to `/v1/traces`, on HTTP/1.1.

use super::{Answer, MESSAGE_BYTES_MAX, Shared, inflate::inflate};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use otlp::wire::{put_len, put_uint};
use std::{borrow::Cow, convert::Infallible, sync::Arc};
use tokio::{net::TcpListener, task::JoinSet};

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((socket, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            let _ = socket.set_nodelay(true);
            let shared = Arc::clone(&shared);
            let service = service_fn(move |request| call(request, Arc::clone(&shared)));
            connections.spawn(async move {
                // A connection that breaks is its client's affair.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
            });
        }
    }
}

async fn call(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, mut body) = request.into_parts();
    if shared.discards() {
        while let Some(Ok(_)) = body.frame().await {}
        return Ok(plain(StatusCode::OK));
    }
    if head.uri.path() != "/v1/traces" {
        return Ok(plain(StatusCode::NOT_FOUND));
    }
    let header = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let answer = match Limited::new(body, MESSAGE_BYTES_MAX).collect().await {
        Err(error) => Answer::Malformed(error.to_string()),
        Ok(body) => {
            let body = body.to_bytes();
            match message(header("content-type"), header("content-encoding"), &body) {
                Ok(message) => shared.answer(&message, &head.headers).await,
                Err(wrong) => Answer::Malformed(wrong),
            }
        }
    };
    Ok(reply(answer))
}

/// The request as protobuf.
fn message<'a>(content_type: &str, encoding: &str, body: &'a [u8]) -> Result<Cow<'a, [u8]>, String> {
    let body = inflate(encoding, body)?;
    if content_type.starts_with("application/json") {
        return otlp::json::decode(otlp::Signal::Traces, &body).map(Cow::Owned).map_err(|error| error.to_string());
    }
    Ok(body)
}

fn reply(answer: Answer) -> Response<Full<Bytes>> {
    match answer {
        Answer::Accepted => plain(StatusCode::OK),
        Answer::Failed | Answer::Malformed(_) => plain(StatusCode::BAD_REQUEST),
        Answer::Rejected { spans, message } => {
            let (mut partial, mut body) = (Vec::new(), Vec::new());
            put_uint(&mut partial, 1, spans);
            put_len(&mut partial, 2, message.as_bytes());
            put_len(&mut body, 1, &partial);
            let mut response = plain(StatusCode::OK);
            *response.body_mut() = Full::from(body);
            response
        }
        Answer::Unavailable { retry_after } => {
            let mut response = plain(StatusCode::SERVICE_UNAVAILABLE);
            if let Some(delay) = retry_after {
                // The header knows whole seconds only.
                let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
                response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
            }
            response
        }
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/x-protobuf"));
    response
}
