//! `bearertokenauth`: a token in a header, that we bring or that others must bring.
//!
//! A server takes any of several tokens, a client brings the first. The tokens of a file are its lines' first words, and
//! the file is read again when it changes. Values are compared in constant time, whole, scheme included, as otelcol does.

mod settings;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::{Choice, ConstantTimeEq};

use super::watched::Watched;
use super::{ClientAuth, Denied, Identity, ServerAuth};
use crate::BoxFuture;

pub use settings::{BearerTokenAuth, RetryOnFailure};

/// Tokens, ready to be sent and compared.
#[derive(Debug)]
struct Bearer {
    header: HeaderName,
    source: Source,
    challenge: Option<HeaderValue>,
}

enum Source {
    Fixed(Arc<Values>),
    File(Watched<Values>),
}

/// What the header may be, scheme included.
struct Values(Vec<HeaderValue>);

impl BearerTokenAuth {
    /// The half that checks.
    ///
    /// # Errors
    /// The header or a token cannot stand in a request.
    pub fn server(&self) -> Result<Arc<dyn ServerAuth>, String> {
        Ok(Arc::new(Bearer::new(self)?))
    }

    /// The half that is sent.
    ///
    /// # Errors
    /// The header or a token cannot stand in a request.
    pub fn client(&self) -> Result<Arc<dyn ClientAuth>, String> {
        Ok(Arc::new(Bearer::new(self)?))
    }

    /// With `wait_for_token_file`, waits until the file is there, as often and as long as `retry_on_failure` says.
    ///
    /// # Errors
    /// It did not come.
    pub async fn wait(&self) -> Result<(), String> {
        let mut tries = 0_u64;
        while self.wait_for_token_file && !self.filename.exists() {
            tries += 1;
            let tries_max = self.retry_on_failure.max_retries;
            if tries_max > 0 && tries > tries_max {
                return Err(format!("`{}` did not come within {tries_max} tries", self.filename.display()));
            }
            tokio::time::sleep(self.retry_on_failure.interval).await;
        }
        Ok(())
    }
}

impl Bearer {
    fn new(settings: &BearerTokenAuth) -> Result<Bearer, String> {
        let header = HeaderName::try_from(&settings.header)
            .map_err(|_| format!("`header` must be the name of a header, found `{}`", settings.header))?;
        let scheme = settings.scheme.clone();
        let fixed = |tokens: &[settings::Token]| {
            let tokens = tokens.iter().map(|token| token.expose());
            Values::new(&scheme, tokens).map(|values| Source::Fixed(Arc::new(values)))
        };
        let source = if !settings.tokens.is_empty() {
            fixed(&settings.tokens)?
        } else if settings.filename.as_os_str().is_empty() {
            fixed(std::slice::from_ref(&settings.token))?
        } else {
            let scheme = scheme.clone();
            let (file, problem) = Watched::try_open(&settings.filename, Box::new(move |text| of_file(&scheme, text)));
            // otelcol starts all the same, and lets nobody in.
            if let Some(problem) = problem {
                tracing::warn!(%problem, "there is no token until the file is there");
            }
            Source::File(file)
        };
        let challenge = HeaderValue::try_from(&settings.scheme).ok().filter(|scheme| !scheme.is_empty());
        Ok(Bearer { header, source, challenge })
    }

    fn values(&self) -> Option<Arc<Values>> {
        match &self.source {
            Source::Fixed(values) => Some(Arc::clone(values)),
            Source::File(file) => file.now(),
        }
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let (Some(brought), Some(values)) = (headers.get(&self.header), self.values()) else { return false };
        let equal = |value: &HeaderValue| value.as_bytes().ct_eq(brought.as_bytes());
        values.0.iter().map(equal).fold(Choice::from(0), |any, one| any | one).into()
    }
}

/// One token a line; what stands behind it is a comment.
fn of_file(scheme: &str, text: &str) -> Result<Values, String> {
    let values = Values::new(scheme, text.lines().filter_map(|line| line.split_whitespace().next()))?;
    if values.0.is_empty() { Err("it is empty".to_owned()) } else { Ok(values) }
}

