//! Go's names of cipher suites and curves, and which of them rustls has.
//!
//! What Go has and rustls has not (no forward secrecy, CBC, P521, the post-quantum exchange) is left out with a warning where
//! something else in the list remains, since published configurations list everything their author knew. What nobody has is
//! an error.

use rustls::{CipherSuite, NamedGroup};
use settings::{Fields, Problems, suggest};

/// Those of TLS 1.3 have other names in rustls.
const SUITES: [(&str, CipherSuite); 9] = [
    ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

const SUITES_OF_GO: [&str; 19] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_FALLBACK_SCSV",
];

const CURVES: [(&str, NamedGroup); 3] =
    [("X25519", NamedGroup::X25519), ("P256", NamedGroup::secp256r1), ("P384", NamedGroup::secp384r1)];

const CURVES_OF_GO: [&str; 2] = ["P521", "X25519MLKEM768"];

/// The suite of this name, if rustls has it.
pub(super) fn suite(name: &str) -> Option<CipherSuite> {
    SUITES.iter().find(|(known, _)| *known == name).map(|(_, suite)| *suite)
}

/// The curve of this name, if rustls has it.
pub(super) fn curve(name: &str) -> Option<NamedGroup> {
    CURVES.iter().find(|(known, _)| *known == name).map(|(_, curve)| *curve)
}

/// Takes `cipher_suites` as written and tells of those that there are not.
pub(super) fn suites_of(fields: &mut Fields<'_>, p: &mut Problems) -> Vec<String> {
    listed(fields, "cipher_suites", "cipher suite", &SUITES.map(|(name, _)| name), &SUITES_OF_GO, p)
}

/// Takes `curve_preferences` as written and tells of those that there are not.
pub(super) fn curves_of(fields: &mut Fields<'_>, p: &mut Problems) -> Vec<String> {
    listed(fields, "curve_preferences", "curve", &CURVES.map(|(name, _)| name), &CURVES_OF_GO, p)
}

fn listed(
    fields: &mut Fields<'_>,
    key: &str,
    what: &str,
    known: &[&'static str],
    of_go: &[&str],
    p: &mut Problems,
) -> Vec<String> {
    let names: Vec<String> = fields.take(key, Vec::new(), p);
    let Some(node) = fields.node(key).filter(|_| !names.is_empty()) else { return names };
    let remains = names.iter().any(|name| known.contains(&name.as_str()));
    let help = format!("there are {}", settings::quoted(known.iter().copied()));
    for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
        if !of_go.contains(&name.as_str()) {
            let meant = suggest(name, known.iter().copied());
            let meant = meant.map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default();
            p.error(&node.at, format!("unknown {what} `{name}`{meant}"), help.clone());
        } else if remains {
            p.warning(
                &node.at,
                format!("the {what} `{name}` is not supported and left out"),
                "remove it to silence this".to_owned(),
            );
        } else {
            p.error(
                &node.at,
                format!("the {what} `{name}` is not supported, and no other in the list is"),
                help.clone(),
            );
        }
    }
    names
}
