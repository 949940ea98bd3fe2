//! Files, read back.

use std::fs;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::exporter::peer::{batch, batch_of, names};
use crate::exporter::{Destination, QueueSettings, RetrySettings};

fn settings(folder: &tempfile::TempDir, name: &str) -> FileSettings {
    FileSettings { path: folder.path().join(name).to_str().unwrap().to_owned(), ..FileSettings::default() }
}

/// Writes batches through a destination and drains it.
async fn write(settings: &FileSettings, batches: &[Arc<Batch>]) -> crate::exporter::DestinationStats {
    let target = FileTarget::open("file", settings).unwrap();
    let queue = QueueSettings { num_consumers: 1, ..QueueSettings::default() };
    let exporter = Arc::new(target.of(Signal::Traces));
    let destination = Destination::start("file", Signal::Traces, exporter, queue, RetrySettings::default());
    batches.iter().for_each(|batch| destination.offer(batch.clone()));
    destination.drain(Instant::now() + Duration::from_secs(10)).await
}

/// Messages with their length before them.
fn messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (message, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        all.push(message.to_vec());
        bytes = rest;
    }
    all
}

#[tokio::test]
async fn a_request_is_a_line_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder, "out.json");
    fs::write(&settings.path, "old\n").unwrap();
    let stats = write(&settings, &[batch(2), batch(3)]).await;
    assert_eq!((stats.delivered.items, stats.residue()), (5, (0, 0)));
    let text = fs::read_to_string(&settings.path).unwrap();
    let lines: Vec<_> =
        text.lines().map(|line| names(&otlp::json::decode(Signal::Traces, line.as_bytes()).unwrap()).len()).collect();
    assert!(text.ends_with('\n'));
    assert_eq!(lines, [2, 3]);
    // Once more, after what is there.
    write(&FileSettings { append: true, ..settings.clone() }, &[batch(1)]).await;
    assert_eq!(fs::read_to_string(&settings.path).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn signals_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder, "out.json");
    let target = FileTarget::open("file", &settings).unwrap();
    let any = batch(1);
    for (signal, name) in [(Signal::Traces, "traces"), (Signal::Metrics, "metrics"), (Signal::Logs, "logs")] {
        let body = fs::read(crate::exporter::peer::testdata(&format!("debug/{name}.bin"))).unwrap();
        target.of(signal).export(body.clone().into(), &any).await.unwrap();
        target.of(signal).close().await;
        let items = |request: &[u8]| otlp::check::check(signal, request).unwrap().items;
        let text = fs::read_to_string(&settings.path).unwrap();
        let line = text.lines().last().unwrap();
        assert_eq!(items(&otlp::json::decode(signal, line.as_bytes()).unwrap()), items(&body), "{name}");
    }
    let starts: Vec<_> = fs::read_to_string(&settings.path)
        .unwrap()
        .lines()
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(starts, ["{\"resourceSpans\"", "{\"resourceMetrics\"", "{\"resourceLogs\""]);
}

#[tokio::test]
async fn other_forms_bear_their_length() {
    let folder = tempfile::tempdir().unwrap();
    for (format, compression) in [(FileFormat::Proto, false), (FileFormat::Proto, true), (FileFormat::Json, true)] {
        let settings = FileSettings { format, compression, ..settings(&folder, "out") };
        write(&settings, &[batch(2), batch(300)]).await;
        let found: Vec<_> = messages(&fs::read(&settings.path).unwrap())
            .into_iter()
            .map(|message| if compression { zstd::decode_all(message.as_slice()).unwrap() } else { message })
            .map(|message| {
                if format == FileFormat::Json { otlp::json::decode(Signal::Traces, &message).unwrap() } else { message }
            })
            .collect();
        assert_eq!(found, [batch(2).body.to_vec(), batch(300).body.to_vec()], "{format:?} {compression}");
    }
}

