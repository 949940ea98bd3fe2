//! Rotation by size, with the names of the library that otelcol uses (timberjack):
//!
//! ```text
//!  spans.json ─► spans-2026-11-25T19-40-00.123-size.json         in UTC, or in local time
//! ```
//!
//! Backups beyond `max_backups` or older than `max_days` are removed, judged by the time in their names. Those of the library
//! before (lumberjack), which have no `-size`, get the present form when a file is opened.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use settings::{Node, Problems};

/// `rotation`.
#[derive(Clone, Debug, PartialEq, settings::Documented)]
pub struct RotationSettings {
    /// The size at which a file is moved aside, MiB; zero is 100.
    pub max_megabytes: u64,
    /// How many days backups are kept; zero is for ever.
    pub max_days: u64,
    /// How many backups are kept; zero is all.
    pub max_backups: usize,
    /// Whether names bear local time, not UTC.
    pub localtime: bool,
}

impl Default for RotationSettings {
    fn default() -> Self {
        Self { max_megabytes: 0, max_days: 0, max_backups: 100, localtime: false }
    }
}

impl RotationSettings {
    pub(super) fn decode(node: &Node, p: &mut Problems) -> Option<Self> {
        let mut fields = node.map("rotation", p)?;
        fields.describe::<Self>();
        let defaults = Self::default();
        let backups = fields.take("max_backups", defaults.max_backups as u64, p);
        let rotation = Self {
            max_megabytes: fields.take("max_megabytes", defaults.max_megabytes, p),
            max_days: fields.take("max_days", defaults.max_days, p),
            max_backups: usize::try_from(backups).unwrap_or(usize::MAX),
            localtime: fields.take("localtime", defaults.localtime, p),
        };
        fields.finish(p);
        Some(rotation)
    }

    pub(super) fn effective(&self) -> Node {
        Node::map_of([
            ("localtime", self.localtime.into()),
            ("max_backups", self.max_backups.into()),
            ("max_days", self.max_days.into()),
            ("max_megabytes", self.max_megabytes.into()),
        ])
    }
}

/// The rotation of one file.
pub(super) struct Rotation {
    pub(super) bytes_max: u64,
    directory: PathBuf,
    /// The name before and after the time: `spans-` and `.json`.
    prefix: String,
    extension: String,
    age_max: Option<Duration>,
    backups_max: usize,
    zone: TimeZone,
}

const MEGABYTES_DEFAULT: u64 = 100;

/// What stands after the time: why the file was moved aside.
const REASON: &str = "-size";

impl Rotation {
    pub(super) fn new(path: &Path, settings: &RotationSettings) -> Self {
        let megabytes = if settings.max_megabytes == 0 { MEGABYTES_DEFAULT } else { settings.max_megabytes };
        let name = path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
        let (stem, extension) = name.rfind('.').map_or((name.as_str(), ""), |at| name.split_at(at));
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self {
            bytes_max: megabytes.saturating_mul(1 << 20),
            directory: directory.to_owned(),
            prefix: format!("{stem}-"),
            extension: extension.to_owned(),
            age_max: (settings.max_days > 0).then(|| Duration::from_secs(settings.max_days.saturating_mul(86_400))),
            backups_max: settings.max_backups,
            zone: if settings.localtime { local_zone() } else { TimeZone::UTC },
        }
    }

    /// Where the file goes now. A name that is taken is followed by that of the next millisecond.
    pub(super) fn backup(&self, now: Timestamp) -> PathBuf {
        let mut at = now;
        for _ in 0..NAMES_TRIED_MAX {
            let path = self.directory.join(self.named(at));
            if !path.exists() {
                return path;
            }
            at += Duration::from_millis(1);
        }
        self.directory.join(self.named(at))
    }

    /// Removes backups that are too many or too old. What cannot be removed is told and left.
    pub(super) fn remove_old(&self, now: Timestamp) {
        let mut backups: Vec<_> =
            self.names().into_iter().filter_map(|name| Some((self.time_in(&name, REASON)?, name))).collect();
        backups.sort_by(|one, other| other.cmp(one));
        let oldest = self.age_max.and_then(|age| now.checked_sub(age).ok());
        for (index, (at, name)) in backups.iter().enumerate() {
            let is_surplus = self.backups_max > 0 && index >= self.backups_max;
            if (is_surplus || oldest.is_some_and(|oldest| *at < oldest))
                && let Err(error) = fs::remove_file(self.directory.join(name))
            {
                tracing::warn!("cannot remove the old file `{name}`: {error}");
            }
        }
    }

