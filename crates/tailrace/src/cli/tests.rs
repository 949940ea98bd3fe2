//! The command line parses as documented, and its help teaches.

use clap::CommandFactory;

use super::*;

#[test]
fn definition_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn options_stand_before_and_behind_the_command() {
    for line in [
        "tailrace --config a.yaml --set x=1 validate",
        "tailrace validate --config a.yaml --set x=1",
        "tailrace validate --config=a.yaml --set=x=1",
    ] {
        let arguments = Arguments::try_parse_from(line.split(' ')).map_err(|error| error.to_string()).expect(line);
        assert_eq!(
            (arguments.origin.uris, arguments.origin.sets),
            (vec!["a.yaml".to_string()], vec!["x=1".to_string()])
        );
        assert!(matches!(arguments.command, Some(Command::Validate)));
    }
}

#[test]
fn gates_may_begin_with_a_sign() {
    let line = "tailrace --feature-gates -a,+b --feature-gates=-c";
    let arguments = Arguments::try_parse_from(line.split(' ')).map_err(|error| error.to_string()).expect(line);
    assert_eq!(arguments.origin.gates, ["-a,+b", "-c"]);
}

#[test]
fn exit_codes() {
    let code = |line: &str| format!("{:?}", main(line.split(' ').map(OsString::from)));
    for (line, expected) in [
        ("tailrace --help", 0),
        ("tailrace --version", 0),
        ("tailrace components", 0),
        ("tailrace --confg x", EXIT_USAGE),
        ("tailrace valdate", EXIT_USAGE),
        ("tailrace generate --to x --duration soon", EXIT_USAGE),
        ("tailrace validate --config yaml:a:1", EXIT_CONFIGURATION),
        ("tailrace validate", 0),
        ("tailrace print-config --mode unredacted", 0),
    ] {
        assert_eq!(code(line), format!("{:?}", ExitCode::from(expected)), "{line}");
    }
}

#[test]
fn help_shows_examples_that_parse() {
    let help = Arguments::command().render_long_help().to_string();
    for line in EXAMPLES.lines().map(str::trim).filter(|line| line.starts_with("tailrace")) {
        assert!(help.contains(line), "{line}");
        let command = line.split(" > ").next().unwrap_or(line);
        assert!(Arguments::try_parse_from(command.split(' ')).is_ok(), "{line}");
    }
}
