//! The component types of this version: for each its names, its settings, and how these are decoded and printed.
//!
//! One line a type, in the tables below; `tailrace components`, the suggestions for misspelt types and the decoding all read
//! the same tables and so cannot disagree.

use net::auth::basic::BasicAuth;
use net::auth::bearer::BearerTokenAuth;
use net::auth::headers_setter::HeadersSetterSettings;
use net::auth::oauth2::Oauth2Settings;
use net::exporter::debug::DebugSettings;
use net::exporter::file::FileSettings;
use net::exporter::otlp_grpc::OtlpGrpcSettings;
use net::exporter::otlp_http::OtlpHttpSettings;
use net::exporter::zipkin::ZipkinSettings;
use net::receiver::OtlpReceiver;
use otlp::Signal;
use policy::TailSampling;
use settings::{Decode, Node, Problems};

use super::batch::Batch;
use super::editing::{EDITING, Editing};
use super::extensions::file_storage::FileStorage;
use super::extensions::health_check::HealthCheck;
use super::extensions::unused::{Pprof, Zpages};
use super::memory_limiter::MemoryLimiter;

use super::terminal::Terminal;

/// One type of component in a table.
pub(crate) struct Kind<T> {
    /// Its name, then the other names that files use for it.
    pub(crate) names: &'static [&'static str],
    /// What it does, in a sentence.
    pub(crate) about: &'static str,
    /// The signals of the pipelines that may name it; extensions stand in none.
    pub(crate) signals: &'static [Signal],
    /// Its settings out of their YAML.
    pub(crate) decode: fn(&Node, &mut Problems) -> Option<T>,
}

// Derived, both would ask the same of `T`.
impl<T> Copy for Kind<T> {}

impl<T> Clone for Kind<T> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Where items come in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Receiver {
    /// OTLP over gRPC and HTTP.
    Otlp(Box<OtlpReceiver>),
}

/// What happens to them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Processor {
    /// One verdict a trace.
    TailSampling(Box<TailSampling>),
    /// The size of requests.
    Batch(Batch),
    /// The byte budget.
    MemoryLimiter(MemoryLimiter),
    /// Whatever edits requests.
    Editing(Editing),
}

/// Where the kept ones go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Exporter {
    /// OTLP over gRPC.
    OtlpGrpc(Box<OtlpGrpcSettings>),
    /// OTLP over HTTP.
    OtlpHttp(Box<OtlpHttpSettings>),
    /// Zipkin's JSON over HTTP.
    Zipkin(Box<ZipkinSettings>),
    /// Files.
    File(Box<FileSettings>),
    /// The log.
    Debug(DebugSettings),
    /// Nowhere.
    Nop,
    /// The terminal.
    Terminal(Terminal),
}

/// What stands beside the pipelines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Extension {
    /// Answers to probes.
    HealthCheck(Box<HealthCheck>),
    /// Room for what must outlive the process.
    FileStorage(Box<FileStorage>),
    /// The byte budget, as the processor of this name lowers it.
    MemoryLimiter(MemoryLimiter),
    /// User names and passwords.
    BasicAuth(Box<BasicAuth>),
    /// Tokens.
    BearerTokenAuth(Box<BearerTokenAuth>),
    /// Headers on what is sent.
    HeadersSetter(Box<HeadersSetterSettings>),
    /// Tokens that are fetched.
    Oauth2Client(Box<Oauth2Settings>),
    /// Profiles of a Go program; does nothing here.
    Pprof(Pprof),
    /// Pages about a Go program; does nothing here.
    Zpages(Box<Zpages>),
}

/// What joins pipelines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Connector {
    /// Everything goes on as it is, with the same signal.
    Forward,
}

/// Components that are for traces alone.
pub(super) const TRACES: &[Signal] = &[Signal::Traces];
/// Components that take whatever comes.
pub(super) const ALL: &[Signal] = &Signal::ALL;

