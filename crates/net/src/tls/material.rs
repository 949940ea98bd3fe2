//! `tls:` in YAML: what servers and clients share, and what only clients have.

use std::path::PathBuf;
use std::time::Duration;

use settings::{Decode, Fields, Node, Problems, Secret};

use super::names::{curves_of, suites_of};
use super::{Material, Pem, TlsClient, Version};

impl Material {
    /// Takes the shared settings out of a `tls` map; the caller takes its own and ends the map.
    pub fn decode(fields: &mut Fields<'_>, p: &mut Problems) -> Material {
        fields.describe::<Self>();
        fields.describe_keys(&[
            ("ca_file", "A file of certificates: whom to trust instead of the system's authorities."),
            ("ca_pem", "The same in place."),
            ("cert_file", "A file with the own certificate chain."),
            ("cert_pem", "The same in place."),
            ("key_file", "A file with the own private key."),
            ("key_pem", "The same in place."),
        ]);
        fields.words("min_version", &["", "1.0", "1.1", "1.2", "1.3"]);
        fields.words("max_version", &["", "1.2", "1.3"]);
        reject_tpm(fields, p);
        let min_node = fields.node("min_version");
        let material = Material {
            ca: pem(fields, ["ca_file", "ca_pem"], p),
            certificate: pem(fields, ["cert_file", "cert_pem"], p),
            key: pem(fields, ["key_file", "key_pem"], p),
            include_system_ca_certs_pool: fields.take("include_system_ca_certs_pool", false, p),
            min_version: version(fields, "min_version", Version::Tls10, p),
            max_version: version(fields, "max_version", Version::Tls12, p),
            cipher_suites: suites_of(fields, p),
            curve_preferences: curves_of(fields, p),
            include_insecure_cipher_suites: fields.take("include_insecure_cipher_suites", false, p),
            reload_interval: fields.take("reload_interval", Duration::ZERO, p),
        };
        if let (Some(min), Some(max), Some(node)) = (material.min_version, material.max_version, min_node)
            && min > max
        {
            let message = format!("`min_version` {} is above `max_version` {}", min.name(), max.name());
            p.error(&node.at, message, "exchange them, or remove one".to_owned());
        }
        material
    }

    /// The shared settings that are not at their defaults, as otelcol prints them.
    pub fn effective(&self) -> Vec<(&'static str, Node)> {
        let mut entries = Vec::new();
        for (pem, file, text) in [
            (&self.ca, "ca_file", "ca_pem"),
            (&self.certificate, "cert_file", "cert_pem"),
            (&self.key, "key_file", "key_pem"),
        ] {
            match pem {
                None => {}
                Some(Pem::File(path)) => entries.push((file, path.display().to_string().into())),
                Some(Pem::Text(pem)) => entries.push((text, Node::secret(&Secret::new(pem)))),
            }
        }
        for (key, version) in [("min_version", self.min_version), ("max_version", self.max_version)] {
            entries.extend(version.map(|version| (key, version.name().into())));
        }
        for (key, list) in [("cipher_suites", &self.cipher_suites), ("curve_preferences", &self.curve_preferences)] {
            if !list.is_empty() {
                entries.push((key, Node::list_of(list)));
            }
        }
        for (key, flag) in [
            ("include_insecure_cipher_suites", self.include_insecure_cipher_suites),
            ("include_system_ca_certs_pool", self.include_system_ca_certs_pool),
        ] {
            if flag {
                entries.push((key, true.into()));
            }
        }
        if !self.reload_interval.is_zero() {
            entries.push(("reload_interval", self.reload_interval.into()));
        }
        entries
    }
}

impl Decode for TlsClient {
    fn decode(node: &Node, p: &mut Problems) -> Option<TlsClient> {
        let mut fields = node.map("tls", p)?;
        fields.describe::<Self>();
        let tls = TlsClient {
            material: Material::decode(&mut fields, p),
            insecure: fields.take("insecure", false, p),
            insecure_skip_verify: fields.take("insecure_skip_verify", false, p),
            server_name_override: fields.take("server_name_override", String::new(), p),
        };
        fields.finish(p);
        if tls.material.certificate.is_some() != tls.material.key.is_some() {
            let message = "`tls` has one of a certificate and its key";
            p.error(&node.at, message, "write both `cert_file` and `key_file`, or neither".to_owned());
        }
        Some(tls)
    }
}

impl TlsClient {
    /// The settings that are not at their defaults, as otelcol prints them; `None` where all are.
    pub fn effective(&self) -> Option<Node> {
        let mut entries = self.material.effective();
        for (key, flag) in [("insecure", self.insecure), ("insecure_skip_verify", self.insecure_skip_verify)] {
            if flag {
                entries.push((key, true.into()));
            }
        }
        if !self.server_name_override.is_empty() {
            entries.push(("server_name_override", self.server_name_override.as_str().into()));
        }
        (!entries.is_empty()).then(|| Node::map_of(entries))
    }
}

