//! The answer to a probe, as otelcol's `health_check` gives it.

use super::{Condition, Health};
use crate::{configuration::extensions::health_check::HealthCheck, telemetry::server::Answer};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The answers of an extension with these settings.
pub(crate) fn answers(settings: &HealthCheck, health: Arc<Health>) -> Answer {
    let settings = Arc::new(settings.clone());
    Arc::new(move |request| {
        let response = answer(&settings, request.uri().path(), &health.condition());
        Box::pin(async move { response })
    })
}

fn answer(settings: &HealthCheck, path: &str, condition: &Condition) -> Response<Full<Bytes>> {
    let (status, body) = match condition {
        _ if !is_below(path, &settings.path) => (StatusCode::NOT_FOUND, "404 page not found\n".to_owned()),
        Condition::Well { .. } => (StatusCode::OK, body(settings, condition)),
        Condition::Unwell => (StatusCode::SERVICE_UNAVAILABLE, body(settings, condition)),
    };
    let is_json = status != StatusCode::NOT_FOUND && settings.response_body.is_none();
    let content = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
    for (name, value) in &settings.server.response_headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value.expose())) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// As Go's `ServeMux` understands a path: one that ends in a slash stands for all that is below it.
fn is_below(asked: &str, path: &str) -> bool {
    asked == path || path.ends_with('/') && asked.starts_with(path)
}

fn body(settings: &HealthCheck, condition: &Condition) -> String {
    match (&settings.response_body, condition) {
        (Some(body), Condition::Well { .. }) => body.healthy.clone(),
        (Some(body), Condition::Unwell) => body.unhealthy.clone(),
        (None, Condition::Well { since, uptime }) => {
            let (since, uptime) = (timestamp(*since), settings::Duration::from(*uptime));
            format!(r#"{{"status":"Server available","upSince":"{since}","uptime":"{uptime}"}}"#)
        }
        (None, Condition::Unwell) => {
            r#"{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}"#.to_owned()
        }
    }
}

/// RFC 3339 with nanoseconds, in UTC.
pub(crate) fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:09}Z", since.subsec_nanos())
}

/// The date so many days after 1970-01-01. Years are counted from March, so that the leap day is the last one.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::extensions::health_check::ResponseBody;
    use ::settings::{Decode, Problems};
    use http_body_util::BodyExt;

    fn settings(yaml: &str) -> HealthCheck {
        let (node, ..) = ::settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
        HealthCheck::decode(&node.expect("YAML"), &mut Problems::new()).expect("settings")
    }

    fn well() -> Condition {
        let since = UNIX_EPOCH + Duration::new(1_767_225_600 + 58 * 86_400 + 3_661, 5);
        Condition::Well { since, uptime: Duration::from_millis(61_500) }
    }

    async fn ask(settings: &HealthCheck, path: &str, condition: &Condition) -> (u16, String, String) {
        let response = answer(settings, path, condition);
        let status = response.status().as_u16();
        let content = response.headers()[CONTENT_TYPE].to_str().expect("text").to_owned();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, content, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn probes_are_answered_as_otelcol_does() {
        let plain = settings("{}");
        let json = "application/json".to_owned();
        let available = r#"{"status":"Server available","upSince":"2026-02-28T01:01:01.000000005Z","uptime":"1m1.5s"}"#;
        assert_eq!(ask(&plain, "/any", &well()).await, (200, json.clone(), available.to_owned()));
        let not = r#"{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}"#;
        assert_eq!(ask(&plain, "/", &Condition::Unwell).await, (503, json, not.to_owned()));

        let mut own = settings("{path: /health}");
        own.response_body = Some(ResponseBody { healthy: "good".into(), unhealthy: "bad".into() });
        assert_eq!(ask(&own, "/health", &well()).await.0, 200);
        assert_eq!(ask(&own, "/health", &Condition::Unwell).await.2, "bad");
        for path in ["/", "/health/", "/healthy"] {
            assert_eq!(ask(&own, path, &well()).await.0, 404, "{path}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_513), (2026, 3, 1));
    }
}
