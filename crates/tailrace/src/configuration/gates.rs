//! Feature gates: those of `tail_sampling` that Tailrace has, those that it tells to be without effect yet, the others of
//! otelcol, which are accepted, and any other, which is a mistake.

use settings::{Location, Problems, suggest};

/// The gates that something hangs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gates {
    /// `recordpolicy`: write the deciding policy's name into the scopes of kept spans.
    pub(crate) record_policy: bool,
    /// `metricstatcountspanssampled`: count the spans that each policy sampled or not.
    pub(crate) count_spans: bool,
    /// `metricstatcountbytessampled`: count their bytes.
    pub(crate) count_bytes: bool,
}

impl Gates {
    /// Reads the values of `--feature-gates`: names separated by commas, `+` or nothing before those that are switched on
    /// and `-` before those that are switched off. The last word on a gate counts.
    pub(crate) fn read(flags: &[String], p: &mut Problems) -> Gates {
        let mut gates = Gates::default();
        for flag in flags.iter().flat_map(|flag| flag.split(',')).map(str::trim).filter(|flag| !flag.is_empty()) {
            let (name, on) = match flag.strip_prefix('-') {
                Some(name) => (name, false),
                None => (flag.strip_prefix('+').unwrap_or(flag), true),
            };
            if let Some(gate) = gates.gate(name) {
                *gate = on;
            } else if LATER.contains(&name) && on {
                let message = format!("the feature gate `{name}` has no effect in this version");
                p.warning(&Location::NOWHERE, message, "remove it from `--feature-gates` to silence this".to_string());
            } else if !LATER.contains(&name) && !ACCEPTED.contains(&name) {
                unknown(name, p);
            }
        }
        gates
    }

    fn gate(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            COUNT_BYTES => Some(&mut self.count_bytes),
            COUNT_SPANS => Some(&mut self.count_spans),
            RECORD_POLICY => Some(&mut self.record_policy),
            _ => None,
        }
    }
}

fn unknown(name: &str, p: &mut Problems) {
    let known = || HERE.iter().chain(&LATER).chain(&ACCEPTED).copied();
    let last = |gate: &'static str| gate.rsplit('.').next().unwrap_or(gate);
    let mut message = format!("unknown feature gate `{name}`");
    // The first parts are long and alike, so only the last ones are compared.
    let meant = suggest(name.rsplit('.').next().unwrap_or(name), known().map(last));
    let help = match meant.and_then(|meant| known().find(|gate| last(gate) == meant)) {
        Some(meant) => {
            message.push_str(&format!(", did you mean `{meant}`?"));
            None
        }
        None => Some(format!("the gates are {}", settings::quoted(known()))),
    };
    p.error(&Location::NOWHERE, message, help);
}

const COUNT_BYTES: &str = "processor.tailsamplingprocessor.metricstatcountbytessampled";
const COUNT_SPANS: &str = "processor.tailsamplingprocessor.metricstatcountspanssampled";
const RECORD_POLICY: &str = "processor.tailsamplingprocessor.recordpolicy";

/// The gates of `tail_sampling`, all off by default: those that are here, and those that are not yet.
const HERE: [&str; 3] = [COUNT_BYTES, COUNT_SPANS, RECORD_POLICY];
const LATER: [&str; 2] =
    ["processor.tailsamplingprocessor.tailstorageextension", "processor.tailsamplingprocessor.usetracestate"];

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
            (
                vec!["processor.tailsamplingprocessor.usetracestate"],
                "warning: the feature gate `processor.tailsampling",
            ),
            (vec!["-processor.tailsamplingprocessor.usetracestate"], ""),
            (vec!["processor.tailsamplingprocessor.recordpolicy"], ""),
            (vec!["+service.profilesSupport,-pdata.useProtoPooling", "ottl.set.allowNil"], ""),
            (vec!["service.profileSupport"], "did you mean `service.profilesSupport`?"),
            (vec!["processor.tailsamplingprocessor.disableinvertdecisions"], "help: the gates are "),
        ] {
            let mut p = Problems::new();
            let flags: Vec<String> = flags.into_iter().map(str::to_string).collect();
            Gates::read(&flags, &mut p);
            let text = p.render(&settings::Sources::new());
            assert!(text.contains(expected) && p.is_empty() == expected.is_empty(), "{flags:?}: {text}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        let flags = [RECORD_POLICY.to_string(), format!("+{COUNT_SPANS},{COUNT_BYTES}"), format!("-{COUNT_BYTES}")];
        let gates = Gates::read(&flags, &mut Problems::new());
        assert_eq!(gates, Gates { record_policy: true, count_spans: true, count_bytes: false });
    }
}
