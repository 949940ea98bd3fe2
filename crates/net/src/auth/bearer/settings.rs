//! Settings of `bearertokenauth`.

use std::path::PathBuf;
use std::time::Duration;

use settings::{Decode, Node, Problems, Secret};

/// A token as it is written.
pub(super) type Token = Secret;

/// Settings of the `bearertokenauth` extension.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct BearerTokenAuth {
    /// The header that bears the token.
    pub header: String,
    /// What stands in front of the token, with a space between; empty is nothing.
    pub scheme: String,
    /// The token.
    pub token: Secret,
    /// Several tokens: a server takes each of them, a client brings the first.
    pub tokens: Vec<Secret>,
    /// A file of tokens, one a line, used instead of `token` and read again when it changes; empty is none.
    pub filename: PathBuf,
    /// How to wait for a file that is not there yet.
    pub retry_on_failure: RetryOnFailure,
    /// Whether the start waits for the file.
    pub wait_for_token_file: bool,
}

/// `retry_on_failure`: how to wait for a file that is not there yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, settings::Documented)]
pub struct RetryOnFailure {
    /// Whether to wait at all.
    pub enabled: bool,
    /// How often to look again; zero is for ever.
    pub max_retries: u64,
    /// How long to wait between two looks.
    pub interval: Duration,
}

impl Default for BearerTokenAuth {
    fn default() -> BearerTokenAuth {
        BearerTokenAuth {
            header: "Authorization".to_owned(),
            scheme: "Bearer".to_owned(),
            token: Secret::default(),
            tokens: Vec::new(),
            filename: PathBuf::new(),
            retry_on_failure: RetryOnFailure::default(),
            wait_for_token_file: false,
        }
    }
}

impl Decode for BearerTokenAuth {
    fn decode(node: &Node, p: &mut Problems) -> Option<BearerTokenAuth> {
        let mut fields = node.map("bearertokenauth", p)?;
        fields.describe::<Self>();
        let defaults = BearerTokenAuth::default();
        let auth = BearerTokenAuth {
            header: fields.take("header", defaults.header, p),
            scheme: fields.take("scheme", defaults.scheme, p),
            token: fields.take("token", Secret::default(), p),
            tokens: fields.take("tokens", Vec::new(), p),
            filename: fields.take("filename", String::new(), p).into(),
            retry_on_failure: fields.take("retry_on_failure", RetryOnFailure::default(), p),
            wait_for_token_file: fields.take("wait_for_token_file", false, p),
        };
        fields.finish(p);
        auth.check(node, p);
        Some(auth)
    }
}

impl BearerTokenAuth {
    fn check(&self, node: &Node, p: &mut Problems) {
        let file = !self.filename.as_os_str().is_empty();
        let mut wrong = |message: &str, help: &str| p.error(&node.at, message, help.to_owned());
        if self.token.is_empty() && self.tokens.is_empty() && !file {
            wrong("`bearertokenauth` has no token", "write one of `token`, `tokens` and `filename`");
        }
        if !self.token.is_empty() && !self.tokens.is_empty() {
            wrong("`bearertokenauth` has both `token` and `tokens`", "remove one of them");
        }
        if self.retry_on_failure.enabled && !file {
            wrong("`retry_on_failure` is about a file, and there is none", "write `filename: PATH`, or remove it");
        }
        if self.retry_on_failure.enabled && self.retry_on_failure.interval.is_zero() {
            wrong("`retry_on_failure` needs an `interval` above zero", "write `interval: 1s`");
        }
        if self.wait_for_token_file && (!file || !self.retry_on_failure.enabled) {
            let help = "write `filename` and `retry_on_failure: {enabled: true, interval: 1s}`";
            wrong("`wait_for_token_file` needs a file and how to wait for it", help);
        }
        let unused = if !self.tokens.is_empty() { "filename" } else { "token" };
        if file && !(self.token.is_empty() && self.tokens.is_empty()) {
            p.warning(
                &node.at,
                format!("`{unused}` is not used, since another source of tokens is set"),
                "remove it".to_owned(),
            );
        }
    }

