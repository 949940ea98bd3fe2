//! Unary gRPC calls on h2, for one method whose message is already framed.
//!
//! Not tonic: its channel puts a buffer, a queue and several boxed futures around each call, and the generator would measure
//! those. Only what the protocol asks for is here: headers, one DATA frame sequence, trailers.

use super::link::{Answer, rejected_spans};
use crate::retry;
use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Method, Request, Uri, Version};
use std::fmt::Display;
use tokio::{net::TcpStream, sync::Mutex};
use tonic::{Code, Status};

/// A connection that several workers send on, opened anew when it breaks.
#[derive(Debug)]
pub(crate) struct GrpcConnection {
    address: String,
    request: Request<()>,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    /// Counts the connections, so that a worker does not close one that another has just opened.
    number: u64,
    sender: Option<SendRequest<Bytes>>,
}

impl GrpcConnection {
    pub(crate) async fn open(address: &str, gzip: bool) -> Result<Self, String> {
        let uri: Uri = format!("http://{address}{EXPORT_PATH}").parse().map_err(text)?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .version(Version::HTTP_2)
            .header("te", "trailers")
            .header("content-type", "application/grpc");
        if gzip {
            request = request.header("grpc-encoding", "gzip");
        }
        let sender = connect(address).await?;
        Ok(Self {
            address: address.to_owned(),
            request: request.body(()).map_err(text)?,
            open: Mutex::new(Open { number: 0, sender: Some(sender) }),
        })
    }

    /// Sends one framed message.
    pub(crate) async fn export(&self, frame: Bytes) -> Answer {
        let (number, sender) = match self.sender().await {
            Ok(open) => open,
            Err(message) => return Answer::Broken(message),
        };
        match self.call(sender, frame).await {
            Ok(answer) => answer,
            Err(error) if error.is_reset() && !error.is_remote() => Answer::Failed(error.to_string()),
            Err(error) => {
                if !error.is_reset() {
                    self.close(number).await;
                }
                Answer::Broken(error.to_string())
            }
        }
    }

    async fn sender(&self) -> Result<(u64, SendRequest<Bytes>), String> {
        let mut open = self.open.lock().await;
        if let Some(sender) = &open.sender {
            return Ok((open.number, sender.clone()));
        }
        let sender = connect(&self.address).await?;
        open.number += 1;
        open.sender = Some(sender.clone());
        Ok((open.number, sender))
    }

    async fn close(&self, number: u64) {
        let mut open = self.open.lock().await;
        if open.number == number {
            open.sender = None;
        }
    }

    async fn call(&self, sender: SendRequest<Bytes>, frame: Bytes) -> Result<Answer, h2::Error> {
        let (response, mut stream) = sender.ready().await?.send_request(self.request.clone(), false)?;
        // h2 keeps what the window does not take yet; one message in flight bounds it.
        stream.send_data(frame, true)?;
        let (head, mut body) = response.await?.into_parts();
        if head.headers.contains_key("grpc-status") || !head.status.is_success() {
            return Ok(answer(&head.headers, &[]));
        }
        let mut message = Vec::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            body.flow_control().release_capacity(chunk.len())?;
            if message.len() < RESPONSE_BYTES_MAX {
                message.extend_from_slice(&chunk);
            }
        }
        let trailers = body.trailers().await?.unwrap_or_default();
        Ok(answer(&trailers, message.get(super::worker::PREFIX..).unwrap_or_default()))
    }
}

async fn connect(address: &str) -> Result<SendRequest<Bytes>, String> {
    let socket = TcpStream::connect(address).await.map_err(text)?;
    socket.set_nodelay(true).map_err(text)?;
    let (sender, connection) = h2::client::Builder::new().handshake(socket).await.map_err(text)?;
    tokio::spawn(async move {
        // A broken connection shows in the calls on it.
        let _ = connection.await;
    });
    Ok(sender)
}

fn answer(trailers: &HeaderMap, message: &[u8]) -> Answer {
    let Some(status) = Status::from_header_map(trailers) else {
        return Answer::Failed("the answer has no `grpc-status`".to_owned());
    };
    let after = retry::delay(status.details());
    match status.code() {
        Code::Ok => Answer::Accepted { rejected_spans: rejected_spans(message) },
        // The codes that OTLP lets a client retry.
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Answer::Refused { after, message: status.to_string() },
        Code::ResourceExhausted if after.is_some() => Answer::Refused { after, message: status.to_string() },
        _ => Answer::Failed(status.to_string()),
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// The one method of OTLP's trace service.
pub(crate) const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// A response says how many spans were rejected and why, nothing that needs more.
const RESPONSE_BYTES_MAX: usize = 64 << 10;