    /// Gives backups of the older library the present form.
    pub(super) fn rename_old_forms(&self) {
        for name in self.names() {
            let Some(at) = self.time_in(&name, "") else { continue };
            let (from, to) = (self.directory.join(&name), self.directory.join(self.named(at)));
            let renamed = if to.exists() { fs::remove_file(from) } else { fs::rename(from, to) };
            if let Err(error) = renamed {
                tracing::warn!("cannot rename the old file `{name}`: {error}");
            }
        }
    }

    fn named(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.clone());
        let ms = at.as_millisecond().rem_euclid(1000);
        format!("{}{}.{ms:03}{REASON}{}", self.prefix, zoned.strftime("%Y-%m-%dT%H-%M-%S"), self.extension)
    }

    /// The time in the name of a backup.
    fn time_in(&self, name: &str, reason: &str) -> Option<Timestamp> {
        let time = name.strip_prefix(&self.prefix)?.strip_suffix(&self.extension)?.strip_suffix(reason)?;
        let (seconds, ms) = time.split_once('.')?;
        let ms: u64 = ms.parse().ok().filter(|_| ms.len() == 3)?;
        let civil = DateTime::strptime("%Y-%m-%dT%H-%M-%S", seconds).ok()?;
        Some(civil.to_zoned(self.zone.clone()).ok()?.timestamp() + Duration::from_millis(ms))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        files.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}

/// More names are not tried: so many rotations within a second are not of this world.
const NAMES_TRIED_MAX: usize = 1000;

/// The present moment.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::UNIX_EPOCH.checked_add(since).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The zone of `TZ`, or of the system; UTC where neither can be read.
fn local_zone() -> TimeZone {
    let name = std::env::var("TZ").ok().filter(|name| !name.is_empty());
    if let Some(name) = &name {
        return TimeZone::get(name.trim_start_matches(':')).unwrap_or(TimeZone::UTC);
    }
    let data = fs::read("/etc/localtime").ok();
    data.and_then(|data| TimeZone::tzif("/etc/localtime", &data).ok()).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(folder: &Path, settings: &RotationSettings) -> Rotation {
        Rotation::new(&folder.join("spans.x.json"), settings)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn backups_are_named_as_timberjack_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let utc = rotation(folder.path(), &RotationSettings::default());
        let name = |rotation: &Rotation, now: &str| {
            rotation.backup(at(now)).file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(name(&utc, "2026-11-25T19:40:00.123456Z"), "spans.x-2026-11-25T19-40-00.123-size.json");
        fs::write(folder.path().join("spans.x-2026-11-25T19-40-00.123-size.json"), "").unwrap();
        assert_eq!(name(&utc, "2026-11-25T19:40:00.123456Z"), "spans.x-2026-11-25T19-40-00.124-size.json");
        let mut berlin = utc;
        berlin.zone = TimeZone::get("Europe/Berlin").unwrap();
        let named = name(&berlin, "2026-07-25T19:40:00.5Z");
        assert_eq!(named, "spans.x-2026-07-25T21-40-00.500-size.json");
        assert_eq!(berlin.time_in(&named, REASON).unwrap().to_string(), "2026-07-25T19:40:00.5Z");
    }

    #[test]
    fn old_and_surplus_backups_go() {
        for (max_backups, max_days, left) in [(0, 0, 4), (2, 0, 2), (0, 1, 3), (9, 1, 3), (1, 1, 1)] {
            let folder = tempfile::tempdir().unwrap();
            for name in [
                "spans.x-2026-11-25T19-40-00.000-size.json",
                "spans.x-2026-11-25T18-40-00.000-size.json",
                "spans.x-2026-11-25T17-40-00.000.json",
                "spans.x-2026-11-01T00-00-00.000-size.json",
                "spans.x-notatime-size.json",
                "other.json",
            ] {
                fs::write(folder.path().join(name), "").unwrap();
            }
            let rotation =
                rotation(folder.path(), &RotationSettings { max_backups, max_days, ..RotationSettings::default() });
            rotation.rename_old_forms();
            rotation.remove_old(at("2026-11-25T20:00:00Z"));
            let mut names: Vec<_> = rotation.names().into_iter().filter(|name| name.contains("2026")).collect();
            names.sort();
            assert_eq!(names.len(), left, "{max_backups} {max_days}: {names:?}");
            assert_eq!(rotation.names().len(), left + 2, "what is no backup stays");
        }
    }
}
