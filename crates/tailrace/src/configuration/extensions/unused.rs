//! `pprof` and `zpages`: extensions that look into a Go program, so there is nothing for them to look into here. Their
//! settings are read, checked and printed; if they are to run, one warning says that they do nothing.

use std::time::Duration;

use settings::{Decode, Node, Problems};

use super::server::Server;

/// Settings of otelcol's `pprof` extension.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Pprof {
    /// The host and port to listen on.
    endpoint: String,
    /// Connects to something before listening, if it is set.
    dialer: Option<Node>,
    /// Which share of blocking events is recorded.
    block_profile_fraction: i64,
    /// Which share of lock contentions is recorded.
    mutex_profile_fraction: i64,
    /// The file that a profile of the whole run is written to.
    save_to_file: String,
}

/// Settings of otelcol's `zpages` extension.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Zpages {
    /// Where it listens.
    server: Server,
    /// Whether Go's variables are shown.
    expvar_enabled: bool,
}

impl Decode for Pprof {
    fn decode(node: &Node, p: &mut Problems) -> Option<Pprof> {
        let mut fields = node.map("pprof", p)?;
        fields.describe::<Self>();
        let pprof = Pprof {
            endpoint: fields.take("endpoint", "localhost:1777".to_string(), p),
            dialer: fields.optional::<Node>("dialer", p).map(|node| node.bare()),
            block_profile_fraction: fields.take("block_profile_fraction", 0, p),
            mutex_profile_fraction: fields.take("mutex_profile_fraction", 0, p),
            save_to_file: fields.take("save_to_file", String::new(), p),
        };
        fields.finish(p);
        Some(pprof)
    }
}

impl Decode for Zpages {
    fn decode(node: &Node, p: &mut Problems) -> Option<Zpages> {
        let default = Server {
            read_header_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            keep_alives_enabled: true,
            ..Server::new("localhost:55679")
        };
        let mut fields = node.map("zpages", p)?;
        fields.describe::<Self>();
        let server = Server::take(&mut fields, default, p);
        fields.describe_keys(&[("expvar", "Go's variables, of which there are none here.")]);
        let expvar = fields.node("expvar").filter(|node| !node.is_absent());
        let expvar_enabled = expvar.and_then(|node| node.map("expvar", p)).map(|mut fields| {
            fields.describe_keys(&[("enabled", "Whether they are shown; without effect.")]);
            let enabled = fields.take("enabled", false, p);
            fields.finish(p);
            enabled
        });
        fields.finish(p);
        Some(Zpages { server, expvar_enabled: expvar_enabled.unwrap_or(false) })
    }
}

impl Pprof {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let always = [
            ("block_profile_fraction", Node::from(self.block_profile_fraction)),
            ("endpoint", Node::from(&self.endpoint)),
            ("mutex_profile_fraction", self.mutex_profile_fraction.into()),
            ("save_to_file", Node::from(&self.save_to_file)),
        ];
        Node::map_of(always.into_iter().chain(self.dialer.clone().map(|dialer| ("dialer", dialer))))
    }
}

impl Zpages {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let expvar = ("expvar", Node::map_of([("enabled", Node::from(self.expvar_enabled))]));
        Node::map_of(self.server.effective().into_iter().chain([expvar]))
    }
}
