//! Settings of `file`: their meaning, defaults, YAML.

use std::time::Duration;

use settings::{Fields, Node, Problems};

use super::rotation::RotationSettings;

/// Settings of a `file` exporter.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct FileSettings {
    /// The file to write; with `group_by`, a `*` stands for the group.
    pub path: String,
    /// Whether what stands in the file stays.
    pub append: bool,
    /// How requests are written.
    pub format: FileFormat,
    /// Whether messages are compressed, each by itself, with zstd.
    pub compression: bool,
    /// The level of the compression; none is its default.
    pub level: Option<i32>,
    /// How long what was taken may stay in memory.
    pub flush_interval: Duration,
    /// Whether the folder of the file is made.
    pub create_directory: bool,
    /// The permissions of folders that are made, in octal digits.
    pub directory_permissions: String,
    /// When the file is moved aside for a new one, if ever.
    pub rotation: Option<RotationSettings>,
    /// Whether there is a file for each value of a resource attribute.
    pub group_by: GroupBySettings,
}

/// How requests are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// OTLP/JSON.
    Json,
    /// Protobuf.
    Proto,
}

/// `group_by`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct GroupBySettings {
    /// Whether requests are divided at all.
    pub enabled: bool,
    /// The resource attribute that stands in for `*` in the path.
    pub resource_attribute: String,
    /// How many files may be open at once.
    pub max_open_files: usize,
}

impl Default for FileSettings {
    fn default() -> Self {
        Self {
            path: String::new(),
            append: false,
            format: FileFormat::Json,
            compression: false,
            level: None,
            flush_interval: FLUSH_INTERVAL_DEFAULT,
            create_directory: false,
            directory_permissions: String::new(),
            rotation: None,
            group_by: GroupBySettings::default(),
        }
    }
}

impl Default for GroupBySettings {
    fn default() -> Self {
        Self { enabled: false, resource_attribute: "fileexporter.path_segment".to_owned(), max_open_files: 100 }
    }
}

const FLUSH_INTERVAL_DEFAULT: Duration = Duration::from_secs(1);

/// What folders may, where nothing is written.
const PERMISSIONS_DEFAULT: &str = "0755";

impl FileSettings {
    /// Reads the settings of an exporter.
    pub fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("file", p)?;
        fields.describe::<Self>();
        fields.describe_keys(&[
            ("compression_params", "How hard the compression tries."),
            ("encoding", "An extension that writes requests; there is none, so only an empty text."),
        ]);
        fields.words("format", &["json", "proto"]);
        fields.defaults_to("format", "json");
        fields.words("compression", &["", "zstd"]);
        let defaults = Self::default();
        let path = fields.required::<String>("path", p);
        let mut settings = Self {
            path: path.clone().unwrap_or_default(),
            append: fields.take("append", defaults.append, p),
            format: format(&mut fields, p),
            compression: compression(&mut fields, p),
            level: level(&mut fields, p),
            flush_interval: fields.take("flush_interval", defaults.flush_interval, p),
            create_directory: fields.take("create_directory", defaults.create_directory, p),
            directory_permissions: fields.take("directory_permissions", defaults.directory_permissions, p),
            // Written with nothing in it, it is rotation by its defaults.
            rotation: fields
                .node("rotation")
                .and_then(|node| p.within("rotation", |p| RotationSettings::decode(node, p))),
            group_by: fields
                .node("group_by")
                .filter(|node| !node.is_absent())
                .and_then(|node| p.within("group_by", |p| GroupBySettings::decode(node, p)))
                .unwrap_or_default(),
        };
        if let Some(name) = fields.optional::<String>("encoding", p).filter(|name| !name.is_empty()) {
            let message =
                format!("`encoding` needs the extension `{name}`, and there are no encodings in this version");
            p.error(&fields.at(), message, "remove it and write `format: json` or `format: proto`".to_owned());
        }
        if settings.flush_interval.is_zero() {
            settings.flush_interval = FLUSH_INTERVAL_DEFAULT;
        }
        let at = fields.at();
        fields.finish(p);
        path?;
        for (message, help) in settings.mistakes() {
            p.error(&at, message, help.to_owned());
        }
        if settings.create_directory && settings.directory_permissions.is_empty() {
            settings.directory_permissions = PERMISSIONS_DEFAULT.to_owned();
        }
        Some(settings)
    }

    /// What otelcol refuses, with the way out.
    fn mistakes(&self) -> Vec<(&'static str, &'static str)> {
        let grouped = self.group_by.enabled;
        let mode = u32::from_str_radix(&self.directory_permissions, 8);
        let has_permissions = !self.directory_permissions.is_empty();
        let one_star = self.path.matches('*').count() == 1;
        let all = [
            (
                self.path.is_empty(),
                "`path` must not be empty",
                "write the file to write, such as `/var/lib/tailrace/traces.json`",
            ),
            (
                self.append && self.rotation.is_some(),
                "`append` and `rotation` exclude each other",
                "remove `append`: a rotated file is always appended to",
            ),
            (grouped && !one_star, "with `group_by`, `path` must have exactly one `*`", "write `/folder/*.json`"),
            (
                grouped && self.path.starts_with('*'),
                "with `group_by`, `path` must not begin with `*`",
                "write `./*.json`",
            ),
            (
                grouped && self.group_by.resource_attribute.is_empty(),
                "`resource_attribute` must not be empty",
                "name the resource attribute to group by, or remove it for `fileexporter.path_segment`",
            ),
            (grouped && self.group_by.max_open_files == 0, "`max_open_files` must be above 0", "remove it for 100"),
            (
                has_permissions && !self.create_directory,
                "`directory_permissions` needs `create_directory: true`",
                "write both, or remove `directory_permissions`",
            ),
            (
                has_permissions && !mode.is_ok_and(|mode| mode <= 0o777),
                "`directory_permissions` must be permissions in octal digits",
                "write them in quotes, such as `\"0755\"`",
            ),
        ];
        all.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, message, help)| (message, help)).collect()
    }

    /// The permissions of folders, as the system takes them.
    pub(super) fn mode(&self) -> u32 {
        u32::from_str_radix(&self.directory_permissions, 8).unwrap_or(0o755)
    }

    /// All settings, as otelcol prints them.
    #[must_use]
    pub fn effective(&self) -> Node {
        let level = self.level.map(|level| ("level", level.into()));
        let format = match self.format {
            FileFormat::Json => "json",
            FileFormat::Proto => "proto",
        };
        let mut entries: Vec<(&str, Node)> = vec![
            ("append", self.append.into()),
            ("compression", if self.compression { "zstd" } else { "" }.into()),
            ("compression_params", Node::map_of(level)),
            ("create_directory", self.create_directory.into()),
            ("directory_permissions", self.directory_permissions.as_str().into()),
            ("encoding", Node::null()),
            ("flush_interval", self.flush_interval.into()),
            ("format", format.into()),
            ("group_by", self.group_by.effective()),
            ("path", self.path.as_str().into()),
        ];
        // otelcol prints null where there is none; read back that would switch it on.
        entries.extend(self.rotation.as_ref().map(|rotation| ("rotation", rotation.effective())));
        Node::map_of(entries)
    }
}

