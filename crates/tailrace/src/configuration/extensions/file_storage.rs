//! `file_storage`: where queues may keep what must outlive the process.

use std::time::Duration;

use settings::{Decode, Node, Problems};

/// Settings of otelcol's `file_storage` extension.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct FileStorage {
    /// The folder of the files.
    pub(crate) directory: String,
    /// Time to wait for a file that another process holds.
    pub(crate) timeout: Duration,
    /// Whether each write is waited for until it is on the disk.
    pub(crate) fsync: bool,
    /// Whether the folder is made if it is not there.
    pub(crate) create_directory: bool,
    /// The permissions of a folder that is made, in octal.
    pub(crate) directory_permissions: String,
    /// Whether a file that cannot be read is put aside and begun anew.
    pub(crate) recreate: bool,
    /// Bytes that a file may have; zero is any.
    pub(crate) max_size: u64,
    /// When files are made smaller.
    pub(crate) compaction: Compaction,
}

/// When files are made smaller.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub(crate) struct Compaction {
    /// Whether at the start.
    pub(crate) on_start: bool,
    /// Whether while running, once much of a file is unused.
    pub(crate) on_rebound: bool,
    /// The folder for the files while they are made smaller.
    pub(crate) directory: String,
    /// A file is looked at once it had so many MiB …
    pub(crate) rebound_needed_threshold_mib: i64,
    /// … and is made smaller once it uses fewer MiB than this.
    pub(crate) rebound_trigger_threshold_mib: i64,
    /// Bytes that are copied at once.
    pub(crate) max_transaction_size: i64,
    /// How often files are looked at.
    pub(crate) check_interval: Duration,
    /// Whether leftovers are removed at the start.
    pub(crate) cleanup_on_start: bool,
}

const DIRECTORY: &str = "/var/lib/otelcol/file_storage";

impl Default for Compaction {
    fn default() -> Compaction {
        Compaction {
            on_start: false,
            on_rebound: false,
            directory: DIRECTORY.to_string(),
            rebound_needed_threshold_mib: 100,
            rebound_trigger_threshold_mib: 10,
            max_transaction_size: 65_536,
            check_interval: Duration::from_secs(5),
            cleanup_on_start: false,
        }
    }
}

impl Decode for FileStorage {
    fn decode(node: &Node, p: &mut Problems) -> Option<FileStorage> {
        let mut fields = node.map("file_storage", p)?;
        fields.describe::<Self>();
        let permissions = fields.node("directory_permissions").filter(|node| !node.is_absent());
        let storage = FileStorage {
            directory: fields.take("directory", DIRECTORY.to_string(), p),
            timeout: fields.take("timeout", Duration::from_secs(1), p),
            fsync: fields.take("fsync", false, p),
            create_directory: fields.take("create_directory", false, p),
            directory_permissions: fields.take("directory_permissions", "0750".to_string(), p),
            recreate: fields.take("recreate", false, p),
            max_size: fields.take("max_size", 0, p),
            compaction: fields.take("compaction", Compaction::default(), p),
        };
        fields.finish(p);
        let octal = u32::from_str_radix(&storage.directory_permissions, 8);
        if let (Some(at), true) = (permissions.map(|node| node.at), octal.is_err_and(|_| true)) {
            let message = format!("`directory_permissions` must be octal, found `{}`", storage.directory_permissions);
            p.error(&at, message, "write it in quotes, as in `\"0750\"`".to_string());
        }
        Some(storage)
    }
}

impl Decode for Compaction {
    fn decode(node: &Node, p: &mut Problems) -> Option<Compaction> {
        let default = Compaction::default();
        let mut fields = node.map("compaction", p)?;
        fields.describe::<Self>();
        let compaction = Compaction {
            on_start: fields.take("on_start", default.on_start, p),
            on_rebound: fields.take("on_rebound", default.on_rebound, p),
            directory: fields.take("directory", default.directory, p),
            rebound_needed_threshold_mib: fields.take(
                "rebound_needed_threshold_mib",
                default.rebound_needed_threshold_mib,
                p,
            ),
            rebound_trigger_threshold_mib: fields.take(
                "rebound_trigger_threshold_mib",
                default.rebound_trigger_threshold_mib,
                p,
            ),
            max_transaction_size: fields.take("max_transaction_size", default.max_transaction_size, p),
            check_interval: fields.take("check_interval", default.check_interval, p),
            cleanup_on_start: fields.take("cleanup_on_start", default.cleanup_on_start, p),
        };
        if compaction.max_transaction_size < 0 {
            let at = fields.node("max_transaction_size").map_or(node.at, |node| node.at);
            let help = "zero copies everything at once";
            p.error(&at, "`max_transaction_size` must be zero or more", help.to_string());
        }
        if compaction.on_rebound && compaction.check_interval.is_zero() {
            let at = fields.node("check_interval").map_or(node.at, |node| node.at);
            let help = "write how often files are looked at, as in `5s`, or remove `on_rebound`";
            p.error(&at, "`check_interval` must be above 0 with `on_rebound`", help.to_string());
        }
        fields.finish(p);
        Some(compaction)
    }
}

impl FileStorage {
    /// All settings, as otelcol prints them.
    pub(crate) fn effective(&self) -> Node {
        let compaction = &self.compaction;
        let compaction = Node::map_of([
            ("check_interval", Node::from(compaction.check_interval)),
            ("cleanup_on_start", compaction.cleanup_on_start.into()),
            ("directory", Node::from(&compaction.directory)),
            ("max_transaction_size", compaction.max_transaction_size.into()),
            ("on_rebound", compaction.on_rebound.into()),
            ("on_start", compaction.on_start.into()),
            ("rebound_needed_threshold_mib", compaction.rebound_needed_threshold_mib.into()),
            ("rebound_trigger_threshold_mib", compaction.rebound_trigger_threshold_mib.into()),
        ]);
        let mut entries = vec![
            ("compaction", compaction),
            ("create_directory", self.create_directory.into()),
            ("directory", Node::from(&self.directory)),
            ("directory_permissions", Node::from(&self.directory_permissions)),
            ("fsync", self.fsync.into()),
            ("recreate", self.recreate.into()),
            ("timeout", self.timeout.into()),
        ];
        if self.max_size > 0 {
            entries.push(("max_size", self.max_size.into()));
        }
        Node::map_of(entries)
    }
}
