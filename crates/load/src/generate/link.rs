//! How one worker's requests get to the other side: gRPC, HTTP, or not at all.

use super::{Generate, GenerateError, Target, grpc::GrpcConnection, http::HttpConnection, worker::PREFIX};
use crate::retry::each_message;
use bytes::Bytes;
use otlp::wire::{Reader, WireType};
use std::{sync::Arc, time::Duration};

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It was taken, but for some spans.
    Accepted { rejected_spans: u64 },
    /// The connection broke, it may or may not have been taken.
    Broken(String),
    /// It will never be taken.
    Failed(String),
    /// It may be taken later.
    Refused { after: Option<Duration>, message: String },
}

/// A worker's way to the other side.
#[derive(Debug)]
pub(super) enum Link {
    Grpc(Arc<GrpcConnection>),
    Http(Box<HttpConnection>),
    Nowhere,
}

impl Link {
    /// Opens the connections and returns a link for each worker.
    pub(super) async fn open_all(options: &Generate) -> Result<Vec<Self>, GenerateError> {
        let mut links = Vec::new();
        for _ in 0..options.connections {
            let grpc = match &options.target {
                Target::Grpc(address) => {
                    Some(Arc::new(GrpcConnection::open(address, options.gzip).await.map_err(cannot_connect(address))?))
                }
                Target::Http(_) | Target::HttpJson(_) | Target::Nowhere => None,
            };
            for _ in 0..options.in_flight {
                links.push(match (&options.target, &grpc) {
                    (Target::Http(address) | Target::HttpJson(address), _) => {
                        let json = matches!(options.target, Target::HttpJson(_));
                        let connection = HttpConnection::open(address, options.gzip, json).await;
                        Self::Http(Box::new(connection.map_err(cannot_connect(address))?))
                    }
                    (_, Some(connection)) => Self::Grpc(Arc::clone(connection)),
                    (_, None) => Self::Nowhere,
                });
            }
        }
        Ok(links)
    }

    /// Sends one request. `frame` begins with the prefix that gRPC wants.
    pub(super) async fn export(&mut self, frame: Bytes) -> Answer {
        match self {
            Self::Grpc(connection) => connection.export(frame).await,
            Self::Http(connection) => connection.export(frame.slice(PREFIX..)).await,
            Self::Nowhere => {
                // Without a socket nothing else would ever let other tasks run.
                tokio::task::yield_now().await;
                Answer::Accepted { rejected_spans: 0 }
            }
        }
    }
}

/// The spans that an ExportTraceServiceResponse says were rejected.
pub(super) fn rejected_spans(response: &[u8]) -> u64 {
    let mut rejected = 0;
    let walked = each_message(response, |field, partial_success| {
        let mut reader = Reader::new(partial_success);
        while field == 1 && !reader.is_empty() {
            let tag = reader.tag()?;
            match (tag.field, tag.wire) {
                (1, WireType::Varint) => rejected = reader.varint()?,
                _ => reader.skip(tag, 2)?,
            }
        }
        Ok(())
    });
    walked.map_or(0, |()| rejected)
}

fn cannot_connect(address: &str) -> impl Fn(String) -> GenerateError {
    move |message| GenerateError::Connect { address: address.to_owned(), message }
}
