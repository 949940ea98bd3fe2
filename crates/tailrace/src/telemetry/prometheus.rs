//! What a scrape of the endpoint is answered: `GET /metrics`, text exposition format.

use super::server::Answer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, header};
use std::sync::Arc;

/// Renders the exposition.
pub(crate) type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// The answers of an endpoint.
pub(crate) fn answers(render: Render) -> Answer {
    Arc::new(move |request| {
        let render = Arc::clone(&render);
        Box::pin(async move { answer(request.method(), request.uri().path(), render).await })
    })
}

/// Rendering waits for the books, and those for a slot being assembled, so it does not hold up a connection's thread.
async fn answer(method: &Method, path: &str, render: Render) -> Response<Full<Bytes>> {
    let (status, body) = match (method, path) {
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
