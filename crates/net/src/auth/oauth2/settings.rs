//! Settings of `oauth2client`: their meaning, defaults, YAML.

use std::collections::BTreeMap;
use std::time::Duration;

use settings::{Node, Problems, Secret};

use crate::exporter::{parse_url, refuse_unsupported};
use crate::tls::TlsClient;

/// Settings of an `oauth2client` extension.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct Oauth2Settings {
    /// Who we are to the token endpoint.
    pub client_id: String,
    /// A file with the ID, read for each token; it wins over `client_id`.
    pub client_id_file: String,
    /// The secret that proves it.
    pub client_secret: Secret,
    /// A file with the secret, read for each token; it wins over `client_secret`.
    pub client_secret_file: String,
    /// How tokens are asked for: `client_credentials`, which empty means too.
    pub grant_type: String,
    /// Further parameters of a request for a token.
    pub endpoint_params: BTreeMap<String, Vec<String>>,
    /// Where tokens are fetched.
    pub token_url: String,
    /// The permissions to ask for.
    pub scopes: Vec<String>,
    /// TLS to the token endpoint.
    pub tls: TlsClient,
    /// Time for a fetch; zero is half a minute.
    pub timeout: Duration,
    /// How long before its end a token is replaced.
    pub expiry_buffer: Duration,
}

impl Default for Oauth2Settings {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            client_id_file: String::new(),
            client_secret: Secret::default(),
            client_secret_file: String::new(),
            grant_type: String::new(),
            endpoint_params: BTreeMap::new(),
            token_url: String::new(),
            scopes: Vec::new(),
            tls: TlsClient::default(),
            timeout: Duration::ZERO,
            expiry_buffer: Duration::from_secs(300),
        }
    }
}

impl Oauth2Settings {
    /// Reads the settings of an extension.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("oauth2client", p)?;
        fields.describe::<Self>();
        fields.words("grant_type", &["", "client_credentials"]);
        let defaults = Self::default();
        let url_at = fields.node("token_url").map(|node| node.at);
        let grant_at = fields.node("grant_type").map(|node| node.at);
        let params_at = fields.node("endpoint_params").map(|node| node.at);
        let settings = Self {
            client_id: fields.take("client_id", defaults.client_id, p),
            client_id_file: fields.take("client_id_file", defaults.client_id_file, p),
            client_secret: fields.take("client_secret", defaults.client_secret, p),
            client_secret_file: fields.take("client_secret_file", defaults.client_secret_file, p),
            grant_type: fields.take("grant_type", defaults.grant_type, p),
            endpoint_params: fields.take("endpoint_params", defaults.endpoint_params, p),
            token_url: fields.take("token_url", defaults.token_url, p),
            scopes: fields.take("scopes", defaults.scopes, p),
            tls: fields.take("tls", defaults.tls, p),
            timeout: fields.take("timeout", defaults.timeout, p),
            expiry_buffer: fields.take("expiry_buffer", defaults.expiry_buffer, p),
        };
        if matches!(settings.grant_type.as_str(), "" | "client_credentials") {
            let keys = ["client_certificate_key_id", "client_certificate_key", "client_certificate_key_file"];
            refuse_unsupported(&mut fields, &keys, p);
            refuse_unsupported(&mut fields, &["signature_algorithm", "iss", "audience", "claims"], p);
        } else if let Some(at) = grant_at {
            let message = format!("the grant type `{}` is not supported", settings.grant_type);
            p.error(&at, message, "write `client_credentials`".to_owned());
            // The settings of the other grant would only repeat the message.
            fields.rest();
            return None;
        }
        let at = fields.at();
        fields.finish(p);
        for (missing, message) in [
            (settings.client_id.is_empty() && settings.client_id_file.is_empty(), "`client_id` or `client_id_file`"),
            (
                settings.client_secret.is_empty() && settings.client_secret_file.is_empty(),
                "`client_secret` or `client_secret_file`",
            ),
            (settings.token_url.is_empty(), "`token_url`"),
        ] {
            if missing {
                p.error(
                    &at,
                    format!("`oauth2client` needs the setting {message}"),
                    "add it under the extension".to_owned(),
                );
            }
        }
        if let (Some(at), false, Err(error)) = (url_at, settings.token_url.is_empty(), parse_url(&settings.token_url)) {
            p.error(&at, error, None);
        }
        for key in ["scope", "client_id", "client_secret"] {
            if let (Some(at), true) = (params_at, settings.endpoint_params.contains_key(key)) {
                p.error(
                    &at,
                    format!("`endpoint_params` cannot replace `{key}`"),
                    "remove it there, and write the setting of this name".to_owned(),
                );
            }
        }
        Some(settings)
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let params = self.endpoint_params.iter().map(|(key, values)| (key.as_str(), Node::list_of(values)));
        let mut entries: Vec<(&str, Node)> = vec![
            ("client_certificate_key", "".into()),
            ("client_certificate_key_file", "".into()),
            ("client_certificate_key_id", "".into()),
            ("client_id", self.client_id.as_str().into()),
            ("client_id_file", self.client_id_file.as_str().into()),
            (
                "client_secret",
                if self.client_secret.is_empty() { "".into() } else { Node::secret(&self.client_secret) },
            ),
            ("client_secret_file", self.client_secret_file.as_str().into()),
            ("endpoint_params", Node::map_of(params)),
            ("expiry_buffer", self.expiry_buffer.into()),
            ("grant_type", self.grant_type.as_str().into()),
            ("token_url", self.token_url.as_str().into()),
        ];
        if !self.scopes.is_empty() {
            entries.push(("scopes", Node::list_of(&self.scopes)));
        }
        if !self.timeout.is_zero() {
            entries.push(("timeout", self.timeout.into()));
        }
        entries.extend(self.tls.effective().map(|tls| ("tls", tls)));
        Node::map_of(entries)
    }
}
