//! The settings of `redaction`.

use ottl::Pattern;
use settings::{Decode, Fields, Node, Problems, Secret, Severity};

/// Settings of a `redaction` processor.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct RedactionSettings {
    /// Whether attributes with other keys than `allowed_keys` stay.
    pub allow_all_keys: bool,
    /// Keys of attributes that stay; all others are removed unless `allow_all_keys` is set.
    pub allowed_keys: Vec<String>,
    /// Patterns of keys whose values are masked whole.
    pub blocked_key_patterns: Vec<String>,
    /// What masked text becomes: `md5`, `sha1`, `sha3`, `hmac-sha256` or `hmac-sha512`; not written, it becomes `****`.
    pub hash_function: HashFunction,
    /// The key of the `hmac` functions, at least 32 bytes for SHA-256 and 64 for SHA-512.
    pub hmac_key: Secret,
    /// Keys of attributes that are not looked at.
    pub ignored_keys: Vec<String>,
    /// Patterns of keys of attributes that are not looked at.
    pub ignored_key_patterns: Vec<String>,
    /// Whether values that are no text are looked at as text.
    pub redact_all_types: bool,
    /// Patterns of what is masked in values.
    pub blocked_values: Vec<String>,
    /// Patterns of values that are not masked.
    pub allowed_values: Vec<String>,
    /// Queries of which only the form stays.
    pub db_sanitizer: DbSanitizer,
    /// Which attributes tell what was done: `debug` for counts and keys, `info` for counts, `silent` for none.
    pub summary: String,
    /// Paths of URLs of which only the words stay.
    pub url_sanitizer: UrlSanitizer,
}

/// What masked text becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashFunction {
    /// `****`.
    #[default]
    None,
    /// Its SHA-1.
    Sha1,
    /// Its SHA3-256.
    Sha3,
    /// Its MD5.
    Md5,
    /// Its HMAC with SHA-256.
    HmacSha256,
    /// Its HMAC with SHA-512.
    HmacSha512,
}

/// Paths of URLs of which only the words stay.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct UrlSanitizer {
    /// Whether it is on.
    pub enabled: bool,
    /// Keys of the attributes that are URLs; log bodies are in any case.
    pub attributes: Vec<String>,
    /// Whether names of HTTP spans are, too; not written, they are.
    pub sanitize_span_name: Option<bool>,
}

/// Queries of which only the form stays.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct DbSanitizer {
    /// SQL; not in this version.
    pub sql: Queries,
    /// Commands of Redis.
    pub redis: Queries,
    /// Commands of Valkey.
    pub valkey: Queries,
    /// Commands of Memcached.
    pub memcached: Queries,
    /// Queries of MongoDB.
    pub mongo: Queries,
    /// Queries of OpenSearch.
    pub opensearch: Queries,
    /// Queries of Elasticsearch.
    pub es: Queries,
    /// Whether names of spans are queries, too; not written, they are.
    pub sanitize_span_name: Option<bool>,
}

/// Queries of one kind of database.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct Queries {
    /// Whether they are looked for.
    pub enabled: bool,
    /// Keys of the attributes that are such queries; log bodies are in any case.
    pub attributes: Vec<String>,
}

const FUNCTIONS: [(&str, HashFunction); 6] = [
    ("", HashFunction::None),
    ("sha1", HashFunction::Sha1),
    ("sha3", HashFunction::Sha3),
    ("md5", HashFunction::Md5),
    ("hmac-sha256", HashFunction::HmacSha256),
    ("hmac-sha512", HashFunction::HmacSha512),
];

impl Decode for HashFunction {
    const NULL_IS_ZERO: bool = true;

    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let written = String::decode(node, p)?;
        let function = FUNCTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&written));
        if function.is_none() {
            let help = "it is `md5`, `sha1`, `sha3`, `hmac-sha256` or `hmac-sha512`".to_string();
            p.error(&node.at, format!("unknown hash function `{written}`"), help);
        }
        function.map(|(_, function)| *function)
    }
}

impl HashFunction {
    /// The fewest bytes that its key may have.
    fn key_bytes_min(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha512 => 64,
            _ => 0,
        }
    }

    fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }
}

impl Decode for RedactionSettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let told = p.count(Severity::Error);
        let mut fields = node.map("redaction", p)?;
        fields.describe::<Self>();
        let settings = Self {
            allow_all_keys: fields.take("allow_all_keys", false, p),
            allowed_keys: fields.take("allowed_keys", Vec::new(), p),
            blocked_key_patterns: patterns("blocked_key_patterns", &mut fields, p),
            hash_function: fields.take("hash_function", HashFunction::None, p),
            hmac_key: fields.take("hmac_key", Secret::default(), p),
            ignored_keys: fields.take("ignored_keys", Vec::new(), p),
            ignored_key_patterns: patterns("ignored_key_patterns", &mut fields, p),
            redact_all_types: fields.take("redact_all_types", false, p),
            blocked_values: patterns("blocked_values", &mut fields, p),
            allowed_values: patterns("allowed_values", &mut fields, p),
            db_sanitizer: fields.take("db_sanitizer", DbSanitizer::default(), p),
            summary: fields.take("summary", String::new(), p),
            url_sanitizer: fields.take("url_sanitizer", UrlSanitizer::default(), p),
        };
        fields.finish(p);
        let bytes = settings.hmac_key.expose().len();
        let (name, bytes_min) = (settings.hash_function.name(), settings.hash_function.key_bytes_min());
        if bytes < bytes_min {
            let at = node.lookup("hmac_key").or(node.lookup("hash_function")).map_or(node.at, |node| node.at);
            let message = format!("`{name}` needs an `hmac_key` of at least {bytes_min} bytes, this has {bytes}");
            p.error(&at, message, "keep it in the environment, as in `${env:HMAC_KEY}`".to_string());
        }
        if !matches!(settings.summary.as_str(), "" | "debug" | "info" | "silent") {
            let at = node.lookup("summary").map_or(node.at, |node| node.at);
            let message = format!("unknown `summary` `{}` means `silent`", settings.summary);
            p.warning(&at, message, "it is `debug`, `info` or `silent`".to_string());
        }
        Some(settings).filter(|_| p.count(Severity::Error) == told)
    }
}

