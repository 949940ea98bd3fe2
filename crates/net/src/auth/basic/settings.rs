//! Settings of `basicauth`.

use std::path::PathBuf;

use settings::{Decode, Node, Problems, Secret};

use crate::exporter::refuse_unsupported;

/// Settings of the `basicauth` extension: one of its two halves.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct BasicAuth {
    /// Names and passwords that others must bring.
    pub htpasswd: Option<Htpasswd>,
    /// The name and password that we bring.
    pub client_auth: Option<BasicClient>,
}

/// `htpasswd`: names and passwords that others must bring.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct Htpasswd {
    /// A file of `name:hash` lines, read again when it changes; empty is none.
    pub file: PathBuf,
    /// Such lines in place, which win over those of the file.
    pub inline: Secret,
}

/// `client_auth`: the name and password that we bring.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct BasicClient {
    /// The name.
    pub username: String,
    /// A file with the name, which wins over `username` and is read again when it changes; empty is none.
    pub username_file: PathBuf,
    /// The password.
    pub password: Secret,
    /// A file with the password, which wins over `password` and is read again when it changes; empty is none.
    pub password_file: PathBuf,
}

impl Decode for BasicAuth {
    fn decode(node: &Node, p: &mut Problems) -> Option<BasicAuth> {
        let mut fields = node.map("basicauth", p)?;
        fields.describe::<Self>();
        let written = ["htpasswd", "client_auth"].map(|key| fields.node(key).is_some_and(|node| !node.is_absent()));
        let auth =
            BasicAuth { htpasswd: fields.optional("htpasswd", p), client_auth: fields.optional("client_auth", p) };
        fields.finish(p);
        match written {
            [true, true] => {
                let message = "`basicauth` has both `htpasswd`, for servers, and `client_auth`, for clients";
                p.error(&node.at, message, "define two, such as `basicauth/server` and `basicauth/client`".to_owned());
            }
            [false, false] => {
                let help = "write `htpasswd` for a receiver, or `client_auth` for an exporter".to_owned();
                p.error(&node.at, "`basicauth` has no credentials", help);
            }
            _ => {}
        }
        Some(auth)
    }
}

impl Decode for Htpasswd {
    fn decode(node: &Node, p: &mut Problems) -> Option<Htpasswd> {
        let mut fields = node.map("htpasswd", p)?;
        fields.describe::<Self>();
        let htpasswd = Htpasswd {
            file: fields.take("file", String::new(), p).into(),
            inline: fields.take("inline", Secret::default(), p),
        };
        fields.finish(p);
        if htpasswd.file.as_os_str().is_empty() && htpasswd.inline.is_empty() {
            p.error(
                &node.at,
                "`htpasswd` names nobody",
                "write `file: PATH`, or `inline` with a line `name:hash` for each user".to_owned(),
            );
        }
        Some(htpasswd)
    }
}

impl Decode for BasicClient {
    fn decode(node: &Node, p: &mut Problems) -> Option<BasicClient> {
        let mut fields = node.map("client_auth", p)?;
        fields.describe::<Self>();
        let client = BasicClient {
            username: fields.take("username", String::new(), p),
            username_file: fields.take("username_file", String::new(), p).into(),
            password: fields.take("password", Secret::default(), p),
            password_file: fields.take("password_file", String::new(), p).into(),
        };
        refuse_unsupported(&mut fields, &["aws_secrets_manager"], p);
        fields.finish(p);
        if client.username.contains(':') {
            p.error(
                &node.at,
                "`username` cannot have a colon",
                "choose a name without one; the colon ends the name on the wire".to_owned(),
            );
        }
        Some(client)
    }
}

impl BasicAuth {
    /// All settings, as otelcol prints them.
    pub fn effective(&self) -> Node {
        let path = |path: &PathBuf| Node::from(path.display().to_string());
        let mut entries = Vec::new();
        if let Some(htpasswd) = &self.htpasswd {
            // To otelcol it is a text like any other; here it is a secret.
            let inline =
                ("inline", if htpasswd.inline.is_empty() { "".into() } else { Node::secret(&htpasswd.inline) });
            entries.push(("htpasswd", Node::map_of([("file", path(&htpasswd.file)), inline])));
        }
        if let Some(client) = &self.client_auth {
            let password = if client.password.is_empty() { "".into() } else { Node::secret(&client.password) };
            let client = [
                ("username", client.username.as_str().into()),
                ("username_file", path(&client.username_file)),
                ("password", password),
                ("password_file", path(&client.password_file)),
            ];
            entries.push(("client_auth", Node::map_of(client)));
        }
        Node::map_of(entries)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use settings::Mode;

    use super::*;

    /// The settings in `yaml`, or its problems.
    pub(in crate::auth::basic) fn read(yaml: &str) -> Result<BasicAuth, String> {
        let (node, sources, mut problems) = settings::load(&[format!("yaml:{yaml}")], &[], &|_| None);
        let read = BasicAuth::decode(&node.unwrap_or_else(Node::null), &mut problems);
        read.filter(|_| !problems.has_errors()).ok_or_else(|| problems.render(&sources))
    }

    #[test]
    fn what_is_written_is_printed() {
        let check = |yaml: &str, expected: &str| {
            assert_eq!(read(yaml).unwrap().effective().to_yaml(Mode::Unredacted), expected, "{yaml}");
        };
        check("htpasswd: {inline: 'a:b'}", "htpasswd:\n    file: \"\"\n    inline: a:b\n");
        check(
            "client_auth: {username: a, password: b}",
            "client_auth:\n    password: b\n    password_file: \"\"\n    username: a\n    username_file: \"\"\n",
        );
        let hidden = read("htpasswd: {inline: 'a:swordfish'}").unwrap();
        assert!(!hidden.effective().to_yaml(Mode::Redacted).contains("swordfish"));
    }

    #[test]
    fn mistakes_are_told_with_the_way_out() {
        let check = |yaml: &str, expected: &str| {
            let problems = read(yaml).expect_err(yaml);
            assert!(problems.contains(expected), "{yaml}\n{problems}");
        };
        check("{}", "`basicauth` has no credentials");
        check("{htpasswd: {}}", "`htpasswd` names nobody");
        check("{htpasswd: {inline: a}, client_auth: {username: b}}", "has both `htpasswd`, for servers");
        check("{client_auth: {username: 'a:b'}}", "`username` cannot have a colon");
        check("{client_auth: {aws_secrets_manager: {secret_arn: a}}}", "`aws_secrets_manager` is not supported");
        check("{htpaswd: {}}", "unknown setting `htpaswd` in `basicauth`, did you mean `htpasswd`?");
    }
}
