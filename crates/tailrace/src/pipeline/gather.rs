//! The `batch` processor where nothing waits for verdicts: small requests become large ones.
//!
//! Two export requests of one signal, one behind the other, *are* one request with the parts of both, so gathering is
//! appending. What is gathered leaves when it has `send_batch_size` items, or when its first item is `timeout` old.
//! With `metadata_keys`, each combination of their values is gathered by itself.

use net::{
    budget::{Budget, Charge, Class},
    client::Client,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// When what was gathered leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatherSettings {
    /// It leaves when it is so old; zero is at once.
    pub(crate) timeout: Duration,
    /// It leaves when it has so many items; zero is at once.
    pub(crate) items_min: u64,
    /// It leaves in requests of so many items at most; zero is no limit.
    pub(crate) items_max: u64,
    /// The metadata keys by whose values it is kept apart.
    pub(crate) keys: Vec<String>,
}

/// What has been gathered, by what keeps it apart.
///
/// Invariant: none of the batches is empty, and `items` is their sum. A veil lets through only so many keys.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    batches: HashMap<Vec<u8>, Growing>,
    items: u64,
}

/// One batch that grows.
#[derive(Debug)]
struct Growing {
    load: Load,
    since: Instant,
    charge: Charge,
}

/// What goes on at once.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// An export request.
    pub(crate) body: Vec<u8>,
    /// How many items it holds.
    pub(crate) items: u64,
    /// What is known of whoever sent them.
    pub(crate) client: Option<Arc<Client>>,
}

impl GatherSettings {
    /// What keeps requests of a client apart from those of others; empty where nothing does.
    pub(crate) fn key(&self, client: Option<&Client>) -> Vec<u8> {
        match client {
            Some(client) if !self.keys.is_empty() => client.key(&self.keys),
            _ => Vec::new(),
        }
    }
}

impl Gathered {
    /// How many items wait.
    pub(crate) fn items(&self) -> u64 {
        self.items
    }

    /// When the first of them have to leave.
    pub(crate) fn due(&self, settings: &GatherSettings) -> Option<Instant> {
        self.batches.values().map(|batch| batch.since).min().map(|since| since + settings.timeout)
    }

    /// Appends a request; gives how many items wait together with it.
    pub(crate) fn push(
        &mut self,
        key: Vec<u8>,
        (request, items): (&[u8], u64),
        client: Option<Arc<Client>>,
        budget: &Arc<Budget>,
    ) -> u64 {
        self.items += items;
        let apart_bytes = key.len() + client.as_ref().map_or(0, |client| client.bytes());
        let batch = self.batches.entry(key).or_insert_with(|| Growing {
            load: Load { client, ..Load::default() },
            since: Instant::now(),
            charge: budget.charge_always(Class::Batches, 0),
        });
        batch.load.body.extend_from_slice(request);
        batch.load.items += items;
        // Charged before the old charge is given back: the sum is never less than what is there.
        batch.charge = budget.charge_always(Class::Batches, batch.load.body.capacity() + apart_bytes);
        batch.load.items
    }

    /// The keys of what is old enough to leave at this time; without one, all of them.
    pub(crate) fn old(&self, settings: &GatherSettings, now: Option<Instant>) -> Vec<Vec<u8>> {
        let is_old = |batch: &Growing| now.is_none_or(|now| batch.since + settings.timeout <= now);
        self.batches.iter().filter(|(_, batch)| is_old(batch)).map(|(key, _)| key.clone()).collect()
    }

    /// Takes out what has been gathered under a key.
    pub(crate) fn take(&mut self, key: &[u8]) -> Option<Load> {
        let load = self.batches.remove(key)?.load;
        self.items -= load.items;
        Some(load)
    }
}