impl Values {
    fn new<'a>(scheme: &str, tokens: impl Iterator<Item = &'a str>) -> Result<Values, String> {
        let values = tokens.map(|token| {
            let text = if scheme.is_empty() { token.to_owned() } else { format!("{scheme} {token}") };
            let mut value = HeaderValue::try_from(text).map_err(|_| "a token cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            Ok(value)
        });
        values.collect::<Result<_, String>>().map(Values)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Fixed(values) => write!(f, "Fixed({} tokens)", values.0.len()),
            Source::File(file) => file.fmt(f),
        }
    }
}

impl ServerAuth for Bearer {
    fn check<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Option<Identity>, Denied>> {
        // As in otelcol, a token says nothing about who brings it.
        let verdict = if self.allows(headers) { Ok(None) } else { Err(Denied::Credentials) };
        Box::pin(std::future::ready(verdict))
    }

    fn challenge(&self) -> Option<HeaderValue> {
        self.challenge.clone()
    }
}

impl ClientAuth for Bearer {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        let value = self.values().and_then(|values| values.0.first().cloned());
        let headers = value.map(|value| vec![(self.header.clone(), value)]);
        Box::pin(std::future::ready(headers.ok_or_else(|| "there is no token yet".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::settings::tests::read;
    use super::*;

    fn headers(name: &str, value: &str) -> HeaderMap {
        let (name, value) = (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        HeaderMap::from_iter([(name, value)])
    }

    /// Whether a server with these settings lets a request with that header in.
    async fn check(yaml: &str, name: &str, value: &str, expected: bool) {
        let verdict = read(yaml).unwrap().server().unwrap().check(&headers(name, value)).await;
        assert_eq!(verdict.is_ok(), expected, "{yaml}, {name}: {value}");
    }

    #[tokio::test]
    async fn the_whole_value_must_fit() {
        check("token: abc", "authorization", "Bearer abc", true).await;
        check("token: abc", "authorization", "bearer abc", false).await;
        check("token: abc", "authorization", "Bearer  abc", false).await;
        check("token: abc", "authorization", "Bearer ab", false).await;
        check("token: abc", "authorization", "Bearer abcd", false).await;
        check("token: abc", "authorization", "", false).await;
        check("token: abc", "x-token", "Bearer abc", false).await;
        check("tokens: [a, b]", "authorization", "Bearer b", true).await;
        check("{token: abc, scheme: '', header: X-Token}", "x-token", "abc", true).await;
        check("{token: abc, scheme: Token}", "authorization", "Token abc", true).await;
    }

    #[tokio::test]
    async fn a_files_tokens_are_its_lines_and_may_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        std::fs::write(&path, "one first\n\n  two\tsecond\n").unwrap();
        let mut bearer = Bearer::new(&read(&format!("filename: {}", path.display())).unwrap()).unwrap();
        if let Source::File(file) = bearer.source {
            bearer.source = Source::File(file.eager());
        }
        let allows = |token: &str| bearer.allows(&headers("authorization", &format!("Bearer {token}")));
        assert!(allows("one") && allows("two") && !allows("first"));
        assert_eq!(bearer.headers().await.unwrap()[0].1, "Bearer one");
        std::fs::write(&path, "three\n").unwrap();
        assert!(allows("three") && !allows("one"));
        assert_eq!(bearer.headers().await.unwrap()[0].1, "Bearer three");
    }

    #[tokio::test]
    async fn without_its_file_it_lets_nobody_in() {
        let settings = read("filename: /no/such/file").unwrap();
        assert!(settings.server().unwrap().check(&headers("authorization", "Bearer ")).await.is_err());
        assert_eq!(settings.client().unwrap().headers().await, Err("there is no token yet".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_a_file_has_an_end() {
        let yaml = "{filename: /no/such/file, wait_for_token_file: true, retry_on_failure: {enabled: true,
            interval: 1h, max_retries: 3}}";
        let error = read(yaml).unwrap().wait().await.unwrap_err();
        assert_eq!(error, "`/no/such/file` did not come within 3 tries");
        assert_eq!(read("token: x").unwrap().wait().await, Ok(()));
    }

    #[test]
    fn nothing_shows_a_token() {
        let bearer = Bearer::new(&read("token: swordfish").unwrap()).unwrap();
        assert!(!format!("{bearer:?}").contains("swordfish"));
    }
}
