//! Where the program runs, as far as environment variables and files tell: the detectors of `resourcedetection`.
//!
//! It is looked at once for each time that a pipeline is built, at start and at reload. Nothing is asked over the network:
//! the detectors that otelcol has for metadata services find nothing, which the configuration's check tells.

mod files;
mod system;
mod variables;

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::Read;

use process::any_value::Literal;
use process::resourcedetection::{Detector, Found, ResourceDetection, ResourceDetectionSettings};

/// What of the surroundings can be seen; tests see others.
pub(crate) struct World<'w> {
    /// An environment variable.
    variable: &'w dyn Fn(&str) -> Option<String>,
    /// A file's text.
    file: &'w dyn Fn(&str) -> Option<String>,
    /// The names of what is in a folder.
    folder: &'w dyn Fn(&str) -> Vec<String>,
    /// Whether there is such a file.
    exists: &'w dyn Fn(&str) -> bool,
}

/// The version of the conventions by which the detectors name what they find.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.40.0";

/// Files are read so far.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The processor `resourcedetection` with what is found here.
///
/// # Errors
/// What a detector cannot read, or does not find though the settings ask for it; in words.
pub(crate) fn detection(settings: &ResourceDetectionSettings) -> Result<ResourceDetection, String> {
    let world = World {
        variable: &settings::environment,
        file: &read,
        folder: &names,
        exists: &|path| fs::exists(path).unwrap_or(false),
    };
    let Ok(detection): Result<_, Infallible> = ResourceDetection::new(settings, &look(settings, &world)?);
    Ok(detection)
}

/// What each detector of the settings finds.
fn look<'s>(settings: &'s ResourceDetectionSettings, world: &World<'_>) -> Result<Vec<(&'s str, Found)>, String> {
    let mut all = Vec::new();
    for name in &settings.detectors {
        let Some(detector) = Detector::named(name) else { continue };
        let found = detect(detector, settings, world).map_err(|error| format!("the detector `{name}`: {error}"))?;
        if found.attributes.is_empty() && settings.fail_on_missing_metadata && name != "env" && name != "dynatrace" {
            return Err(format!(
                "the detector `{name}` finds nothing; remove it, or set `fail_on_missing_metadata: false`"
            ));
        }
        all.push((name.as_str(), found));
    }
    Ok(all)
}

fn detect(detector: &Detector, settings: &ResourceDetectionSettings, world: &World<'_>) -> Result<Found, String> {
    Ok(match detector.name {
        "env" => variables::env(world)?,
        "system" => system::system(detector, settings, world),
        "docker" => system::docker(world),
        "k8s_api" | "k8snode" => variables::node(detector, settings, world),
        "lambda" => variables::lambda(world),
        "heroku" => variables::heroku(world),
        "azurecontainerapps" => variables::container_apps(world),
        "azureappservice" => variables::app_service(world),
        "elastic_beanstalk" => files::elastic_beanstalk(world)?,
        "dynatrace" => files::dynatrace(world),
        _ => Found::default(),
    })
}

/// Adds attributes to what was found.
trait Add {
    /// Adds one of text.
    fn text(&mut self, key: &str, value: impl Into<String>);
    /// Adds one of text, if there is any.
    fn optional(&mut self, key: &str, value: Option<impl Into<String>>);
}

impl Add for Found {
    fn text(&mut self, key: &str, value: impl Into<String>) {
        self.attributes.push((key.to_string(), Literal::Str(value.into())));
    }

    fn optional(&mut self, key: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }
}

/// Nothing yet, by the conventions.
fn by_conventions() -> Found {
    Found { attributes: Vec::new(), schema_url: SCHEMA_URL.to_string() }
}

fn read(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn names(path: &str) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests;