/// A file or a text, not both; empty ones are none, as in otelcol.
fn pem(fields: &mut Fields<'_>, [file_key, text_key]: [&str; 2], p: &mut Problems) -> Option<Pem> {
    let file = fields.optional::<String>(file_key, p).filter(|path| !path.is_empty());
    let text = fields.optional::<Secret>(text_key, p).filter(|text| !text.is_empty());
    match (file, text) {
        (Some(_), Some(_)) => {
            let help = "remove one of them".to_owned();
            p.error(&fields.at(), format!("`tls` has both `{file_key}` and `{text_key}`"), help);
            None
        }
        (Some(file), None) => Some(Pem::File(PathBuf::from(file))),
        (None, text) => text.map(|text| Pem::Text(text.expose().to_owned())),
    }
}

/// A version, not below `least`.
fn version(fields: &mut Fields<'_>, key: &str, least: Version, p: &mut Problems) -> Option<Version> {
    let node = fields.node(key).filter(|node| !node.is_absent())?;
    let text = p.within(key, |p| node.text(p))?;
    let all = [Version::Tls10, Version::Tls11, Version::Tls12, Version::Tls13];
    let known = all.into_iter().find(|version| version.name() == text).filter(|version| *version >= least);
    if known.is_none() && !text.is_empty() {
        let message = format!("`{key}` must be a TLS version that is still safe, found `{text}`");
        p.error(&node.at, message, "write \"1.2\" or \"1.3\"".to_owned());
    }
    known
}

fn reject_tpm(fields: &mut Fields<'_>, p: &mut Problems) {
    fields.ignore(&["tpm"]);
    let Some(node) = fields.node("tpm") else { return };
    if node.lookup("enabled").is_some_and(|enabled| enabled.value == settings::Value::Bool(true)) {
        p.error(&node.at, "keys in a TPM are not supported", "remove `tpm`, and write `key_file`".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use settings::{Mode, Sources};

    use super::*;

    /// What a block becomes when printed, or its problems.
    fn check(yaml: &str) -> String {
        let uri = format!("yaml:{yaml}");
        let (node, sources, mut problems): (Option<Node>, Sources, Problems) = settings::load(&[uri], &[], &|_| None);
        let tls = node.and_then(|node| TlsClient::decode(&node, &mut problems));
        match tls {
            Some(tls) if problems.is_empty() => {
                tls.effective().map_or(String::new(), |node| node.to_yaml(Mode::Redacted))
            }
            _ => problems.render(&sources),
        }
    }

    #[test]
    fn what_is_written_is_printed() {
        for yaml in [
            "insecure: true\n",
            "ca_file: /etc/ca.pem\ninsecure_skip_verify: true\nmax_version: \"1.3\"\nmin_version: \"1.2\"\nserver_name_override: collector\n",
            "cert_file: c.pem\nkey_file: k.pem\nreload_interval: 1h0m0s\n",
        ] {
            assert_eq!(check(yaml), yaml);
        }
        assert_eq!(check("insecure: false\nca_file: ''\ntpm: {enabled: false}\n"), "");
        assert_eq!(check("min_version: \"1.0\"\n"), "min_version: \"1.0\"\n");
        let suites = "cipher_suites:\n    - TLS_AES_128_GCM_SHA256\n    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n";
        assert_eq!(check(suites), suites);
        assert_eq!(check("key_pem: secret\ncert_pem: c\n"), "cert_pem: '[REDACTED]'\nkey_pem: '[REDACTED]'\n");
    }

    #[test]
    fn mistakes_are_told_with_the_way_out() {
        for (yaml, expected) in [
            ("insecur: true", "unknown setting `insecur` in `tls`, did you mean `insecure`?"),
            ("ca_file: a\nca_pem: b", "`tls` has both `ca_file` and `ca_pem`"),
            ("cert_file: a", "`tls` has one of a certificate and its key"),
            ("max_version: \"1.1\"", "`max_version` must be a TLS version that is still safe, found `1.1`"),
            ("min_version: \"2\"", "`min_version` must be a TLS version that is still safe, found `2`"),
            ("min_version: \"1.3\"\nmax_version: \"1.2\"", "`min_version` 1.3 is above `max_version` 1.2"),
            ("cipher_suites: [TLS_AES_128_GCM_SHA25]", "did you mean `TLS_AES_128_GCM_SHA256`?"),
            (
                "cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA]",
                "the cipher suite `TLS_RSA_WITH_AES_128_CBC_SHA` is not supported and left out",
            ),
            ("cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]", "is not supported, and no other in the list is"),
            ("curve_preferences: [P512]", "unknown curve `P512`"),
            ("curve_preferences: [P521, P256]", "the curve `P521` is not supported and left out"),
            ("tpm: {enabled: true}", "keys in a TPM are not supported"),
        ] {
            let found = check(yaml);
            assert!(found.contains(expected), "{yaml}: {found}");
        }
    }
}
