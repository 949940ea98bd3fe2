//! Settings that ask who sent a request, where that is never known: each is told at the place where its component is named.
//!
//! What is known follows the requests as otelcol's contexts do: receivers know an address, headers with `include_metadata`,
//! and a name with `basicauth`; `batch` leaves its `metadata_keys`, and behind `tail_sampling` and `groupbytrace` nothing is
//! left. Where several ways join, what one of them knows may be found.

use std::collections::{BTreeMap, BTreeSet};

use net::auth::{Identity, headers_setter::Asked as OfHeader};
use process::action::Asked;
use settings::{Problems, Reference};

use super::{Configuration, Editing, Exporter, Extension, Pipeline, PipelineId, Processor, Receiver};

/// What may be known of clients at some place.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    address: bool,
    metadata: Keys,
    /// What an authenticator tells.
    attributes: bool,
    /// The processor that made it less.
    lost: Option<(String, Loss)>,
}

/// Metadata keys, in lower case.
#[derive(Clone, Debug, PartialEq)]
enum Keys {
    /// Whatever came.
    All,
    These(BTreeSet<String>),
}

/// How a processor makes known less.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    /// It leaves nothing.
    Whole,
    /// It leaves what its settings name.
    ButKeys,
}

impl Default for Keys {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

/// Tells of everything that asks for what is never known.
pub(super) fn check(configuration: &Configuration, p: &mut Problems) {
    let exits = exits(configuration);
    for (id, pipeline) in &configuration.service.pipelines {
        let mut known = entry(configuration, id, pipeline, &exits);
        for used in &pipeline.processors {
            let Some(processor) = configuration.processors.get(&used.id) else { continue };
            check_processor(processor, &known, (id, used), p);
            known = known.behind(used, processor);
        }
        for used in &pipeline.exporters {
            let Some(exporter) = configuration.exporters.get(&used.id) else { continue };
            check_exporter(configuration, exporter, &known, (id, used), p);
        }
    }
}

/// What is known where each pipeline ends. Connectors may close circles, which is told elsewhere: then some of it is found.
fn exits(configuration: &Configuration) -> BTreeMap<&PipelineId, Known> {
    let pipelines = &configuration.service.pipelines;
    let mut exits = BTreeMap::new();
    for _ in 0..pipelines.len() {
        let round: BTreeMap<&PipelineId, Known> = pipelines
            .iter()
            .map(|(id, pipeline)| {
                let mut known = entry(configuration, id, pipeline, &exits);
                for used in &pipeline.processors {
                    if let Some(processor) = configuration.processors.get(&used.id) {
                        known = known.behind(used, processor);
                    }
                }
                (id, known)
            })
            .collect();
        if round == exits {
            break;
        }
        exits = round;
    }
    exits
}

/// What is known where a pipeline begins.
fn entry(
    configuration: &Configuration,
    id: &PipelineId,
    pipeline: &Pipeline,
    exits: &BTreeMap<&PipelineId, Known>,
) -> Known {
    let mut known = Known::default();
    for used in &pipeline.receivers {
        if let Some(Receiver::Otlp(settings)) = configuration.receivers.get(&used.id) {
            let grpc = settings.grpc.iter().map(|grpc| (grpc.include_metadata, grpc.auth.as_ref()));
            let http = settings.http.iter().map(|http| (http.include_metadata, http.auth.as_ref()));
            for (include_metadata, auth) in grpc.chain(http) {
                let metadata = if include_metadata { Keys::All } else { Keys::default() };
                let attributes = auth.is_some_and(|auth| is_basic(configuration, &auth.authenticator));
                known = known.or(Known { address: true, metadata, attributes, lost: None });
            }
        }
        let feeds = |other: &&PipelineId| {
            let exporters = configuration.service.pipelines.get(*other).map(|pipeline| &pipeline.exporters);
            other.signal == id.signal && exporters.is_some_and(|exporters| exporters.contains(used))
        };
        if configuration.connectors.contains_key(&used.id) {
            known =
                exits.iter().filter(|(other, _)| feeds(other)).fold(known, |known, (_, exit)| known.or(exit.clone()));
        }
    }
    known
}

fn is_basic(configuration: &Configuration, authenticator: &str) -> bool {
    let mut extensions = configuration.extensions.iter();
    extensions.any(|(id, extension)| id.to_string() == authenticator && matches!(extension, Extension::BasicAuth(_)))
}

fn check_processor(processor: &Processor, known: &Known, (id, used): (&PipelineId, &Reference), p: &mut Problems) {
    match processor {
        Processor::Editing(editing) => {
            let asked: BTreeSet<&str> = editing.asked().collect();
            for text in asked {
                let asked = Asked::of(text);
                if let Some(why) = known.why_not(&asked) {
                    let who = format!("`from_context: {text}` of `{}`", used.id);
                    // As in otelcol, it is put there all the same.
                    let what = if asked == Asked::Address { "finds an empty address" } else { "finds nothing" };
                    tell(&who, what, &why, (id, used), p);
                }
            }
        }
        Processor::Batch(batch) => known.check_keys(&batch.metadata_keys, "metadata_keys", (id, used), p),
        _ => {}
    }
}

fn check_exporter(
    configuration: &Configuration,
    exporter: &Exporter,
    known: &Known,
    (id, used): (&PipelineId, &Reference),
    p: &mut Problems,
) {
    let (auth, queue) = match exporter {
        Exporter::OtlpGrpc(settings) => (settings.auth.as_deref(), Some(&settings.queue)),
        Exporter::OtlpHttp(settings) => (settings.http.auth.as_deref(), Some(&settings.queue)),
        Exporter::Zipkin(settings) => (settings.http.auth.as_deref(), Some(&settings.queue)),
        Exporter::Debug(settings) => (None, settings.queue.as_ref()),
        Exporter::File(_) | Exporter::Nop | Exporter::Terminal(_) => (None, None),
    };
    let extensions = configuration.extensions.iter();
    let named = extensions.filter(|(id, _)| auth.is_some_and(|auth| id.to_string() == auth)).map(|(_, named)| named);
    // A request that leaves its queue by itself keeps its client, so headers may find it even where others are joined.
    let batch = queue.filter(|queue| queue.enabled).and_then(|queue| queue.batch.as_ref());
    let keys = batch.map_or(&[][..], |batch| &batch.partition.metadata_keys);
    known.check_keys(keys, "sending_queue::batch::partition::metadata_keys", (id, used), p);
    for setter in named {
        let Extension::HeadersSetter(setter) = setter else { continue };
        for (header, asked) in setter.of_clients() {
            let asked = match asked {
                OfHeader::Metadata(key) => Asked::Metadata(key.to_owned()),
                OfHeader::Attribute(name) => Asked::Attribute(name.to_owned()),
            };
            if let Some(why) = known.why_not(&asked) {
                let who = format!("the header `{header}` of `{}`", used.id);
                tell(&who, "never has a value of the client", &why, (id, used), p);
            }
        }
    }
}

fn tell(who: &str, what: &str, why: &Why, (id, used): (&PipelineId, &Reference), p: &mut Problems) {
    p.warning(&used.at, format!("{who} {what} in the pipeline `{id}`: {}", why.because), why.help.clone());
}

/// Why something is never known, and the way out.
struct Why {
    because: String,
    help: String,
}

impl Known {
    /// What is known on one of two ways.
    fn or(self, other: Self) -> Self {
        let metadata = match (self.metadata, other.metadata) {
            (Keys::These(keys), Keys::These(others)) => Keys::These(keys.into_iter().chain(others).collect()),
            _ => Keys::All,
        };
        Self {
            address: self.address || other.address,
            metadata,
            attributes: self.attributes || other.attributes,
            lost: self.lost.or(other.lost),
        }
    }