#[tokio::test]
async fn what_was_taken_is_written_soon() {
    let folder = tempfile::tempdir().unwrap();
    let settings = FileSettings { flush_interval: Duration::from_millis(1), ..settings(&folder, "out.json") };
    fs::write(&settings.path, "old\n").unwrap();
    let unused =
        FileTarget::open("file", &FileSettings { flush_interval: Duration::from_secs(3600), ..settings.clone() });
    assert_eq!(fs::read_to_string(&settings.path).unwrap(), "old\n", "nothing is lost before something is written");
    drop(unused);
    let target = FileTarget::open("file", &settings).unwrap();
    let (traces, again) = (target.of(Signal::Traces), target.of(Signal::Traces).target().of(Signal::Traces));
    let batch = batch(2);
    traces.export(batch.body.clone(), &batch).await.unwrap();
    again.export(batch.body.clone(), &batch).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while fs::read_to_string(&settings.path).unwrap().lines().count() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_full_file_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Some(RotationSettings { max_megabytes: 1, max_backups: 2, ..RotationSettings::default() });
    let settings = FileSettings { rotation, format: FileFormat::Proto, ..settings(&folder, "out.bin") };
    let large = batch_of(&["x".repeat(600 << 10)]);
    let stats = write(&settings, &vec![large; 5]).await;
    assert_eq!(stats.delivered.items, 5);
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    files.sort_by_key(|entry| entry.file_name());
    assert_eq!(files.len(), 3, "two backups and the file");
    assert!(files[0].file_name().to_string_lossy().ends_with("-size.bin"));
    for file in files {
        assert_eq!(messages(&fs::read(file.path()).unwrap()).len(), 1, "a message is never torn apart");
    }
}

#[tokio::test]
async fn a_file_for_each_group() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&folder, "*/spans.json");
    settings.group_by = GroupBySettings { enabled: true, max_open_files: 1, ..GroupBySettings::default() };
    let of = |segment: Option<&str>| {
        // Resource { attributes: [{ key, value: { string_value } }] } beside the spans of a plain request.
        let plain = batch(2);
        let mut resource = Vec::new();
        if let Some(segment) = segment {
            let (mut value, mut attribute, mut inner) = (Vec::new(), Vec::new(), Vec::new());
            otlp::wire::put_len(&mut value, 1, segment.as_bytes());
            otlp::wire::put_len(&mut attribute, 1, b"fileexporter.path_segment");
            otlp::wire::put_len(&mut attribute, 2, &value);
            otlp::wire::put_len(&mut inner, 1, &attribute);
            otlp::wire::put_len(&mut resource, 1, &inner);
        }
        let mut reader = otlp::wire::Reader::new(&plain.body);
        reader.tag().unwrap();
        resource.extend_from_slice(reader.len_delimited().unwrap());
        let mut request = Vec::new();
        otlp::wire::put_len(&mut request, 1, &resource);
        request
    };
    let request = [of(Some("a")), of(None), of(Some("b")), of(Some("a"))].concat();
    let target = FileTarget::open("file", &settings).unwrap();
    let exporter = target.of(Signal::Traces);
    let batch = batch(8);
    let delivered = exporter.export(request.into(), &batch).await.unwrap();
    assert_eq!((delivered.rejected, delivered.message.as_str()), (2, "2 items have no attribute to group them by"));
    exporter.export(of(Some("a")).into(), &batch).await.unwrap();
    exporter.close().await;
    let lines = |name: &str| fs::read_to_string(folder.path().join(name).join("spans.json")).unwrap().lines().count();
    assert_eq!((lines("a"), lines("b")), (2, 1), "what was closed meanwhile is not emptied");
}

#[tokio::test]
async fn trouble_is_told_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder, "no/such/out.json");
    let error = FileTarget::open("file", &settings).err().unwrap();
    assert!(error.contains("no/such/out.json") && error.contains("No such file"), "{error}");
    let made = FileSettings { create_directory: true, ..settings };
    assert_eq!(write(&made, &[batch(2)]).await.delivered.items, 2);
    // A disk without room.
    let full = FileSettings { path: "/dev/full".to_owned(), append: true, ..FileSettings::default() };
    let target = FileTarget::open("file", &full).unwrap();
    let large = batch_of(&["x".repeat(100 << 10)]);
    let error = target.of(Signal::Traces).export(large.body.clone(), &large).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Retry { .. }), "{error}");
}
