//! What was found goes into requests, and the settings that say which of it.

use super::*;
use crate::notation::{check, decode, request};

fn found(pairs: &[(&str, &str)]) -> Found {
    let attribute = |(key, value): &(&str, &str)| ((*key).to_string(), Literal::Str((*value).to_string()));
    Found { attributes: pairs.iter().map(attribute).collect(), schema_url: String::new() }
}

fn detection(yaml: &str, found: &[(&str, Found)]) -> ResourceDetection {
    let Ok(detection) = ResourceDetection::new(&decode(yaml).unwrap(), found);
    detection
}

#[test]
fn the_first_detector_counts() {
    let all = [
        ("env", found(&[("a", "1"), ("host.name", "x")])),
        ("system", found(&[("host.name", "y"), ("os.type", "linux"), ("host.arch", "amd64")])),
    ];
    for (yaml, before, after) in [
        ("{}", "{} [s] n {}", "{a: \"1\", host.name: x, os.type: linux} [s] n {}"),
        ("{}", "- [s] n {}", "{a: \"1\", host.name: x, os.type: linux} [s] n {}"),
        ("{}", "{os.type: z, b: 2}", "{os.type: linux, b: 2, a: \"1\", host.name: x}"),
        ("{override: false}", "{os.type: z, b: 2}", "{os.type: z, b: 2, a: \"1\", host.name: x}"),
        (
            "{system: {resource_attributes: {os.type: {enabled: false}, host.arch: {enabled: true}}}}",
            "{}",
            "{a: \"1\", host.name: x, host.arch: amd64}",
        ),
        ("{attributes: [a, os.type]}", "{}", "{a: \"1\", os.type: linux}"),
    ] {
        Signal::ALL.iter().for_each(|signal| check(&detection(yaml, &all), *signal, before, after, 0));
    }
    check(&detection("{}", &[]), Signal::Logs, "- [s] n {}", "- [s] n {}", 0);
}

#[test]
fn conventions_are_named_where_they_are_not() {
    let all = [("system", Found { schema_url: "new".to_string(), ..found(&[("os.type", "linux")]) })];
    let processor = detection("{}", &all);
    let edited = |request: &[u8]| {
        let moment = Moment::at(0, 0);
        String::from_utf8_lossy(&processor.edit(Signal::Traces, request, moment).unwrap().body).into_owned()
    };
    assert!(edited(&request(Signal::Traces, "{} [s] n {}")).ends_with("new"));
    let (mut part, mut whole) = (Vec::new(), Vec::new());
    put_len(&mut part, walk::SCHEMA_URL, b"old");
    put_len(&mut whole, walk::RESOURCE_PART, &part);
    assert!(edited(&whole).ends_with("old"));
}

#[test]
fn settings() {
    for (yaml, expected) in [
        ("{detectors: [sistem]}", "unknown detector `sistem`, did you mean `system`?"),
        ("{timeout: 0s}", "`retry` needs a `timeout` or a `max_elapsed_time` above 0"),
        ("{system: {hostname_sources: [os, ldap]}}", "unknown source of the host's name `ldap`"),
        (
            "{system: {resource_attributes: {host.nam: {enabled: true}}}}",
            "unknown setting `host.nam` in `resource_attributes`, did you mean `host.name`?",
        ),
        ("{env: {}}", "unknown setting `env` in `resource_detection`"),
    ] {
        let error = decode::<ResourceDetectionSettings>(yaml).unwrap_err();
        assert!(error.starts_with(expected), "{yaml}: {error}");
    }
    let yaml = "{detectors: ' env, system ', ec2: {tags: [^a$]}, consul: {token: x}, tls: {insecure: true}}";
    let settings: ResourceDetectionSettings = decode(yaml).unwrap();
    assert_eq!(settings.detectors, ["env", "system"]);
    let printed = settings.effective().to_yaml(::settings::Mode::Redacted);
    assert!(printed.contains("tags:\n        - ^a$\n"), "{printed}");
    assert!(printed.contains("    host.name:\n            enabled: true\n"), "{printed}");
    assert!(printed.contains("token: '[REDACTED]'\n"), "{printed}");
    let system = Detector::named("system").unwrap();
    assert_eq!(settings.texts(system, "hostname_sources"), [""; 0]);
    assert!(DETECTORS.iter().all(|detector| detector.attributes().count() == detector.on.len() + detector.off.len()));
}
