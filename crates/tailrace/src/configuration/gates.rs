//! Feature gates: those of `tail_sampling` are told to be without effect yet, the others of otelcol are accepted, any other
//! is a mistake.

use settings::{Location, Problems, suggest};

/// Checks the values of `--feature-gates`: names separated by commas, `+` or nothing before those that are switched on and
/// `-` before those that are switched off.
pub(crate) fn check(flags: &[String], p: &mut Problems) {
    for flag in flags.iter().flat_map(|flag| flag.split(',')).map(str::trim).filter(|flag| !flag.is_empty()) {
        let (name, on) = match flag.strip_prefix('-') {
            Some(name) => (name, false),
            None => (flag.strip_prefix('+').unwrap_or(flag), true),
        };
        if LATER.contains(&name) && on {
            let message = format!("the feature gate `{name}` is not supported by this version yet, ignored");
            p.warning(&Location::NOWHERE, message, None);
        } else if !LATER.contains(&name) && !ACCEPTED.contains(&name) {
            unknown(name, p);
        }
    }
}

fn unknown(name: &str, p: &mut Problems) {
    let known = || LATER.iter().chain(&ACCEPTED).copied();
    let last = |gate: &'static str| gate.rsplit('.').next().unwrap_or(gate);
    let mut message = format!("unknown feature gate `{name}`");
    // The first parts are long and alike, so only the last ones are compared.
    let meant = suggest(name.rsplit('.').next().unwrap_or(name), known().map(last));
    let help = match meant.and_then(|meant| known().find(|gate| last(gate) == meant)) {
        Some(meant) => {
            message.push_str(&format!(", did you mean `{meant}`?"));
            None
        }
        None => Some(format!("the gates are {}", known().collect::<Vec<_>>().join(", "))),
    };
    p.error(&Location::NOWHERE, message, help);
}

/// The gates of `tail_sampling`, all off by default.
const LATER: [&str; 5] = [
    "processor.tailsamplingprocessor.metricstatcountbytessampled",
    "processor.tailsamplingprocessor.metricstatcountspanssampled",
    "processor.tailsamplingprocessor.recordpolicy",
    "processor.tailsamplingprocessor.tailstorageextension",
    "processor.tailsamplingprocessor.usetracestate",
];

/// Other gates of otelcol 0.161, so that command lines that switch them run unchanged.
const ACCEPTED: [&str; 22] = [
    "confmap.enableMergeAppendOption",
    "exporter.file.nativeCompression",
    "extension.healthcheck.useComponentStatus",
    "filter.filterlog.useOTTLBridge",
    "filter.filtermetric.useOTTLBridge",
    "filter.filterspan.useOTTLBridge",
    "ottl.PanicDuplicateName",
    "ottl.contexts.enableOTelColContext",
    "ottl.functions.enableLambda",
    "ottl.set.allowNil",
    "pdata.useProtoPooling",
    "pkg.exporterhelper.queueBatchEnabled",
    "processor.filter.defaultErrorModeIgnore",
    "processor.transform.defaultErrorModeIgnore",
    "receiverhelper.newReceiverMetrics",
    "service.AllowNoPipelines",
    "service.partialReload",
    "service.partialReloadReceivers",
    "service.profilesSupport",
    "telemetry.newPipelineTelemetry",
    "telemetry.UseLocalHostAsDefaultMetricsAddress",
    "transform.flatten.logs",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates() {
        for (flags, expected) in [
            (vec![], ""),
            (vec!["processor.tailsamplingprocessor.recordpolicy"], "warning: the feature gate `processor.tailsampling"),
            (vec!["-processor.tailsamplingprocessor.recordpolicy"], ""),
            (vec!["+service.profilesSupport,-pdata.useProtoPooling", "ottl.set.allowNil"], ""),
            (vec!["service.profileSupport"], "did you mean `service.profilesSupport`?"),
            (vec!["processor.tailsamplingprocessor.disableinvertdecisions"], "help: the gates are "),
        ] {
            let mut p = Problems::new();
            let flags: Vec<String> = flags.into_iter().map(str::to_string).collect();
            check(&flags, &mut p);
            let text = p.render(&settings::Sources::new());
            assert!(text.contains(expected) && p.is_empty() == expected.is_empty(), "{flags:?}: {text}");
        }
    }
}
