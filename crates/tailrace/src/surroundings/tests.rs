//! Surroundings as data, and what each detector finds there.

use super::*;
use settings::{Decode, Node, Problems};

/// What is found with settings, where files (with a slash) and variables are such; or the error.
fn look_around(yaml: &str, there: &[(&str, &str)]) -> Result<String, String> {
    let (tree, ..) = settings::load(&[format!("yaml:v: {yaml}")], &[], &|_| None);
    let tree = tree.unwrap();
    let settings = ResourceDetectionSettings::decode(tree.lookup("v").unwrap_or(&Node::null()), &mut Problems::new());
    let settings = settings.unwrap();
    let get = |name: &str| there.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_string());
    let folder = |path: &str| get(path).map(|text| text.split(' ').map(str::to_string).collect()).unwrap_or_default();
    let world = World { variable: &get, file: &get, folder: &folder, exists: &|path| get(path).is_some() };
    let all = look(&settings, &world)?;
    let mut shown = Vec::new();
    for (name, found) in &all {
        let detector = Detector::named(name).unwrap();
        for (key, value) in found.attributes.iter().filter(|(key, _)| settings.takes(detector, key)) {
            let value = value.effective().to_yaml(settings::Mode::Unredacted);
            shown.push(format!("{key}={}", value.trim().replace('\n', " ")));
        }
    }
    Ok(shown.join("|"))
}

#[track_caller]
fn check(yaml: &str, there: &[(&str, &str)], expected: &str) {
    assert_eq!(look_around(yaml, there), Ok(expected.to_string()), "{yaml}");
}

#[test]
fn env() {
    for (text, expected) in [
        ("", Ok("")),
        (" a=1 , b = x y ,", Ok("a=\"1\"|b=x y")),
        ("a=%41+b,c==d,a=2", Ok("a=\"2\"|c==d")),
        ("a,b=c", Ok("a,b=c")),
        ("a=", Ok("a=\"\"")),
        ("a", Err("a")),
        ("a=1,b", Err("b")),
        ("a=%4", Err("a=%4")),
    ] {
        let found = look_around("{}", &[("OTEL_RESOURCE_ATTRIBUTES", text)]);
        let error =
            |text| format!("the detector `env`: `{text}` in `OTEL_RESOURCE_ATTRIBUTES` has no `=`; write `key=value`");
        assert_eq!(found, expected.map(str::to_string).map_err(error), "{text}");
    }
    check("{}", &[("OTEL_RESOURCE", "a=b")], "a=b");
}

#[test]
fn system() {
    let there = [
        ("/proc/sys/kernel/hostname", "web1\n"),
        ("/etc/hosts", "127.0.0.1 localhost # web1\n10.0.0.1 web1.example.com web1\n"),
        ("/etc/machine-id", "abc\n"),
        ("/etc/os-release", "ID=ubuntu\nVERSION_ID=\"24.04\"\n"),
        ("/sys/class/net", "lo eth0"),
        ("/sys/class/net/lo/ifindex", "1"),
        ("/sys/class/net/lo/flags", "0x9\n"),
        ("/sys/class/net/eth0/ifindex", "2"),
        ("/sys/class/net/eth0/flags", "0x1003\n"),
        ("/sys/class/net/eth0/address", "02:42:ac:11:00:02\n"),
        ("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\ncache size\t: 512 KB\n\nprocessor\t: 1\n"),
    ];
    let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    check("{detectors: [system]}", &there, &format!("host.name=web1.example.com|os.type={os}"));
    check(
        "{detectors: [system], system: {hostname_sources: [lookup, os]}}",
        &there,
        &format!("host.name=web1|os.type={os}"),
    );
    let on = "host.id: {enabled: true}, os.version: {enabled: true}, os.type: {enabled: false}, host.mac: {enabled: true}, \
              host.interface: {enabled: true}, host.cpu.vendor.id: {enabled: true}, host.cpu.cache.l2.size: {enabled: true}";
    check(
        &format!("{{detectors: [system], system: {{resource_attributes: {{{on}}}}}}}"),
        &there,
        "host.name=web1.example.com|os.version=\"24.04\"|host.id=abc|host.mac=- 02-42-AC-11-00-02|host.interface=- lo - eth0|\
         host.cpu.vendor.id=GenuineIntel|host.cpu.cache.l2.size=512",
    );
}

#[test]
fn platforms() {
    check(
        "{detectors: [lambda]}",
        &[("AWS_LAMBDA_FUNCTION_NAME", "f"), ("AWS_LAMBDA_LOG_STREAM_NAME", "s"), ("AWS_REGION", "eu")],
        "cloud.provider=aws|cloud.platform=aws_lambda|cloud.region=eu|faas.name=f|faas.instance=s|aws.log.stream.names=- s",
    );
    check("{detectors: [lambda, docker, heroku, dynatrace, elastic_beanstalk, gcp]}", &[], "");
    check(
        "{detectors: [heroku]}",
        &[("HEROKU_APP_ID", "i"), ("HEROKU_APP_NAME", "shop")],
        "cloud.provider=heroku|heroku.app.id=i|service.name=shop",
    );
    check(
        "{detectors: [elastic_beanstalk]}",
        &[(
            "/var/elasticbeanstalk/xray/environment.conf",
            "{\"deployment_id\":23,\"version_label\":\"v1\",\"environment_name\":\"prod\"}",
        )],
        "cloud.provider=aws|cloud.platform=aws_elastic_beanstalk|service.version=v1|deployment.environment=prod|\
         service.instance.id=\"23\"",
    );
    check(
        "{detectors: [dynatrace]}",
        &[("/var/lib/dynatrace/enrichment/dt_host_metadata.properties", "dt.entity.host=H\nother=1\nhost.name = x\n")],
        "dt.entity.host=H",
    );
    check("{detectors: [k8s_api], k8s_api: {node_from_env_var: NODE}}", &[("NODE", "n1")], "k8s.node.name=n1");
    check(
        "{detectors: [azureappservice]}",
        &[
            ("WEBSITE_SITE_NAME", "my-site"),
            ("WEBSITE_RESOURCE_GROUP", "my-rg"),
            ("WEBSITE_OWNER_NAME", "0+my-rg-CentralUSwebspace"),
        ],
        "cloud.provider=azure|cloud.platform=azure.app_service|service.name=my-site|\
         cloud.resource_id=/subscriptions/0/resourceGroups/my-rg/providers/Microsoft.Web/sites/my-site|\
         cloud.account.id=\"0\"|azure.resource_group.name=my-rg",
    );
    check(
        "{detectors: [azurecontainerapps]}",
        &[("CONTAINER_APP_NAME", "a")],
        "cloud.provider=azure|cloud.platform=azure.container_apps|service.name=a",
    );
    let error = look_around("{detectors: [lambda], fail_on_missing_metadata: true}", &[]).unwrap_err();
    assert!(error.starts_with("the detector `lambda` finds nothing"), "{error}");
}
