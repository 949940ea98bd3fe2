//! The processors that edit requests: one line each.
//!
//! Their settings, their code and their order in a request are the crate `process`'s; here they are only named, so that a
//! configuration can have them.

use std::fmt::Display;
use std::sync::Arc;

use otlp::Signal;
use process::attributes::{Attributes, AttributesSettings};
use process::filter::{Filter, FilterSettings};
use process::groupbytrace::{GroupByTrace, GroupByTraceSettings};
use process::probabilistic_sampler::{ProbabilisticSampler, ProbabilisticSamplerSettings};
use process::redaction::{Redaction, RedactionSettings};
use process::resource::{Resource, ResourceSettings};
use process::resourcedetection::ResourceDetectionSettings;
use process::span::{Span, SpanSettings};
use process::transform::{Transform, TransformSettings};
use settings::{Decode, Node, Problems};

use crate::surroundings;

use super::kinds::{ALL, Effective, Kind, Processor, TRACES};

macro_rules! editing {
    ($($variant:ident: $settings:ty => $build:expr, $($name:literal)|+, $signals:expr, $about:literal;)*) => {
        /// Settings of a processor that edits requests.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum Editing {
            $(#[doc = $about] $variant(Box<$settings>),)*
        }

        /// All of them.
        pub(super) const EDITING: &[Kind<Processor>] = &[$(Kind {
            names: &[$($name),+],
            about: $about,
            signals: $signals,
            decode: |node: &Node, p: &mut Problems| {
                let settings = <$settings>::decode(node, p)?;
                Some(Processor::Editing(Editing::$variant(Box::new(settings))))
            },
        },)*];

        impl Editing {
            /// The processor itself.
            ///
            /// # Errors
            /// What it cannot be made of, in words; settings that were decoded without an error can.
            pub(crate) fn build(&self) -> Result<Arc<dyn process::Processor>, String> {
                match self {
                    $(Editing::$variant(settings) => built($build(settings)),)*
                }
            }
        }

        impl Effective for Editing {
            fn effective(&self) -> Node {
                match self {
                    $(Editing::$variant(settings) => settings.effective(),)*
                }
            }
        }
    };
}

editing! {
    Attributes: AttributesSettings => Attributes::new, "attributes", ALL, "changes attributes of spans, data points and log records";
    Filter: FilterSettings => Filter::new, "filter", ALL, "takes away items that a condition holds for";
    GroupByTrace: GroupByTraceSettings => GroupByTrace::new, "groupbytrace", TRACES, "is not needed: the engine groups";
    ProbabilisticSampler: ProbabilisticSamplerSettings => ProbabilisticSampler::new, "probabilistic_sampler", &[Signal::Traces, Signal::Logs], "keeps a share of the items";
    Redaction: RedactionSettings => Redaction::new, "redaction", ALL, "removes and masks attributes";
    Resource: ResourceSettings => Resource::new, "resource", ALL, "changes attributes of resources";
    ResourceDetection: ResourceDetectionSettings => surroundings::detection, "resource_detection" | "resourcedetection", ALL, "tells on resources where this runs";
    Span: SpanSettings => Span::new, "span", TRACES, "names spans after attributes, and the other way round";
    Transform: TransformSettings => Transform::new, "transform", ALL, "changes items by statements";
}

impl Editing {
    /// Whether what the settings name is there in items of this signal.
    ///
    /// # Errors
    /// What is not, in words.
    pub(crate) fn fits(&self, signal: Signal) -> Result<(), String> {
        match self {
            Editing::Attributes(settings) => settings.fits(signal),
            Editing::Filter(settings) => settings.fits(signal),
            _ => Ok(()),
        }
    }

    /// What it asks of whoever sent a request: each `from_context`.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &str> {
        let actions = match self {
            Editing::Attributes(settings) => &settings.actions[..],
            Editing::Resource(settings) => &settings.attributes[..],
            _ => &[],
        };
        actions.iter().map(|action| action.from_context.as_str()).filter(|asked| !asked.is_empty())
    }
}

fn built<P: process::Processor + 'static, E: Display>(
    processor: Result<P, E>,
) -> Result<Arc<dyn process::Processor>, String> {
    processor.map(|processor| Arc::new(processor) as Arc<dyn process::Processor>).map_err(|error| error.to_string())
}
