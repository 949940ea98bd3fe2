//! What environment variables tell.

use process::any_value::Literal;
use process::resourcedetection::{Detector, Found, ResourceDetectionSettings};

use super::{Add, World, by_conventions};

/// `env`: attributes as `key=value,key=value` in `OTEL_RESOURCE_ATTRIBUTES`, values as in URLs.
pub(super) fn env(world: &World<'_>) -> Result<Found, String> {
    let variable = |name| (world.variable)(name).map(|text: String| text.trim().to_string());
    let written = ["OTEL_RESOURCE_ATTRIBUTES", "OTEL_RESOURCE"];
    let text = written.iter().find_map(|name| variable(name).filter(|text| !text.is_empty())).unwrap_or_default();
    let mut found = Found::default();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let invalid = || format!("`{rest}` in `OTEL_RESOURCE_ATTRIBUTES` has no `=`; write `key=value`");
        let pair = rest.trim_start();
        // The first character belongs to the key, whatever it is.
        let at = pair.bytes().skip(1).position(|byte| byte == b'=').ok_or_else(invalid)? + 1;
        let (key, value) = (pair.get(..at).unwrap_or_default().trim_end(), pair.get(at + 1..).unwrap_or_default());
        let (value, after) = value.split_once(',').unwrap_or((value, ""));
        let value = value.trim();
        let is_short = |text: &str| text.is_ascii() && text.len() <= CHARS_MAX;
        if key.is_empty() || !is_short(key) || !is_short(value) {
            return Err(invalid());
        }
        let value = Literal::Str(unescape(value).ok_or_else(invalid)?);
        match found.attributes.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => found.attributes.push((key.to_string(), value)),
        }
        rest = after;
    }
    Ok(found)
}

/// Longer keys and values are none.
const CHARS_MAX: usize = 256;

/// `%41` and `+` as in the query of a URL.
fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => byte,
        });
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// `k8s_api`: the node's name. What else it gives stands in the API alone.
pub(super) fn node(detector: &Detector, settings: &ResourceDetectionSettings, world: &World<'_>) -> Found {
    let written = settings.texts(detector, "node_from_env_var");
    let variable = written.first().copied().filter(|name| !name.is_empty()).unwrap_or("K8S_NODE_NAME");
    let mut found = by_conventions();
    found.optional("k8s.node.name", (world.variable)(variable).filter(|name| !name.is_empty()));
    found
}

/// `lambda`
pub(super) fn lambda(world: &World<'_>) -> Found {
    let variable = world.variable;
    let Some(name) = variable("AWS_LAMBDA_FUNCTION_NAME").filter(|name| !name.is_empty()) else {
        return Found::default();
    };
    let mut found = by_conventions();
    found.text("cloud.provider", "aws");
    found.text("cloud.platform", "aws_lambda");
    found.optional("cloud.region", variable("AWS_REGION"));
    found.text("faas.name", name);
    found.optional("faas.version", variable("AWS_LAMBDA_FUNCTION_VERSION"));
    found.optional("faas.instance", variable("AWS_LAMBDA_LOG_STREAM_NAME"));
    found.optional("faas.max_memory", variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    for (key, name) in
        [("aws.log.group.names", "AWS_LAMBDA_LOG_GROUP_NAME"), ("aws.log.stream.names", "AWS_LAMBDA_LOG_STREAM_NAME")]
    {
        if let Some(value) = variable(name) {
            found.attributes.push((key.to_string(), Literal::List(vec![Literal::Str(value)])));
        }
    }
    found
}

/// `heroku`
pub(super) fn heroku(world: &World<'_>) -> Found {
    let variable = world.variable;
    let mut found = by_conventions();
    let app = variable("HEROKU_APP_ID");
    found.optional("service.instance.id", variable("HEROKU_DYNO_ID"));
    found.optional("cloud.provider", app.as_ref().map(|_| "heroku"));
    found.optional("heroku.app.id", app);
    found.optional("service.name", variable("HEROKU_APP_NAME"));
    found.optional("heroku.release.creation_timestamp", variable("HEROKU_RELEASE_CREATED_AT"));
    found.optional("service.version", variable("HEROKU_RELEASE_VERSION"));
    found.optional("heroku.release.commit", variable("HEROKU_SLUG_COMMIT"));
    found
}

/// `azurecontainerapps`
pub(super) fn container_apps(world: &World<'_>) -> Found {
    let variable = |name| (world.variable)(name).filter(|value: &String| !value.is_empty());
    let Some(name) = variable("CONTAINER_APP_NAME") else { return Found::default() };
    let mut found = by_conventions();
    found.text("cloud.provider", "azure");
    found.text("cloud.platform", "azure.container_apps");
    found.text("service.name", name);
    found.optional("azure.container_app.instance.id", variable("CONTAINER_APP_REPLICA_NAME"));
    found
}

/// `azureappservice`; functions run there, too, but are something else.
pub(super) fn app_service(world: &World<'_>) -> Found {
    let variable = |name| (world.variable)(name).filter(|value: &String| !value.is_empty());
    let Some(site) = variable("WEBSITE_SITE_NAME").filter(|_| variable("FUNCTIONS_WORKER_RUNTIME").is_none()) else {
        return Found::default();
    };
    let mut found = by_conventions();
    found.text("cloud.provider", "azure");
    found.text("cloud.platform", "azure.app_service");
    found.text("service.name", site.as_str());
    let owner = variable("WEBSITE_OWNER_NAME");
    let account = owner.as_deref().and_then(|owner| owner.split('+').next()).filter(|account| !account.is_empty());
    let group = variable("WEBSITE_RESOURCE_GROUP");
    if let (Some(account), Some(group)) = (account, &group) {
        let id = format!("/subscriptions/{account}/resourceGroups/{group}/providers/Microsoft.Web/sites/{site}");
        found.text("cloud.resource_id", id);
    }
    found.optional("cloud.account.id", account);
    found.optional("azure.resource_group.name", group);
    found.optional("cloud.region", variable("REGION_NAME"));
    found.optional("deployment.environment.name", variable("WEBSITE_SLOT_NAME"));
    found.optional("azure.app_service.instance.id", variable("WEBSITE_INSTANCE_ID"));
    found
}
