//! Extensions: their settings, what they print, and components that name them.

use super::*;

/// What the settings of one extension come to, and what is said about them.
fn check(kind: &str, settings: &str, printed: &[&str], said: &str) {
    let sets = [format!("extensions={{{kind}: {settings}}}"), format!("service::extensions=[{kind}]")];
    let (configuration, shown) = loaded(DEFAULT, &sets.each_ref().map(String::as_str));
    match said {
        "" => assert_eq!(shown, "", "{settings}"),
        said => assert!(shown.contains(said), "{settings}: {shown}"),
    }
    let Some(configuration) = configuration else {
        assert!(printed.is_empty(), "{settings}: {shown}");
        return;
    };
    let text = configuration.effective().lookup("extensions").expect("extensions").to_yaml(Mode::Unredacted);
    for line in printed {
        assert!(text.lines().any(|found| found.trim() == *line), "{settings}: {line} in {text}");
    }
    let (again, shown) = loaded(&configuration.effective().to_yaml(Mode::Unredacted), &[]);
    let again = again.unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(again.extensions, configuration.extensions, "{settings}");
}

#[test]
fn health_check() {
    let kind = "health_check";
    check(kind, "", &["endpoint: localhost:13133", "path: /", "response_body: null", "interval: 5m"], "");
    check(kind, "{endpoint: '0.0.0.0:1', path: /h}", &["endpoint: 0.0.0.0:1", "path: /h"], "");
    check(kind, "{response_body: {healthy: fine}}", &["healthy: fine", "unhealthy: \"\""], "");
    check(kind, "{tls: {cert_file: /a, key_file: /b}}", &["cert_file: /a"], "");
    check(kind, "{response_headers: {a: b}, read_timeout: 1s}", &["- name: a", "value: b", "read_timeout: 1s"], "");
    check(kind, "{keepalive: {idle_timeout: 4s}}", &["idle_timeout: 4s"], "");
    check(kind, "{port: 9}", &["endpoint: 0.0.0.0:9"], "warning: `port` of `health_check` is the form of older files");
    check(
        kind,
        "{check_collector_pipeline: {enabled: true}}",
        &["enabled: true"],
        "warning: `check_collector_pipeline`",
    );
    check(kind, "{path: h}", &[], "`path` must begin with `/`, found `h`");
    check(kind, "{endpoint: ''}", &[], "`endpoint` is empty");
    check(kind, "{endpoint: here}", &[], "`endpoint` needs a port, found `here`");
    check(kind, "{transport: udp}", &[], "unknown transport `udp`");
    check(kind, "{http: {}}", &[], "`http` of `health_check` is not supported");
    check(kind, "{use_v2: true}", &[], "`use_v2` of `health_check` is not supported");
    check(kind, "{auth: {authenticator: x}}", &[], "`auth` of an extension's server is not supported");
    check(kind, "{middlewares: [x]}", &[], "`middlewares` of an extension's server are not supported");
    check(kind, "{response_body: {helthy: x}}", &[], "did you mean `healthy`?");
}

#[test]
fn others() {
    check("file_storage", "", &["directory: /var/lib/otelcol/file_storage", "directory_permissions: \"0750\""], "");
    check("file_storage", "{directory: /x, compaction: {on_start: true}}", &["directory: /x", "on_start: true"], "");
    check("file_storage", "{directory_permissions: '9'}", &[], "`directory_permissions` must be octal, found `9`");
    check(
        "file_storage",
        "{compaction: {max_transaction_size: -1}}",
        &[],
        "`max_transaction_size` must be zero or more",
    );
    let rebound = "{compaction: {on_rebound: true, check_interval: 0s}}";
    check("file_storage", rebound, &[], "`check_interval` must be above 0");
    check("memory_limiter", "{check_interval: 1s, limit_mib: 100}", &["limit_mib: 100"], "");
    check("memory_limiter", "{check_interval: 1s}", &[], "needs `limit_mib` or `limit_percentage`");
    check("pprof", "", &["endpoint: localhost:1777"], "the extension `pprof` does nothing here");
    check(
        "zpages",
        "{expvar: {enabled: true}}",
        &["enabled: true", "write_timeout: 30s"],
        "`zpages` does nothing here",
    );
    check("zpagse", "", &[], "unknown type `zpagse` in `extensions`, did you mean `zpages`?");
    check("opamp", "", &[], "`opamp` in `extensions` is not supported by this version; `service::extensions` names it");
}

/// What is named must be there, fit, and run.
#[test]
fn components_name_extensions() {
    let file = |auth: &str, defined: &str, running: &str| {
        format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{auth: {{authenticator: {auth}}}}}}}}}}}\nexporters: {{nop: }}\n\
             extensions: {{{defined}}}\nservice: {{extensions: [{running}], pipelines: {{traces: {{receivers: [otlp], \
             exporters: [nop]}}}}}}\n"
        )
    };
    for (text, expected) in [
        (
            file("basicauth/x", "", ""),
            "the receiver `otlp` names the authenticator `basicauth/x`, which is not defined in `extensions`",
        ),
        (file("file_storge", "file_storage: ", ""), "did you mean `file_storage`?"),
        (
            file("health_check", "health_check: ", "health_check"),
            "the receiver `otlp` names the authenticator `health_check`, which is no authenticator",
        ),
    ] {
        let (_, shown) = loaded(&text, &[]);
        assert!(shown.contains(expected), "{text}: {shown}");
    }
    let storage = "exporters={otlp: {endpoint: 'a:1', sending_queue: {storage: file_storage}}}";
    let sets = [storage, "extensions={file_storage: }", "service::pipelines::traces::exporters=[otlp]"];
    let (_, shown) = loaded(DEFAULT, &sets);
    let expected = "the exporter `otlp` names the storage `file_storage`, which is not in `service::extensions`";
    assert!(shown.contains(expected), "{shown}");
}