/// All receivers.
pub(crate) const RECEIVERS: &[Kind<Receiver>] = &[Kind {
    names: &["otlp"],
    about: "takes OTLP over gRPC and HTTP",
    signals: ALL,
    decode: |node, p| OtlpReceiver::decode(node, p).map(Box::new).map(Receiver::Otlp),
}];

/// All processors.
pub(crate) const PROCESSORS: &[Kind<Processor>] = &{
    let mut all = [PIPELINE[0]; PIPELINE.len() + EDITING.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < PIPELINE.len() { PIPELINE[index] } else { EDITING[index - PIPELINE.len()] };
        index += 1;
    }
    all
};

/// The processors that are the pipeline's own doing.
const PIPELINE: &[Kind<Processor>] = &[
    Kind {
        names: &["tail_sampling"],
        about: "decides once a trace is complete whether it is kept",
        signals: TRACES,
        decode: |node, p| TailSampling::decode(node, p).map(Box::new).map(Processor::TailSampling),
    },
    Kind {
        names: &["batch"],
        about: "says how large the requests to destinations should be",
        signals: ALL,
        decode: |node, p| Batch::decode(node, p).map(Processor::Batch),
    },
    Kind {
        names: &["memory_limiter"],
        about: "lowers the byte budget of the process",
        signals: ALL,
        decode: |node, p| MemoryLimiter::decode(node, p).map(Processor::MemoryLimiter),
    },
];

/// All exporters.
pub(crate) const EXPORTERS: &[Kind<Exporter>] = &[
    Kind {
        names: &["otlp_grpc", "otlp"],
        about: "sends OTLP over gRPC",
        signals: ALL,
        decode: |node, p| OtlpGrpcSettings::decode(node, p).map(Box::new).map(Exporter::OtlpGrpc),
    },
    Kind {
        names: &["otlp_http", "otlphttp"],
        about: "sends OTLP over HTTP",
        signals: ALL,
        decode: |node, p| OtlpHttpSettings::decode(node, p).map(Box::new).map(Exporter::OtlpHttp),
    },
    Kind {
        names: &["zipkin"],
        about: "sends Zipkin's JSON over HTTP",
        signals: TRACES,
        decode: |node, p| ZipkinSettings::decode(node, p).map(Box::new).map(Exporter::Zipkin),
    },
    Kind {
        names: &["file"],
        about: "writes files of JSON or protobuf",
        signals: ALL,
        decode: |node, p| FileSettings::decode(node, p).map(Box::new).map(Exporter::File),
    },
    Kind {
        names: &["debug"],
        about: "writes what passes to the log",
        signals: ALL,
        decode: |node, p| DebugSettings::decode(node, p).map(Exporter::Debug),
    },
    Kind {
        names: &["logging"],
        about: "is the old name of `debug`, with its old settings",
        signals: ALL,
        decode: |node, p| DebugSettings::decode_logging(node, p).map(Exporter::Debug),
    },
    Kind {
        names: &["nop"],
        about: "throws away what it gets",
        signals: ALL,
        decode: |node, p| {
            node.map("nop", p)?.finish(p);
            Some(Exporter::Nop)
        },
    },
    Kind {
        names: &["terminal"],
        about: "shows kept traces as waterfalls",
        signals: TRACES,
        decode: |node, p| Terminal::decode(node, p).map(Exporter::Terminal),
    },
];

/// All connectors; each gives on the signal that it takes.
pub(crate) const CONNECTORS: &[Kind<Connector>] = &[Kind {
    names: &["forward"],
    about: "joins pipelines: what one sends to it, others receive",
    signals: ALL,
    decode: |node, p| {
        node.map("forward", p)?.finish(p);
        Some(Connector::Forward)
    },
}];

