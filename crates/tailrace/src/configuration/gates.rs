//! Feature gates: those of `tail_sampling` act, the others of otelcol are accepted, any other is a mistake.

use settings::{Location, Problems, suggest};

/// The gates that change what Tailrace does; all off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gates {
    /// Exposes how many spans each policy kept.
    pub(crate) count_spans_sampled: bool,
    /// Exposes how many bytes each policy kept.
    pub(crate) count_bytes_sampled: bool,
    /// Writes the `tailsampling.*` attributes.
    pub(crate) record_policy: bool,
    /// Allows `tail_storage`.
    pub(crate) tail_storage: bool,
    /// Lets probabilities act through the trace state.
    pub(crate) use_trace_state: bool,
}

impl Gates {
    /// Reads the values of `--feature-gates`: names separated by commas, `+` or nothing before those that are switched on and
    /// `-` before those that are switched off.
    pub(crate) fn parse(flags: &[String], p: &mut Problems) -> Gates {
        let mut gates = Gates::default();
        for flag in flags.iter().flat_map(|flag| flag.split(',')).map(str::trim).filter(|flag| !flag.is_empty()) {
            let (name, on) = match flag.strip_prefix('-') {
                Some(name) => (name, false),
                None => (flag.strip_prefix('+').unwrap_or(flag), true),
            };
            match gates.gate(name) {
                Some(gate) => *gate = on,
                None if ACCEPTED.contains(&name) => {}
                None => unknown(name, p),
            }
        }
        gates
    }

    fn gate(&mut self, name: &str) -> Option<&mut bool> {
        match name.strip_prefix("processor.tailsamplingprocessor.")? {
            "metricstatcountspanssampled" => Some(&mut self.count_spans_sampled),
            "metricstatcountbytessampled" => Some(&mut self.count_bytes_sampled),
            "recordpolicy" => Some(&mut self.record_policy),
            "tailstorageextension" => Some(&mut self.tail_storage),
            "usetracestate" => Some(&mut self.use_trace_state),
            _ => None,
        }
    }
}

fn unknown(name: &str, p: &mut Problems) {
    let known = || ACTING.iter().chain(&ACCEPTED).copied();
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

/// The gates that act.
const ACTING: [&str; 5] = [
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
        let record = Gates { record_policy: true, ..Gates::default() };
        for (flags, expected, error) in [
            (vec![], Gates::default(), ""),
            (vec!["processor.tailsamplingprocessor.recordpolicy"], record, ""),
            (vec!["+processor.tailsamplingprocessor.recordpolicy,service.profilesSupport"], record, ""),
            (vec!["processor.tailsamplingprocessor.recordpolicy", "-processor.tailsamplingprocessor.recordpolicy"], Gates::default(), ""),
            (vec!["service.profileSupport"], Gates::default(), "did you mean `service.profilesSupport`?"),
            (vec!["processor.tailsamplingprocessor.disableinvertdecisions"], Gates::default(), "the gates are "),
        ] {
            let mut p = Problems::new();
            let flags: Vec<String> = flags.into_iter().map(str::to_string).collect();
            assert_eq!(Gates::parse(&flags, &mut p), expected, "{flags:?}");
            let text = p.render(&settings::Sources::new());
            assert!(text.contains(error) && p.has_errors() == !error.is_empty(), "{flags:?}: {text}");
        }
    }
}
