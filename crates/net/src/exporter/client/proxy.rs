//! Proxies: `proxy_url`, or what the environment names, by Go's rules (golang.org/x/net/http/httpproxy).
//!
//! `HTTPS_PROXY` is for https, `HTTP_PROXY` for http, in capitals or not; `NO_PROXY` lists hosts, domains, addresses and
//! networks that are reached directly. Loopback never goes through a proxy of the environment.

use std::net::IpAddr;

use http::{HeaderValue, Uri};

/// A proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// `http://host:port`.
    pub(super) uri: Uri,
    /// Credentials, as a header wants them.
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads `http://[user:password@]host[:port]`.
    ///
    /// # Errors
    /// What is wrong with it, without the credentials.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = text.parse().map_err(|_| "this is not the URL of a proxy".to_owned())?;
        if uri.scheme_str() != Some("http") {
            let scheme = uri.scheme_str().unwrap_or_default();
            return Err(format!("a proxy is spoken to by `http://` only, not by `{scheme}://`"));
        }
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority.as_str()),
        };
        let host = if uri.port_u16().is_some() { host.to_owned() } else { format!("{host}:80") };
        let at = Uri::builder().scheme("http").authority(host).path_and_query("/").build();
        let authorization = match credentials {
            None => None,
            Some(credentials) => {
                let credentials = percent_decoded(credentials);
                let mut value = b"Basic ".to_vec();
                otlp::json::base64::encode(&mut value, &credentials);
                let mut value = HeaderValue::from_bytes(&value).map_err(|error| error.to_string())?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { uri: at.map_err(|_| "the URL of the proxy names no host".to_owned())?, authorization })
    }

    /// The proxy that `variable` names for `uri`, if any.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of_environment(uri: &Uri, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let either = |name: &str| {
            let found = variable(name).filter(|value| !value.is_empty());
            found.or_else(|| variable(&name.to_ascii_lowercase()).filter(|value| !value.is_empty()))
        };
        let https = uri.scheme_str() == Some("https");
        let Some(url) = either(if https { "HTTPS_PROXY" } else { "HTTP_PROXY" }) else { return Ok(None) };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        if reached_directly(&host, port, &either("NO_PROXY").unwrap_or_default()) {
            return Ok(None);
        }
        Self::parse(&url).map(Some)
    }
}

/// Whether a host is loopback or in the list of `NO_PROXY`.
fn reached_directly(host: &str, port: u16, list: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    list.split(',').map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let (Some(address), Some((network, bits))) = (address, entry.split_once('/')) {
            return network
                .parse()
                .is_ok_and(|network| bits.parse().is_ok_and(|bits| contains(network, bits, address)));
        }
        let (name, wanted_port) = match entry.rsplit_once(':') {
            Some((name, digits)) if !name.contains(':') => (name, digits.parse::<u16>().ok()),
            _ => (entry.as_str(), None),
        };
        if wanted_port.is_some_and(|wanted| wanted != port) {
            return false;
        }
        if address.is_some() {
            return name.parse::<IpAddr>().ok() == address;
        }
        match name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
            // `.example.com` is its subdomains alone.
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

fn contains(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

/// `%41` and the like as bytes; what is no such thing stays.
fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_proxies_by_gos_rules() {
        let found = |uri: &str, no_proxy: &str| {
            let no_proxy = no_proxy.to_owned();
            let variable = move |name: &str| match name {
                "HTTPS_PROXY" => Some("http://secure:3128".to_owned()),
                "http_proxy" => Some("plain".to_owned()),
                "NO_PROXY" => Some(no_proxy.clone()),
                _ => None,
            };
            let proxy = Proxy::of_environment(&uri.parse().unwrap(), &variable).unwrap();
            proxy.map_or(String::new(), |proxy| proxy.uri.authority().unwrap().to_string())
        };
        assert_eq!(found("https://a.b.c", ""), "secure:3128");
        assert_eq!(found("http://a.b.c:4318", ""), "plain:80");
        for direct in ["localhost:4318", "127.0.0.1", "[::1]:4318"] {
            assert_eq!(found(&format!("http://{direct}"), ""), "");
        }
        for (no_proxy, direct) in [
            ("*", true),
            ("b.c", true),
            (".b.c", true),
            ("*.b.c", true),
            ("a.b.c", true),
            (".a.b.c", false),
            ("x, A.B.C:443", true),
            ("a.b.c:80", false),
            ("xb.c", false),
            ("10.0.0.0/8", false),
        ] {
            assert_eq!(found("https://a.b.c", no_proxy).is_empty(), direct, "{no_proxy}");
        }
        for (no_proxy, direct) in
            [("10.0.0.0/8", true), ("10.1.2.3", true), ("10.1.2.3:1", false), ("11.0.0.0/8", false)]
        {
            assert_eq!(found("https://10.1.2.3", no_proxy).is_empty(), direct, "{no_proxy}");
        }
    }

    #[test]
    fn credentials_are_sent_and_never_shown() {
        let proxy = Proxy::parse("http://me:p%40ss@proxy:8080").unwrap();
        assert_eq!(proxy.authorization.as_ref().unwrap(), "Basic bWU6cEBzcw==");
        assert!(!format!("{proxy:?}").contains("bWU6"));
        assert_eq!(
            Proxy::parse("socks5://p:1").unwrap_err(),
            "a proxy is spoken to by `http://` only, not by `socks5://`"
        );
        assert!(Proxy::parse("http://").is_err());
    }
}
