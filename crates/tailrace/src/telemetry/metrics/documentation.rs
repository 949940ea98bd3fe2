//! `config/METRICS.md` is made of the table, so that the two cannot drift.

use super::{
    Kind,
    table::{Scope, all},
};
use crate::configuration::telemetry::metrics::Level;
use std::fmt::Write;

const HEAD: &str = "\
# Metrics

What Tailrace says about itself, at `service::telemetry::metrics`: scraped at `http://localhost:8888/metrics` by default, and
pushed as OTLP where a `periodic` reader is written. All of it is taken from one snapshot of the books, so values of one scrape
add up.

Names, labels and units are otelcol 0.161's wherever it has one for the same thing, so dashboards and alerts go on working.
As with otelcol, `without_type_suffix: false` or `without_units: false` puts `_total` behind counters and units behind names,
`without_scope_info: false` adds `otel_scope_*` labels, and `with_resource_constant_labels` adds attributes of the resource,
which also stand in `target_info`. `level` is the least level at which a metric is shown.

Labels: `receiver`, `transport`, `exporter`, `data_type`, `processor`, `otel_signal`, `pipeline` are what they say, by the IDs of
the configuration. Metrics of `tail_sampling` bear `processor`, which otelcol's lack; sums over it are otelcol's values.

Two identities hold at every moment. For each `pipeline`: accepted = filtered + sampled_out + kept + dropped + buffered. For
each `exporter` and `data_type`: kept = delivered + rejected + dropped + waiting. The residues, `tailrace_*_residue_items`, are
what is left over: always 0.

otelcol has these besides, which mean nothing here or are not measured: `otelcol_process_runtime_*` (the Go runtime),
`otelcol_exporter_enqueue_size*`, `otelcol_processor_internal_duration`, `http_*` and `rpc_*`, `promhttp_*`.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (title, of_tailrace) in [("As otelcol's", false), ("Tailrace's own", true)] {
        let _ = write!(page, "\n## {title}\n\n| metric | kind | unit | level | meaning |\n|---|---|---|---|---|\n");
        for metric in all().filter(|metric| (metric.scope == Scope::Tailrace) == of_tailrace) {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge | Kind::UpDown => "gauge",
                Kind::Histogram => "histogram",
            };
            let level = match metric.level {
                Level::None => "none",
                Level::Basic => "basic",
                Level::Normal => "normal",
                Level::Detailed => "detailed",
            };
            let (name, unit, meaning) = (metric.name, metric.unit, metric.meaning);
            let _ = writeln!(page, "| `{name}` | {kind} | `{unit}` | {level} | {meaning} |");
        }
    }
    page
}

#[test]
fn the_page_says_what_the_table_says() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/METRICS.md");
    let page = page();
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    if written != page {
        let fresh = std::env::temp_dir().join("METRICS.md");
        std::fs::write(&fresh, page).expect("written");
        panic!("`{}` is not what the table says: put `{}` in its place", path.display(), fresh.display());
    }
}

#[test]
fn names_are_unique_and_orderly() {
    let mut seen = std::collections::BTreeSet::new();
    for metric in all() {
        assert!(seen.insert(metric.name), "`{}` stands twice", metric.name);
        assert!(metric.name.starts_with("otelcol_") != (metric.scope == Scope::Tailrace), "{}", metric.name);
        assert!(metric.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
        assert!(!metric.meaning.contains('|') && !metric.meaning.contains('\n'), "{}", metric.name);
    }
}