/// All extensions.
pub(crate) const EXTENSIONS: &[Kind<Extension>] = &[
    Kind {
        names: &["health_check"],
        about: "answers probes over HTTP",
        signals: &[],
        decode: |node, p| HealthCheck::decode(node, p).map(Box::new).map(Extension::HealthCheck),
    },
    Kind {
        names: &["file_storage"],
        about: "names a folder for queues that outlive the process",
        signals: &[],
        decode: |node, p| FileStorage::decode(node, p).map(Box::new).map(Extension::FileStorage),
    },
    Kind {
        names: &["basicauth"],
        about: "checks and bears user names with passwords",
        signals: &[],
        decode: |node, p| BasicAuth::decode(node, p).map(Box::new).map(Extension::BasicAuth),
    },
    Kind {
        names: &["bearertokenauth"],
        about: "checks and bears tokens",
        signals: &[],
        decode: |node, p| BearerTokenAuth::decode(node, p).map(Box::new).map(Extension::BearerTokenAuth),
    },
    Kind {
        names: &["headers_setter"],
        about: "puts headers on what is sent",
        signals: &[],
        decode: |node, p| HeadersSetterSettings::decode(node, p).map(Box::new).map(Extension::HeadersSetter),
    },
    Kind {
        names: &["oauth2client"],
        about: "bears tokens that it fetches",
        signals: &[],
        decode: |node, p| Oauth2Settings::decode(node, p).map(Box::new).map(Extension::Oauth2Client),
    },
    Kind {
        names: &["memory_limiter"],
        about: "lowers the byte budget of the process",
        signals: &[],
        decode: |node, p| MemoryLimiter::decode(node, p).map(Extension::MemoryLimiter),
    },
    Kind {
        names: &["pprof"],
        about: "is read and does nothing, for there is no Go program to profile",
        signals: &[],
        decode: |node, p| Pprof::decode(node, p).map(Extension::Pprof),
    },
    Kind {
        names: &["zpages"],
        about: "is read and does nothing, for there is no Go program to look into",
        signals: &[],
        decode: |node, p| Zpages::decode(node, p).map(Box::new).map(Extension::Zpages),
    },
];

/// What is asked of every component's settings.
pub(crate) trait Effective {
    /// All settings with their defaults, in otelcol's form.
    fn effective(&self) -> Node;
}

impl Effective for Receiver {
    fn effective(&self) -> Node {
        match self {
            Receiver::Otlp(settings) => settings.effective(),
        }
    }
}

impl Effective for Processor {
    fn effective(&self) -> Node {
        match self {
            Processor::TailSampling(settings) => settings.effective(),
            Processor::Batch(settings) => settings.effective(),
            Processor::MemoryLimiter(settings) => settings.effective(),
            Processor::Editing(settings) => settings.effective(),
        }
    }
}

impl Effective for Exporter {
    fn effective(&self) -> Node {
        match self {
            Exporter::OtlpGrpc(settings) => settings.effective(),
            Exporter::OtlpHttp(settings) => settings.effective(),
            Exporter::Zipkin(settings) => settings.effective(),
            Exporter::File(settings) => settings.effective(),
            Exporter::Debug(settings) => settings.effective(),
            Exporter::Nop => Node::map_of::<&str>([]),
            Exporter::Terminal(settings) => settings.effective(),
        }
    }
}

impl Effective for Connector {
    fn effective(&self) -> Node {
        match self {
            Connector::Forward => Node::map_of::<&str>([]),
        }
    }
}

impl Effective for Extension {
    fn effective(&self) -> Node {
        match self {
            Extension::HealthCheck(settings) => settings.effective(),
            Extension::FileStorage(settings) => settings.effective(),
            Extension::MemoryLimiter(settings) => settings.effective(),
            Extension::BasicAuth(settings) => settings.effective(),
            Extension::BearerTokenAuth(settings) => settings.effective(),
            Extension::HeadersSetter(settings) => settings.effective(),
            Extension::Oauth2Client(settings) => settings.effective(),
            Extension::Pprof(settings) => settings.effective(),
            Extension::Zpages(settings) => settings.effective(),
        }
    }
}
