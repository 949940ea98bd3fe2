//! What is still known of a request's client behind a processor that mixes requests.
//!
//! Behind `groupbytrace` that is nothing. Behind `batch` it is the values of its `metadata_keys`, by which it keeps batches
//! apart; of their combinations only so many are let through, as in otelcol, where each has a batcher of its own for good.

use net::client::Client;
use parking_lot::Mutex;
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

/// What a processor leaves of clients.
#[derive(Debug)]
pub(crate) struct Veil {
    /// The processor.
    pub(crate) processor: String,
    /// The metadata keys that are still known behind it.
    keys: Vec<String>,
    /// How many combinations of their values there may be.
    combinations_max: usize,
    seen: Mutex<Seen>,
}

/// The combinations that came, by their hashes; two with the same hash count as one.
#[derive(Debug, Default)]
struct Seen {
    state: RandomState,
    hashes: HashSet<u64>,
}

/// So many combinations there may be where the settings set no limit.
const COMBINATIONS_MAX: usize = 1 << 16;

impl Veil {
    /// Of a processor behind which nothing is known.
    pub(crate) fn whole(processor: String) -> Self {
        Self::new(processor, Vec::new(), 0)
    }

    /// Of a processor behind which these metadata keys are known; a limit of zero is none of the user's.
    pub(crate) fn new(processor: String, keys: Vec<String>, limit: u32) -> Self {
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
        Self { processor, keys, combinations_max: limit.unwrap_or(COMBINATIONS_MAX), seen: Mutex::default() }
    }

    /// What is left of a client.
    ///
    /// # Errors
    /// It would be one combination of values too many; in words for whoever sent the request.
    pub(crate) fn over(&self, client: Option<&Arc<Client>>) -> Result<Option<Arc<Client>>, String> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let left = client.map(|client| Arc::new(client.only(&self.keys))).unwrap_or_default();
        let mut seen = self.seen.lock();
        let hash = seen.state.hash_one(left.key(&self.keys));
        if seen.hashes.len() >= self.combinations_max && !seen.hashes.contains(&hash) {
            return Err(format!(
                "too many combinations of metadata values for `{}`: its `metadata_cardinality_limit` is {}",
                self.processor, self.combinations_max
            ));
        }
        seen.hashes.insert(hash);
        Ok(Some(left))
    }

    /// How many combinations there have been; nothing is kept apart by no keys, so that is one.
    pub(crate) fn combinations(&self) -> usize {
        if self.keys.is_empty() { 1 } else { self.seen.lock().hashes.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use net::client::Metadata;

    fn client(tenant: &'static str) -> Arc<Client> {
        let mut headers = http::HeaderMap::new();
        headers.insert("x-tenant", http::HeaderValue::from_static(tenant));
        headers.insert("other", http::HeaderValue::from_static("o"));
        Arc::new(Client { metadata: Metadata::of_headers(&headers), ..Client::default() })
    }

    #[test]
    fn only_the_keys_are_left() {
        let veil = Veil::new("batch".to_owned(), vec!["X-Tenant".to_owned()], 0);
        let left = veil.over(Some(&client("A"))).expect("room").expect("a client");
        assert_eq!(left.metadata.get("x-tenant").collect::<Vec<_>>(), [b"A"]);
        assert_eq!(left.metadata.get("other").count(), 0);
        assert_eq!(veil.over(None), Ok(Some(Arc::default())));
        assert_eq!(Veil::whole("groupbytrace".to_owned()).over(Some(&client("A"))), Ok(None));
    }

    #[test]
    fn known_combinations_are_let_through_and_new_ones_up_to_the_limit() {
        let veil = Veil::new("batch/t".to_owned(), vec!["x-tenant".to_owned()], 2);
        let tells = |client: Option<&Arc<Client>>| veil.over(client).map(|_| veil.combinations());
        assert_eq!(tells(Some(&client("A"))), Ok(1));
        assert_eq!(tells(None), Ok(2));
        let error = "too many combinations of metadata values for `batch/t`: its `metadata_cardinality_limit` is 2";
        assert_eq!(tells(Some(&client("B"))), Err(error.to_owned()));
        assert_eq!(tells(Some(&client("A"))), Ok(2));
        assert_eq!(Veil::new("batch".to_owned(), Vec::new(), 1).combinations(), 1);
    }
}
