//! The systemd unit beside the configuration that it starts.

use std::process::Command;

use super::configuration::Configuration;
use super::read;

const UNIT: &str = "config/systemd/tailrace.service";

/// `systemd-analyze security` gives 0 to 10; 2 is where it says that all is fine.
const EXPOSURE_MAX: f64 = 2.0;

/// The values of a key, in order.
fn values<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    let begin = format!("{key}=");
    unit.lines().filter_map(|line| line.strip_prefix(&begin)).collect()
}

#[test]
fn it_reloads_and_stops_as_the_program_does() {
    let unit = read(UNIT);
    let configuration = Configuration::load("gateway", &read("config/gateway.yaml"), &[]);
    assert_eq!(values(&unit, "ExecReload"), ["/bin/kill -HUP $MAINPID"]);
    assert_eq!(values(&unit, "KillSignal"), ["SIGTERM"]);
    let [stop] = values(&unit, "TimeoutStopSec")[..] else { panic!("one TimeoutStopSec") };
    let stop = settings::Duration::parse(stop).expect("a duration").to_std();
    assert!(stop > configuration.grace(), "{stop:?} for {:?}", configuration.grace());
    assert!(unit.contains("install -m 644 -D config/gateway.yaml /etc/tailrace/config.yaml"), "how it comes there");
    assert!(values(&unit, "ExecStart")[0].ends_with(" --config /etc/tailrace/config.yaml"));
}

#[test]
fn it_has_no_rights_that_it_does_not_need() {
    let unit = read(UNIT);
    let wanted = [
        ("DynamicUser", "yes"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("CapabilityBoundingSet", ""),
    ];
    for (key, value) in wanted {
        assert_eq!(values(&unit, key), [value], "{key}");
    }
    for key in ["MemoryMax", "LimitNOFILE", "TasksMax"] {
        assert_eq!(values(&unit, key).len(), 1, "{key}");
    }
}

/// With systemd's own eyes, where it is installed. The unit names the program where it will be; here it is elsewhere.
#[test]
fn systemd_understands_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = folder.path().join("tailrace.service");
    let text = read(UNIT).replace("/usr/bin/tailrace", env!("CARGO_BIN_EXE_tailrace"));
    std::fs::write(&unit, text).expect("the unit can be written");
    let path = unit.to_str().expect("UTF-8");
    let Ok(output) = Command::new("systemd-analyze").args(["verify", path]).output() else {
        return println!("systemd is not installed, nothing is verified");
    };
    let shown = String::from_utf8_lossy(&output.stderr);
    let about_us: Vec<&str> = shown.lines().filter(|line| line.contains("tailrace.service")).collect();
    assert!(output.status.success() && about_us.is_empty(), "{shown}");
    let output = Command::new("systemd-analyze").args(["security", "--offline=yes", "--no-pager", path]).output();
    let shown = String::from_utf8_lossy(&output.expect("it ran before").stdout).into_owned();
    let exposure = shown.split("exposure level for tailrace.service: ").nth(1).and_then(|rest| rest.split(' ').next());
    match exposure.and_then(|exposure| exposure.parse::<f64>().ok()) {
        Some(exposure) => assert!(exposure <= EXPOSURE_MAX, "{shown}"),
        None => println!("this systemd does not judge units that are not installed"),
    }
}
