//! `sending_queue::batch::partition`: whose batches leave together, and what the exporter is told of them.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::client::{Client, Metadata, Peer};
use crate::exporter::queue::PartitionSettings;

/// Remembers of each request how many spans it had, which tenant and whether an address.
#[derive(Default)]
struct Remembering(Mutex<Vec<String>>);

impl Exporter for Remembering {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        let tenant = |client: &Client| {
            let values = client.metadata.get("x-tenant").map(|value| String::from_utf8_lossy(value).into_owned());
            let place = if client.peer == Peer::Unknown { "" } else { " from somewhere" };
            format!(" of {}{place}", values.collect::<Vec<_>>().join(";"))
        };
        let whose = batch.client.as_deref().map(tenant).unwrap_or_default();
        self.0.lock().push(format!("{}{whose}", names(&body).len()));
        Box::pin(async { Ok(Delivered::default()) })
    }
}

/// A batch of ten spans that a client sent.
fn sent(tenant: &'static str) -> Arc<Batch> {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-tenant"), HeaderValue::from_static(tenant));
    let client = Client { peer: Peer::Unix, metadata: Metadata::of_headers(&headers), identity: None };
    let Some(Batch { signal, body, items, notes, charge, tokens, .. }) = Arc::into_inner(batch(10)) else {
        panic!("nobody else has it")
    };
    Arc::new(Batch { signal, body, items, notes, charge, tokens, client: Some(Arc::new(client)) })
}

/// What an exporter is asked for when these tenants send a batch each, and a drain comes right after.
async fn check(keys: &[&str], min_size: u64, tenants: &[&'static str], expected: &[&str]) {
    let exporter = Arc::new(Remembering::default());
    let metadata_keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let partition = PartitionSettings { metadata_keys };
    let batch = BatchSettings { min_size, partition, ..BatchSettings::default() };
    let queue = QueueSettings { batch: Some(batch), num_consumers: 1, ..QueueSettings::default() };
    let destination = Destination::start("otlp", Signal::Traces, exporter.clone(), queue, RetrySettings::default());
    tenants.iter().for_each(|tenant| destination.offer(sent(tenant)));
    let stats = destination.drain(Instant::now() + Duration::from_secs(5)).await;
    assert_eq!(fate(stats), format!("delivered {}", tenants.len() * 10));
    assert_eq!(*exporter.0.lock(), expected, "{keys:?} {min_size} {tenants:?}");
}

#[tokio::test(start_paused = true)]
async fn clients_that_differ_in_the_keys_stay_apart() {
    let tenants = ["A", "B", "A", "B", "B", "C"];
    let (a, b, c) = ("20 of A", "30 of B", "10 of C from somewhere");
    check(&["X-Tenant"], 1000, &tenants, &[a, b, c]).await;
    // The first part that has enough leaves first.
    check(&["x-tenant"], 30, &tenants, &[b, a, c]).await;
    // What was put together regardless is nobody's; what was not keeps its client.
    check(&[], 1000, &tenants, &["60"]).await;
    check(&[], 0, &["A"], &["10 of A from somewhere"]).await;
    check(&["other"], 1000, &tenants, &["60 of "]).await;
}

#[tokio::test(start_paused = true)]
async fn each_part_has_its_own_time() {
    let exporter = Arc::new(Remembering::default());
    let partition = PartitionSettings { metadata_keys: vec!["x-tenant".to_owned()] };
    let flush_timeout = Duration::from_secs(10);
    let batch = BatchSettings { flush_timeout, partition, ..BatchSettings::default() };
    let queue = QueueSettings { batch: Some(batch), ..QueueSettings::default() };
    let destination = Destination::start("otlp", Signal::Traces, exporter.clone(), queue, RetrySettings::default());
    destination.offer(sent("A"));
    pass(6).await;
    ["B", "A"].iter().for_each(|tenant| destination.offer(sent(tenant)));
    pass(6).await;
    assert_eq!(*exporter.0.lock(), ["20 of A"]);
    pass(6).await;
    assert_eq!(*exporter.0.lock(), ["20 of A", "10 of B from somewhere"]);
}