    /// What is still known behind a processor.
    fn behind(self, used: &Reference, processor: &Processor) -> Self {
        let lost = |loss| Some((used.id.to_string(), loss));
        match processor {
            Processor::Batch(batch) => {
                let keys = batch.metadata_keys.iter().map(|key| key.to_lowercase());
                let metadata = Keys::These(keys.filter(|key| self.metadata.has(key)).collect());
                // What was lost before is not this one's doing.
                Self { metadata, lost: self.lost.or(lost(Loss::ButKeys)), ..Self::default() }
            }
            Processor::TailSampling(_) | Processor::Editing(Editing::GroupByTrace(_)) => {
                Self { lost: self.lost.or(lost(Loss::Whole)), ..Self::default() }
            }
            _ => self,
        }
    }

    /// Why this is never found, if so.
    fn why_not(&self, asked: &Asked) -> Option<Why> {
        let is_known = match asked {
            Asked::Address => self.address,
            Asked::Metadata(key) => self.metadata.has(&key.to_lowercase()),
            Asked::Attribute(name) => self.attributes && Identity::ATTRIBUTES.contains(&name.as_str()),
        };
        (!is_known).then(|| self.why(asked))
    }

    fn why(&self, asked: &Asked) -> Why {
        let (because, help) = match (&self.lost, asked) {
            (Some((processor, loss)), _) => {
                let help = match (loss, asked) {
                    (Loss::ButKeys, Asked::Metadata(_)) => {
                        "name the key in its `metadata_keys`, and have a receiver with `include_metadata: true`"
                    }
                    _ => "ask in front of it, or remove this to silence the warning",
                };
                (format!("`{processor}` puts together what many clients sent"), help)
            }
            (None, Asked::Metadata(_)) => (
                "none of its receivers has `include_metadata: true`".to_owned(),
                "write that below the receiver's protocol, or remove this to silence the warning",
            ),
            (None, Asked::Attribute(_)) => (
                "none of its receivers has an authenticator that knows it".to_owned(),
                "`basicauth` knows `username` and `raw`, the others nothing",
            ),
            (None, Asked::Address) => ("nobody sends anything there".to_owned(), "give it a receiver"),
        };
        Why { because, help: help.to_owned() }
    }

    /// Tells of metadata keys of which none is ever known.
    fn check_keys(&self, keys: &[String], setting: &str, (id, used): (&PipelineId, &Reference), p: &mut Problems) {
        let whys = keys.iter().map(|key| self.why_not(&Asked::Metadata(key.clone())));
        let whys: Option<Vec<Why>> = whys.collect();
        if let Some(why) = whys.as_ref().and_then(|whys| whys.first()) {
            tell(&format!("`{setting}` of `{}`", used.id), "keeps nothing apart", why, (id, used), p);
        }
    }
}

impl Keys {
    fn has(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(keys) => keys.contains(key),
        }
    }
}

#[cfg(test)]
mod tests;
