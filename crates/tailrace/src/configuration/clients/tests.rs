//! Where the settings ask in vain, as warnings.

use crate::configuration::{Loaded, Origin, load};

/// The warnings of a file with these processors, exporters and pipelines, without their places.
fn said(pipelines: &str) -> Vec<String> {
    let text = format!(
        "{{receivers: {{otlp: {{protocols: {{grpc: }}}}, otlp/all: {{protocols: {{grpc: , http: {{include_metadata: true,
                auth: {{authenticator: basicauth}}}}}}}}}},
        processors: {{batch: , batch/tenant: {{metadata_keys: [X-Tenant]}}, groupbytrace: ,
            tail_sampling: {{policies: [{{name: all, type: always_sample}}]}},
            attributes: {{actions: [{{key: a, from_context: metadata.x-tenant, action: upsert}}]}},
            resource: {{attributes: [{{key: a, from_context: client.address, default_value: d, action: insert}}]}},
            attributes/auth: {{actions: [{{key: a, from_context: auth.username, action: upsert}}]}},
            attributes/none: {{actions: [{{key: a, from_context: auth.none, action: upsert}}]}}}},
        exporters: {{nop: , otlp: {{endpoint: 'b:1', auth: {{authenticator: headers_setter}}}},
            otlp/apart: {{endpoint: 'b:1', sending_queue: {{batch: {{partition: {{metadata_keys: [x-tenant]}}}}}}}}}},
        connectors: {{forward: }},
        extensions: {{basicauth: {{htpasswd: {{inline: 'a:b'}}}}, headers_setter: {{headers: [{{key: X-Org, from_context:
            x-tenant}}, {{key: gone, action: delete, from_context: other}}]}}}},
        service: {{extensions: [basicauth, headers_setter], pipelines: {{{pipelines}}}}}}}"
    );
    let origin = Origin { uris: vec![format!("yaml:{text}")], ..Origin::default() };
    let Loaded { problems, sources, .. } = load(&origin, &|_| None);
    let shown = problems.render(&sources);
    assert!(!problems.has_errors(), "{shown}");
    let lines = shown.lines().filter_map(|line| line.split_once("warning: "));
    lines.map(|(_, message)| message.to_owned()).filter(|message| message.contains("in the pipeline")).collect()
}

#[track_caller]
fn check(pipelines: &str, expected: &[&str]) {
    assert_eq!(said(pipelines), expected, "{pipelines}");
}

#[test]
fn what_is_known_is_not_told() {
    check("traces: {receivers: [otlp], processors: [resource], exporters: [nop]}", &[]);
    check(
        "traces: {receivers: [otlp/all], processors: [resource, attributes/auth, batch/tenant, attributes],
            exporters: [otlp, otlp/apart]}",
        &[],
    );
    check(
        "traces: {receivers: [otlp/all], exporters: [forward]},
        traces/2: {receivers: [otlp, forward], processors: [attributes], exporters: [otlp]}",
        &[],
    );
}

#[test]
fn what_is_never_found_is_told_with_the_reason() {
    check(
        "traces: {receivers: [otlp], processors: [attributes, attributes/auth, batch/tenant], exporters: [otlp, otlp/apart]}",
        &[
            "`from_context: metadata.x-tenant` of `attributes` finds nothing in the pipeline `traces`: none of its \
             receivers has `include_metadata: true`",
            "`from_context: auth.username` of `attributes/auth` finds nothing in the pipeline `traces`: none of its \
             receivers has an authenticator that knows it",
            "`metadata_keys` of `batch/tenant` keeps nothing apart in the pipeline `traces`: none of its receivers has \
             `include_metadata: true`",
            "the header `X-Org` of `otlp` never has a value of the client in the pipeline `traces`: `batch/tenant` puts \
             together what many clients sent",
            "`sending_queue::batch::partition::metadata_keys` of `otlp/apart` keeps nothing apart in the pipeline \
             `traces`: `batch/tenant` puts together what many clients sent",
        ],
    );
    check(
        "metrics: {receivers: [otlp/all], processors: [attributes/none, batch, attributes], exporters: [nop]}",
        &[
            "`from_context: auth.none` of `attributes/none` finds nothing in the pipeline `metrics`: none of its \
             receivers has an authenticator that knows it",
            "`from_context: metadata.x-tenant` of `attributes` finds nothing in the pipeline `metrics`: `batch` puts \
             together what many clients sent",
        ],
    );
    check(
        "traces: {receivers: [otlp/all], processors: [tail_sampling, resource, batch/tenant], exporters: [forward]},
        traces/2: {receivers: [forward], exporters: [otlp]}",
        &[
            "`from_context: client.address` of `resource` finds an empty address in the pipeline `traces`: `tail_sampling` puts \
             together what many clients sent",
            "`metadata_keys` of `batch/tenant` keeps nothing apart in the pipeline `traces`: `tail_sampling` puts together \
             what many clients sent",
            "the header `X-Org` of `otlp` never has a value of the client in the pipeline `traces/2`: `tail_sampling` puts \
             together what many clients sent",
        ],
    );
}