/// A list of patterns, each of which compiles.
fn patterns(key: &str, fields: &mut Fields<'_>, p: &mut Problems) -> Vec<String> {
    let texts: Vec<String> = fields.take(key, Vec::new(), p);
    let node = fields.node(key);
    for (index, text) in texts.iter().enumerate() {
        if let Err(error) = Pattern::new(text) {
            let items = node.and_then(|node| node.list(key, &mut Problems::new())).unwrap_or_default();
            let at = items.get(index).or(node).map_or(fields.at(), |node| node.at);
            p.error(&at, format!("invalid pattern `{text}`: {error}; write it in Go's syntax (RE2)"), None);
        }
    }
    texts
}

impl Decode for UrlSanitizer {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("url_sanitizer", p)?;
        fields.describe::<Self>();
        let settings = Self {
            enabled: fields.take("enabled", false, p),
            attributes: fields.take("attributes", Vec::new(), p),
            sanitize_span_name: fields.optional("sanitize_span_name", p),
        };
        let enabled_at = fields.node("enabled").map_or(node.at, |node| node.at);
        fields.finish(p);
        if settings.enabled {
            let message = "URLs cannot be sanitized by this version";
            let help = "replace what varies with `replace_pattern` in `transform`, or mask it with `blocked_values`";
            p.error(&enabled_at, message, help.to_string());
        }
        Some(settings)
    }
}

impl Decode for DbSanitizer {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("db_sanitizer", p)?;
        fields.describe::<Self>();
        let mut queries = |name: &str, p: &mut Problems| fields.take(name, Queries::default(), p);
        let (sql, redis, valkey) = (queries("sql", p), queries("redis", p), queries("valkey", p));
        let (memcached, mongo) = (queries("memcached", p), queries("mongo", p));
        let (opensearch, es) = (queries("opensearch", p), queries("es", p));
        let sanitize_span_name = fields.optional("sanitize_span_name", p);
        let sql_at = fields.node("sql").map_or(node.at, |node| node.lookup("enabled").unwrap_or(node).at);
        fields.finish(p);
        if sql.enabled {
            let message = "queries in SQL cannot be sanitized by this version";
            let help = "mask literals with `blocked_values`, such as `'[^']*'`, or run this processor elsewhere";
            p.error(&sql_at, message, help.to_string());
        }
        Some(Self { sql, redis, valkey, memcached, mongo, opensearch, es, sanitize_span_name })
    }
}

impl Decode for Queries {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("database", p)?;
        fields.describe::<Self>();
        let settings =
            Self { enabled: fields.take("enabled", false, p), attributes: fields.take("attributes", Vec::new(), p) };
        fields.finish(p);
        Some(settings)
    }
}

impl RedactionSettings {
    /// As otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let db = &self.db_sanitizer;
        let queries = |queries: &Queries| {
            Node::map_of([("attributes", Node::list_of(&queries.attributes)), ("enabled", Node::from(queries.enabled))])
        };
        let url = &self.url_sanitizer;
        Node::map_of([
            ("allow_all_keys", Node::from(self.allow_all_keys)),
            ("allowed_keys", Node::list_of(&self.allowed_keys)),
            ("allowed_values", Node::list_of(&self.allowed_values)),
            ("blocked_key_patterns", Node::list_of(&self.blocked_key_patterns)),
            ("blocked_values", Node::list_of(&self.blocked_values)),
            (
                "db_sanitizer",
                Node::map_of([
                    ("es", queries(&db.es)),
                    ("memcached", queries(&db.memcached)),
                    ("mongo", queries(&db.mongo)),
                    ("opensearch", queries(&db.opensearch)),
                    ("redis", queries(&db.redis)),
                    ("sanitize_span_name", Node::or_null(db.sanitize_span_name)),
                    ("sql", queries(&db.sql)),
                    ("valkey", queries(&db.valkey)),
                ]),
            ),
            ("hash_function", self.hash_function.name().into()),
            ("hmac_key", Node::secret(&self.hmac_key)),
            ("ignored_key_patterns", Node::list_of(&self.ignored_key_patterns)),
            ("ignored_keys", Node::list_of(&self.ignored_keys)),
            ("redact_all_types", self.redact_all_types.into()),
            ("summary", Node::from(&self.summary)),
            (
                "url_sanitizer",
                Node::map_of([
                    ("attributes", Node::list_of(&url.attributes)),
                    ("enabled", url.enabled.into()),
                    ("sanitize_span_name", Node::or_null(url.sanitize_span_name)),
                ]),
            ),
        ])
    }
}
