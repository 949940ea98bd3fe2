//! `basicauth`: a name and a password, that we bring or that others must bring.
//!
//! ```text
//!  header ─► verified before? ─yes─► in
//!              │ no
//!              ├─ cheap hash ─► compared here
//!              └─ costly hash ─► queue (bounded) ─► two at a time, on threads that serve no connection
//! ```
//!
//! A bcrypt hash takes a twentieth of a second by design, so what has been verified is remembered under a keyed hash of the
//! header, and guesses cost the guesser's own place in the queue. A name that is unknown costs what a known one does.

mod bcrypt;
mod htpasswd;
mod md5_crypt;
mod settings;
mod sha_crypt;
mod verified;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;

use super::watched::{Watched, word};
use super::{ClientAuth, Denied, Identity, ServerAuth};
use crate::BoxFuture;
use htpasswd::{Match, Users};

pub use settings::{BasicAuth, BasicClient, Htpasswd};

/// Costly checks at once.
const CHECKS_MAX: usize = 2;
/// Requests that wait for one; beyond that they are told to come back.
const WAITING_MAX: usize = 64;
/// Longer passwords are wrong: some hashes read the whole of it thousands of times.
const PASSWORD_BYTES_MAX: usize = 1024;
const SCHEME: &[u8] = b"basic ";
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"otlp\"");

/// Checks names and passwords.
#[derive(Debug)]
struct BasicServer {
    users: UserSource,
    waiting: Semaphore,
    checks: Arc<Semaphore>,
}

#[derive(Debug)]
enum UserSource {
    Fixed(Arc<Users>),
    File(Watched<Users>),
}

/// Brings a name and a password.
#[derive(Debug)]
struct BasicHeader {
    name: Word,
    password: Word,
}

/// A word of the settings, or of a file.
enum Word {
    Fixed(Arc<String>),
    File(Watched<String>),
}

/// A name and a password as a client brought them.
pub(super) struct Credentials {
    pub(super) name: String,
    password: String,
}

impl BasicAuth {
    /// The half that checks, if these are settings of one.
    ///
    /// # Errors
    /// The file of hashes cannot be read.
    pub fn server(&self) -> Result<Option<Arc<dyn ServerAuth>>, String> {
        let Some(settings) = &self.htpasswd else { return Ok(None) };
        let inline = settings.inline.expose().to_owned();
        let users = if settings.file.as_os_str().is_empty() {
            UserSource::Fixed(Arc::new(Users::read(&inline)))
        } else {
            // What is written in place comes last and wins.
            let parse = move |text: &str| Ok(Users::read(&format!("{text}\n{inline}")));
            UserSource::File(Watched::open(&settings.file, Box::new(parse))?)
        };
        Ok(Some(Arc::new(BasicServer::new(users))))
    }

    /// The half that is sent, if these are settings of one.
    ///
    /// # Errors
    /// A file cannot be read, or the name has a colon.
    pub fn client(&self) -> Result<Option<Arc<dyn ClientAuth>>, String> {
        let Some(settings) = &self.client_auth else { return Ok(None) };
        let header = BasicHeader {
            name: Word::new(&settings.username, &settings.username_file)?,
            password: Word::new(settings.password.expose(), &settings.password_file)?,
        };
        header.value()?;
        Ok(Some(Arc::new(header)))
    }
}

impl BasicServer {
    fn new(users: UserSource) -> BasicServer {
        BasicServer { users, waiting: Semaphore::new(WAITING_MAX), checks: Arc::new(Semaphore::new(CHECKS_MAX)) }
    }

    async fn verify(&self, headers: &HeaderMap) -> Result<Option<Identity>, Denied> {
        let header = headers.get(AUTHORIZATION).ok_or(Denied::Credentials)?;
        self.verify_header(header).await?;
        Ok(Some(Identity::basic(header.as_bytes())))
    }

    async fn verify_header(&self, header: &HeaderValue) -> Result<(), Denied> {
        let users = match &self.users {
            UserSource::Fixed(users) => Arc::clone(users),
            UserSource::File(file) => file.now().ok_or(Denied::Credentials)?,
        };
        if users.verified.knows(header.as_bytes()) {
            return Ok(());
        }
        let Credentials { name, password } = Credentials::read(header.as_bytes()).ok_or(Denied::Credentials)?;
        match users.quick(&name, &password) {
            Match::Yes => Ok(()),
            Match::No => Err(Denied::Credentials),
            Match::Costly => self.verify_slowly(users, header, name, password).await,
        }
    }

    async fn verify_slowly(
        &self,
        users: Arc<Users>,
        header: &HeaderValue,
        name: String,
        password: String,
    ) -> Result<(), Denied> {
        let _place = self.waiting.try_acquire().map_err(|_| Denied::Busy)?;
        let turn = Arc::clone(&self.checks).acquire_owned().await.map_err(|_| Denied::Busy)?;
        // Requests that came together need one check.
        if users.verified.knows(header.as_bytes()) {
            return Ok(());
        }
        let table = Arc::clone(&users);
        let check = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also if the client is gone by then.
            let _turn = turn;
            table.matches(&name, &password)
        });
        if !check.await.unwrap_or(false) {
            return Err(Denied::Credentials);
        }
        users.verified.remember(header.as_bytes());
        Ok(())
    }
}

impl Credentials {
    /// Out of `Basic` and base64.
    pub(super) fn read(header: &[u8]) -> Option<Credentials> {
        let text = String::from_utf8(STANDARD.decode(Self::encoded(header)?).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        if password.len() > PASSWORD_BYTES_MAX {
            return None;
        }
        Some(Credentials { name: name.to_owned(), password: password.to_owned() })
    }

    /// What stands behind `Basic`.
    pub(super) fn encoded(header: &[u8]) -> Option<&[u8]> {
        let (scheme, encoded) = header.split_at_checked(SCHEME.len())?;
        scheme.eq_ignore_ascii_case(SCHEME).then_some(encoded)
    }
}

impl ServerAuth for BasicServer {
    fn check<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Option<Identity>, Denied>> {
        Box::pin(self.verify(headers))
    }

    fn challenge(&self) -> Option<HeaderValue> {
        Some(CHALLENGE)
    }
}

impl BasicHeader {
    fn value(&self) -> Result<HeaderValue, String> {
        let (name, password) = (self.name.now(), self.password.now());
        if name.contains(':') {
            return Err("the name of `basicauth` cannot have a colon".to_owned());
        }
        let encoded = STANDARD.encode(format!("{name}:{password}"));
        let value = HeaderValue::try_from(format!("Basic {encoded}"));
        let mut value = value.map_err(|_| "the name and password are too long for a header".to_owned())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl ClientAuth for BasicHeader {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        Box::pin(std::future::ready(self.value().map(|value| vec![(AUTHORIZATION, value)])))
    }
}

impl Word {
    fn new(text: &str, file: &std::path::Path) -> Result<Word, String> {
        if file.as_os_str().is_empty() {
            return Ok(Word::Fixed(Arc::new(text.to_owned())));
        }
        Watched::open(file, Box::new(word)).map(Word::File)
    }

    fn now(&self) -> Arc<String> {
        match self {
            Word::Fixed(text) => Arc::clone(text),
            // It could be read once, or this would not have been built.
            Word::File(file) => file.now().unwrap_or_default(),
        }
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Word::Fixed(_) => f.write_str("Fixed"),
            Word::File(file) => file.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
