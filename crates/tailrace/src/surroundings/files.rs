//! What files tell that a platform puts there.

use process::resourcedetection::Found;
use settings::{Node, Value};

use super::{Add, World, by_conventions};

/// `dynatrace`: lines of `key=value`, of which three keys count.
pub(super) fn dynatrace(world: &World<'_>) -> Found {
    let mut found = Found::default();
    let text = (world.file)("/var/lib/dynatrace/enrichment/dt_host_metadata.properties").unwrap_or_default();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        if matches!(key, "dt.entity.host" | "host.name" | "dt.smartscape.host") && !value.is_empty() {
            found.attributes.retain(|(known, _)| known != key);
            found.text(key, value.trim());
        }
    }
    found
}

/// `elastic_beanstalk`: the file that it writes for X-Ray.
pub(super) fn elastic_beanstalk(world: &World<'_>) -> Result<Found, String> {
    let Some(text) = (world.file)(BEANSTALK) else { return Ok(Found::default()) };
    // JSON is YAML.
    let (tree, _, problems) = settings::load(&[format!("yaml:{text}")], &[], &|_| None);
    let Some(tree) = tree.filter(|_| !problems.has_errors()) else {
        return Err(format!("`{BEANSTALK}` is no JSON; mend the file, or remove the detector `elastic_beanstalk`"));
    };
    let text = |key: &str| tree.lookup(key).and_then(Node::as_text).map(str::to_string);
    let deployment = tree.lookup("deployment_id").and_then(|node| match node.value {
        Value::Int(id) => Some(id.to_string()),
        _ => None,
    });
    let mut found = by_conventions();
    found.text("cloud.provider", "aws");
    found.text("cloud.platform", "aws_elastic_beanstalk");
    found.optional("service.version", text("version_label"));
    found.optional("deployment.environment", text("environment_name"));
    found.optional("service.instance.id", deployment);
    Ok(found)
}

const BEANSTALK: &str = "/var/elasticbeanstalk/xray/environment.conf";
