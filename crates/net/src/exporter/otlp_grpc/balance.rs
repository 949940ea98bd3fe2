//! `balancer_name`: which of the addresses behind a name an attempt goes to.
//!
//! `pick_first` connects to the first that answers and stays there. `round_robin` asks the name's addresses one after the
//! other, with a connection to each; behind a headless service of Kubernetes these are its pods. Names are looked up again
//! every [`LOOKUP_INTERVAL`], so that new pods get their share (grpc-go looks only when a connection breaks). An address
//! that refused is left out for [`RESTING_TIME`], unless all have.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{Request, Uri};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::exporter::client::{Answer, Buffers, Client, ClientSettings, Failure, Target};

/// Sends requests to one address after the other.
pub(super) enum Balancer {
    /// All go one way.
    One(Box<Client>),
    /// In turn.
    Turns(Box<Turns>),
}

pub(super) struct Turns {
    /// `host:port`, to be looked up.
    name: String,
    settings: ClientSettings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ways: Vec<Way>,
    looked_up_at: Option<Instant>,
    next: usize,
}

struct Way {
    address: SocketAddr,
    client: Client,
    refused_at: Option<Instant>,
}

/// How old addresses may become.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(30);

/// How long an address that refused a connection is left out.
const RESTING_TIME: Duration = Duration::from_secs(5);

/// More addresses of a name are not used.
const ADDRESSES_MAX: usize = 64;

impl Balancer {
    /// Without turns where there is nothing to look up.
    pub(super) fn new(settings: ClientSettings, in_turn: bool) -> Self {
        match &settings.target {
            Target::Fixed(uri) if in_turn && settings.proxy.is_none() && is_name(uri) => {
                let name = uri.authority().map(ToString::to_string).unwrap_or_default();
                Self::Turns(Box::new(Turns { name, settings, state: Mutex::default() }))
            }
            _ => Self::One(Box::new(Client::new(settings))),
        }
    }

    /// As [`Client::send`]; a connection that is refused is followed by the next address's.
    pub(super) async fn send(
        &self,
        request: impl Fn() -> Request<Buffers>,
        timeout: Duration,
        answer_bytes_max: usize,
    ) -> Result<Answer, Failure> {
        match self {
            Self::One(client) => client.send(request(), timeout, answer_bytes_max).await,
            Self::Turns(turns) => turns.send(request, timeout, answer_bytes_max).await,
        }
    }
}

fn is_name(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host.parse::<IpAddr>().is_err()
}

impl Turns {
    async fn send(
        &self,
        request: impl Fn() -> Request<Buffers>,
        timeout: Duration,
        answer_bytes_max: usize,
    ) -> Result<Answer, Failure> {
        self.look_up().await;
        let mut failure = Failure::Connect(format!("`{}` has no address", self.name));
        let ways = self.state.lock().ways.len();
        for _ in 0..ways {
            let Some((address, client)) = self.turn(Instant::now()) else { break };
            match client.send(request(), timeout, answer_bytes_max).await {
                Err(refused @ Failure::Connect(_)) => {
                    self.refused(address);
                    failure = refused;
                }
                ended => return ended,
            }
        }
        Err(failure)
    }

    /// Looks the name up where that was too long ago. Without an answer the addresses stay as they are.
    async fn look_up(&self) {
        let is_fresh = |at: Instant| at.elapsed() < LOOKUP_INTERVAL;
        {
            let mut state = self.state.lock();
            if state.looked_up_at.is_some_and(is_fresh) && !state.ways.is_empty() {
                return;
            }
            state.looked_up_at = Some(Instant::now());
        }
        match tokio::net::lookup_host(&self.name).await {
            Ok(found) => self.state.lock().keep(found.take(ADDRESSES_MAX).collect(), &self.settings),
            Err(error) => tracing::debug!("cannot look up `{}`: {error}", self.name),
        }
    }

    /// The address whose turn it is.
    fn turn(&self, now: Instant) -> Option<(SocketAddr, Client)> {
        let mut state = self.state.lock();
        let count = state.ways.len();
        let next = state.next;
        let rests = |way: &Way| way.refused_at.is_some_and(|at| now.duration_since(at) < RESTING_TIME);
        let order = || (0..count).map(|step| (next + step) % count);
        let awake = order().find(|index| state.ways.get(*index).is_some_and(|way| !rests(way)));
        let index = awake.or_else(|| order().next())?;
        state.next = (index + 1) % count;
        state.ways.get(index).map(|way| (way.address, way.client.clone()))
    }

    fn refused(&self, address: SocketAddr) {
        let mut state = self.state.lock();
        if let Some(way) = state.ways.iter_mut().find(|way| way.address == address) {
            way.refused_at = Some(Instant::now());
        }
    }
}

impl State {
    /// Keeps the connections to addresses that are still there.
    fn keep(&mut self, found: Vec<SocketAddr>, settings: &ClientSettings) {
        if found.is_empty() {
            return;
        }
        self.ways.retain(|way| found.contains(&way.address));
        for address in found {
            let is_new = self.ways.iter().all(|way| way.address != address);
            if is_new
                && let Ok(uri) =
                    Uri::builder().scheme("http").authority(address.to_string()).path_and_query("/").build()
            {
                let client = Client::new(ClientSettings { target: Target::Fixed(uri), ..settings.clone() });
                self.ways.push(Way { address, client, refused_at: None });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporter::client::Versions;

    fn turns(addresses: &[&str]) -> Turns {
        let settings = ClientSettings {
            versions: Versions::Http2,
            target: Target::Authority,
            proxy: None,
            tls: None,
            server_name: None,
            connect_timeout: Duration::from_secs(1),
            idle_timeout: None,
            idle_connections_max: 1,
            ping: None,
        };
        let turns = Turns { name: "pods:4317".to_owned(), settings, state: Mutex::default() };
        let found = addresses.iter().map(|address| address.parse().unwrap()).collect();
        turns.state.lock().keep(found, &turns.settings);
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_take_turns_and_those_that_refuse_rest() {
        let turns = turns(&["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]);
        let next = |count: usize| -> String {
            let taken = (0..count).filter_map(|_| turns.turn(Instant::now()));
            taken.map(|(address, _)| address.to_string().chars().nth(7).unwrap()).collect()
        };
        assert_eq!(next(7), "1231231");
        turns.refused("10.0.0.2:1".parse().unwrap());
        assert_eq!(next(4), "3131");
        tokio::time::advance(RESTING_TIME).await;
        assert_eq!(next(3), "231");
        for last in 1..=3 {
            turns.refused(format!("10.0.0.{last}:1").parse().unwrap());
        }
        assert_eq!(next(3), "231", "where all have refused, all are asked");
        turns.state.lock().keep(vec!["10.0.0.3:1".parse().unwrap(), "10.0.0.4:1".parse().unwrap()], &turns.settings);
        assert_eq!(next(2), "44", "a new one is asked while the other rests");
    }

    #[test]
    fn only_names_are_looked_up() {
        for (uri, expected) in
            [("http://pods:4317", true), ("http://10.0.0.1:4317", false), ("http://[::1]:4317", false)]
        {
            assert_eq!(is_name(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