    /// All settings, as otelcol prints them.
    pub fn effective(&self) -> Node {
        let mut entries = Vec::new();
        for (key, text) in [("header", &self.header), ("scheme", &self.scheme)] {
            if !text.is_empty() {
                entries.push((key, text.as_str().into()));
            }
        }
        if !self.token.is_empty() {
            entries.push(("token", Node::secret(&self.token)));
        }
        if !self.tokens.is_empty() {
            entries.push(("tokens", Node::list_of(self.tokens.iter().map(Node::secret))));
        }
        if !self.filename.as_os_str().is_empty() {
            entries.push(("filename", self.filename.display().to_string().into()));
        }
        if self.retry_on_failure != RetryOnFailure::default() {
            entries.push(("retry_on_failure", self.retry_on_failure.effective()));
        }
        if self.wait_for_token_file {
            entries.push(("wait_for_token_file", true.into()));
        }
        Node::map_of(entries)
    }
}

impl Decode for RetryOnFailure {
    fn decode(node: &Node, p: &mut Problems) -> Option<RetryOnFailure> {
        let mut fields = node.map("retry_on_failure", p)?;
        fields.describe::<Self>();
        let retry = RetryOnFailure {
            enabled: fields.take("enabled", false, p),
            max_retries: fields.take("max_retries", 0, p),
            interval: fields.take("interval", Duration::ZERO, p),
        };
        fields.finish(p);
        Some(retry)
    }
}

impl RetryOnFailure {
    fn effective(&self) -> Node {
        let mut entries: Vec<(&str, Node)> = Vec::new();
        if self.enabled {
            entries.push(("enabled", true.into()));
        }
        if self.max_retries > 0 {
            entries.push(("max_retries", self.max_retries.into()));
        }
        if !self.interval.is_zero() {
            entries.push(("interval", self.interval.into()));
        }
        Node::map_of(entries)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use settings::Mode;

    use super::*;

    /// The settings in `yaml`, or its problems.
    pub(in crate::auth::bearer) fn read(yaml: &str) -> Result<BearerTokenAuth, String> {
        let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
        let read = BearerTokenAuth::decode(&node.unwrap_or_else(Node::null), &mut problems);
        read.filter(|_| !problems.has_errors()).ok_or_else(|| problems.render(&sources))
    }

    #[test]
    fn what_is_written_is_printed() {
        let check = |yaml: &str, expected: &str| {
            assert_eq!(read(yaml).unwrap().effective().to_yaml(Mode::Unredacted), expected, "{yaml}");
        };
        check("token: abc", "header: Authorization\nscheme: Bearer\ntoken: abc\n");
        check("{tokens: [abc, d], scheme: '', header: X-Token}", "header: X-Token\ntokens:\n    - abc\n    - d\n");
        check(
            "{filename: /tmp/x, retry_on_failure: {enabled: true, interval: 1s}, wait_for_token_file: true}",
            "filename: /tmp/x\nheader: Authorization\nretry_on_failure:\n    enabled: true\n    interval: 1s\n\
             scheme: Bearer\nwait_for_token_file: true\n",
        );
    }

    #[test]
    fn mistakes_are_told_with_the_way_out() {
        let check = |yaml: &str, expected: &str| {
            let problems = read(yaml).expect_err(yaml);
            assert!(problems.contains(expected), "{yaml}\n{problems}");
        };
        check("{}", "`bearertokenauth` has no token");
        check("{token: a, tokens: [b]}", "has both `token` and `tokens`");
        check("{token: a, retry_on_failure: {enabled: true, interval: 1s}}", "there is none");
        check("{filename: a, retry_on_failure: {enabled: true}}", "needs an `interval` above zero");
        check("{filename: a, wait_for_token_file: true}", "`wait_for_token_file` needs a file and how to wait");
        check("{tokn: a}", "unknown setting `tokn` in `bearertokenauth`, did you mean `token`?");
    }
}
