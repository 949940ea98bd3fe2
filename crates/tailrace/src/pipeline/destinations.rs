//! The destinations of a configuration: one for each exporter and signal that a pipeline uses, shared by the pipelines.

use super::{
    auths::{self, Auths},
    build::Plan,
    outlet::Way,
};
use crate::{
    configuration::{ComponentId, Configuration, Exporter},
    terminal::{Terminal, Whys},
};
use net::exporter::{
    Destination, QueueSettings, RetrySettings, debug::Debug, file::FileTarget, nop::Nop, otlp_grpc::OtlpGrpc,
    otlp_http::OtlpHttp, zipkin::Zipkin,
};
use otlp::Signal;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
};

/// A destination with the exporter's ID and settings that it was made of.
pub(super) struct NamedWay {
    pub(super) id: ComponentId,
    settings: Exporter,
    pub(super) way: Way,
    /// The files that it writes, for a further signal of the same exporter.
    file: Option<FileTarget>,
}

/// The destinations of a configuration. Those that `old` has already and whose settings are the same go on.
///
/// # Errors
/// What one cannot be built from, such as a certificate that cannot be read.
pub(super) fn destinations(
    configuration: &Configuration,
    old: Option<&Plan>,
    auths: &Auths,
    whys: &Arc<Whys>,
) -> Result<Vec<NamedWay>, String> {
    let mut ways: Vec<NamedWay> = Vec::new();
    let mut workshop = Workshop { auths, whys, files: BTreeMap::new() };
    // A signal that comes to an exporter with a reload writes to the files that are open.
    let unchanged = |way: &&NamedWay| configuration.exporters.get(&way.id) == Some(&way.settings);
    for way in old.iter().flat_map(|old| &old.ways).filter(unchanged) {
        workshop.files.extend(way.file.clone().map(|file| (way.id.clone(), file)));
    }
    for (pipeline_id, pipeline) in &configuration.service.pipelines {
        let signal = pipeline_id.signal;
        for id in pipeline.exporters.iter().map(|reference| &reference.id) {
            let Some(settings) = configuration.exporters.get(id) else { continue };
            if ways.iter().any(|other| other.is(id, signal, settings)) {
                continue;
            }
            let before = old.filter(|old| auths.agree(&old.auths, auths::of_exporter(settings).into_iter()));
            let before = before.and_then(|old| old.ways.iter().find(|other| other.is(id, signal, settings)));
            let way = match before {
                Some(before) => before.way.clone(),
                None => {
                    let destination = workshop.destination(id, signal, settings);
                    let destination =
                        destination.map_err(|error| format!("cannot set up the exporter `{id}`: {error}"))?;
                    Way { destination, sent: Arc::new(AtomicU64::new(0)) }
                }
            };
            let file = workshop.files.get(id).cloned();
            ways.push(NamedWay { id: id.clone(), settings: settings.clone(), way, file });
        }
    }
    Ok(ways)
}

impl NamedWay {
    fn is(&self, id: &ComponentId, signal: Signal, settings: &Exporter) -> bool {
        self.id == *id && self.way.destination.signal() == signal && self.settings == *settings
    }
}

/// Where destinations are made.
struct Workshop<'c> {
    auths: &'c Auths,
    whys: &'c Arc<Whys>,
    /// Files are opened once for all signals.
    files: BTreeMap<ComponentId, FileTarget>,
}

impl Workshop<'_> {
    fn destination(
        &mut self,
        id: &ComponentId,
        signal: Signal,
        settings: &Exporter,
    ) -> Result<Arc<Destination>, String> {
        let name = id.to_string();
        let auth = auths::of_exporter(settings).and_then(|name| self.auths.client(name));
        // Exporters that only write lines: one at a time, in order.
        let local = QueueSettings { num_consumers: 1, ..QueueSettings::default() };
        let retry = RetrySettings::default();
        Ok(match settings {
            Exporter::OtlpGrpc(settings) => {
                let exporter = Arc::new(OtlpGrpc::new(settings, signal, auth)?);
                Destination::start(name, signal, exporter, settings.queue.clone(), settings.retry.clone())
            }
            Exporter::OtlpHttp(settings) => {
                let exporter = Arc::new(OtlpHttp::new(settings, signal, auth)?);
                Destination::start(name, signal, exporter, settings.queue.clone(), settings.retry.clone())
            }
            Exporter::Zipkin(settings) => {
                let exporter = Arc::new(Zipkin::new(settings, auth)?);
                Destination::start(name, signal, exporter, settings.queue.clone(), settings.retry.clone())
            }
            Exporter::File(settings) => {
                let target = match self.files.get(id) {
                    Some(target) => target.clone(),
                    None => FileTarget::open(&name, settings)?,
                };
                let exporter = Arc::new(target.of(signal));
                self.files.insert(id.clone(), target);
                Destination::start(name, signal, exporter, local, retry)
            }
            Exporter::Debug(settings) => {
                let queue = settings.queue.clone().unwrap_or(local);
                let exporter = Arc::new(Debug::new(&name, settings.clone())?);
                Destination::start(name, signal, exporter, queue, retry)
            }
            Exporter::Nop => Destination::start(name, signal, Arc::new(Nop), local, retry),
            Exporter::Terminal(settings) => {
                let exporter = Arc::new(Terminal::new(settings, Arc::clone(self.whys)));
                Destination::start(name, signal, exporter, local, retry)
            }
        })
    }
}
