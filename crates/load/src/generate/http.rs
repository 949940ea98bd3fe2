//! OTLP/HTTP with protobuf or JSON on one HTTP/1.1 connection, opened anew when it breaks.

use super::link::{Answer, rejected_spans};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::{fmt::Display, time::Duration};
use tokio::net::TcpStream;

/// One connection with one request in flight.
#[derive(Debug)]
pub(super) struct HttpConnection {
    address: String,
    gzip: bool,
    json: bool,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl HttpConnection {
    pub(super) async fn open(address: &str, gzip: bool, json: bool) -> Result<Self, String> {
        Ok(Self { address: address.to_owned(), gzip, json, sender: Some(connect(address).await?) })
    }

    /// Sends one message.
    pub(super) async fn export(&mut self, message: Bytes) -> Answer {
        match self.call(message).await {
            Ok(answer) => answer,
            Err(message) => {
                self.sender = None;
                Answer::Broken(message)
            }
        }
    }

    async fn call(&mut self, message: Bytes) -> Result<Answer, String> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/v1/traces")
            .header("host", &self.address)
            .header("content-type", if self.json { "application/json" } else { "application/x-protobuf" });
        if self.gzip {
            request = request.header("content-encoding", "gzip");
        }
        let request = request.body(Full::new(message)).map_err(text)?;
        let sender = match &mut self.sender {
            Some(sender) => sender,
            none => none.insert(connect(&self.address).await?),
        };
        sender.ready().await.map_err(text)?;
        let (head, body) = sender.send_request(request).await.map_err(text)?.into_parts();
        let body = Limited::new(body, RESPONSE_BYTES_MAX).collect().await.map_err(text)?.to_bytes();
        // An answer in JSON is `{}` unless something was rejected, which a bench sees by what arrives.
        let body = if self.json { &[] } else { body.as_ref() };
        Ok(answer(head.status, &head.headers, body))
    }
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>, String> {
    let socket = TcpStream::connect(address).await.map_err(text)?;
    socket.set_nodelay(true).map_err(text)?;
    let (sender, connection) = handshake(TokioIo::new(socket)).await.map_err(text)?;
    tokio::spawn(async move {
        // A broken connection shows in the calls on it.
        let _ = connection.await;
    });
    Ok(sender)
}

fn answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    match status.as_u16() {
        200..=299 => Answer::Accepted { rejected_spans: rejected_spans(body) },
        // The statuses that OTLP lets a client retry.
        429 | 502 | 503 | 504 => {
            let seconds = headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            Answer::Refused { after: seconds.map(Duration::from_secs), message: status.to_string() }
        }
        _ => Answer::Failed(status.to_string()),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// A response says how many spans were rejected and why, nothing that needs more.
const RESPONSE_BYTES_MAX: usize = 64 << 10;
