//! The endpoint that metrics are scraped at: `GET /metrics`, text exposition format.

use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Bytes, header, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

/// Renders the exposition.
pub(crate) type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// More scrapers than this at once have to wait: an endpoint for telemetry must not eat the collector's descriptors.
const CONNECTIONS_MAX: usize = 64;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The bound endpoint.
pub(crate) struct Endpoint {
    /// Where it listens; tells the port if 0 was asked for.
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Binds `host:port` and answers scrapes until dropped.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub(crate) async fn start(host: &str, port: u16, render: Render) -> io::Result<Self> {
        let listener = TcpListener::bind((host, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(accept(listener, render)) })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, render: Render) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((socket, _)) = listener.accept().await else {
            // Out of descriptors, most likely: let others go first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let render = Arc::clone(&render);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let render = Arc::clone(&render);
                async move { Ok::<_, Infallible>(answer(&request, render).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
            // A scraper that hangs up is its own affair.
            let _ = http.serve_connection(TokioIo::new(socket), service).await;
            drop(permit);
        });
    }
}

/// Rendering waits for the books, and those for a slot being assembled, so it does not hold up a connection's thread.
async fn answer<B>(request: &Request<B>, render: Render) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => match tokio::task::spawn_blocking(move || render()).await {
            Ok(body) => (StatusCode::OK, body),
            Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "BUG: rendering the metrics panicked\n".to_owned()),
        },
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "metrics are at /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let text = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}