impl GroupBySettings {
    fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("group_by", p)?;
        fields.describe::<Self>();
        let defaults = Self::default();
        let files = fields.take("max_open_files", defaults.max_open_files as u64, p);
        let group_by = Self {
            enabled: fields.take("enabled", defaults.enabled, p),
            resource_attribute: fields.take("resource_attribute", defaults.resource_attribute, p),
            max_open_files: usize::try_from(files).unwrap_or(usize::MAX),
        };
        fields.finish(p);
        Some(group_by)
    }

    fn effective(&self) -> Node {
        Node::map_of([
            ("enabled", self.enabled.into()),
            ("max_open_files", self.max_open_files.into()),
            ("resource_attribute", self.resource_attribute.as_str().into()),
        ])
    }
}

fn format(fields: &mut Fields<'_>, p: &mut Problems) -> FileFormat {
    let Some(node) = fields.node("format").filter(|node| !node.is_absent()) else { return FileFormat::Json };
    match p.within("format", |p| node.text(p)).as_deref() {
        Some("json") | None => FileFormat::Json,
        Some("proto") => FileFormat::Proto,
        Some(other) => {
            p.error(&node.at, format!("unknown format `{other}`"), "write `json` or `proto`".to_owned());
            FileFormat::Json
        }
    }
}

fn compression(fields: &mut Fields<'_>, p: &mut Problems) -> bool {
    let Some(node) = fields.node("compression").filter(|node| !node.is_absent()) else { return false };
    match p.within("compression", |p| node.text(p)).as_deref() {
        Some("") | None => false,
        Some("zstd") => true,
        Some(other) => {
            p.error(
                &node.at,
                format!("unknown compression `{other}`"),
                "write `zstd`, or remove it for none".to_owned(),
            );
            false
        }
    }
}

fn level(fields: &mut Fields<'_>, p: &mut Problems) -> Option<i32> {
    let node = fields.node("compression_params").filter(|node| !node.is_absent())?;
    let mut params = p.within("compression_params", |p| node.map("compression_params", p))?;
    params.describe_keys(&[("level", "The level, from 1 to 22; none is the default of zstd.")]);
    let level: i32 = params.optional("level", p)?;
    params.finish(p);
    if !(0..=22).contains(&level) {
        p.error(&node.at, format!("zstd has no level {level}"), "write a number from 1 to 22".to_owned());
    }
    (level != 0).then_some(level)
}
