//! The Kubernetes manifests beside the configurations that they mount.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::configuration::Configuration;
use super::read;

/// One manifest, and the container in it that is Tailrace.
struct Manifest {
    name: &'static str,
    documents: Vec<Value>,
}

#[test]
fn the_mounted_configuration_is_the_one_in_config_and_is_valid() {
    for manifest in Manifest::all() {
        let text = manifest.mounted();
        assert_eq!(text, read(&format!("config/{}.yaml", manifest.name)), "{}", manifest.name);
        manifest.configuration().assert_valid();
    }
}

#[test]
fn probes_ask_where_health_check_answers() {
    for manifest in Manifest::all() {
        let (container, configuration) = (manifest.container(), manifest.configuration());
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let get = &container[probe]["httpGet"];
            let (path, port) = (get["path"].as_str(), manifest.port(container, &get["port"]));
            assert_eq!(path, Some(configuration.health_path().as_str()), "{}: {probe}", manifest.name);
            assert_eq!(port, Some(configuration.health_port()), "{}: {probe}", manifest.name);
        }
    }
}

#[test]
fn ports_are_those_that_listen() {
    for manifest in Manifest::all() {
        let (container, configuration) = (manifest.container(), manifest.configuration());
        let declared = container["ports"].as_array().expect("ports").iter();
        let declared: BTreeSet<u16> = declared.filter_map(|port| number(&port["containerPort"])).collect();
        assert_eq!(declared, configuration.ports(), "{}: the container's", manifest.name);
        let scraped = manifest.template()["metadata"]["annotations"]["prometheus.io/port"].as_str();
        assert_eq!(scraped, configuration.metrics_port().map(|port| port.to_string()).as_deref(), "{}", manifest.name);
        // The service of a gateway is Tailrace's, that of a sidecar the other container's.
        let service = manifest.document("Service");
        let target = if configuration.intake_ports().is_empty() { manifest.other_container() } else { container };
        let ports = service["spec"]["ports"].as_array().expect("ports");
        let targets: BTreeSet<u16> = ports
            .iter()
            .map(|port| manifest.port(target, &port["targetPort"]).expect("the target is a port of the container"))
            .collect();
        if !configuration.intake_ports().is_empty() {
            assert_eq!(targets, configuration.intake_ports(), "{}: the service's", manifest.name);
            let same = ports.iter().all(|port| number(&port["port"]) == manifest.port(target, &port["targetPort"]));
            assert!(same, "{}: clients expect OTLP's own ports", manifest.name);
        }
    }
}

#[test]
fn nothing_is_killed_before_it_has_stopped() {
    for manifest in Manifest::all() {
        let pre_stop = seconds(&manifest.container()["lifecycle"]["preStop"]["sleep"]["seconds"]);
        let killed = seconds(&manifest.pod()["terminationGracePeriodSeconds"]);
        let needed = pre_stop + manifest.configuration().grace();
        assert!(pre_stop > Duration::ZERO && killed > needed, "{}: {killed:?} after {needed:?}", manifest.name);
    }
}

#[test]
fn the_container_has_no_rights_and_a_limit_of_memory() {
    for manifest in Manifest::all() {
        let (pod, container) = (manifest.pod(), manifest.container());
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert!(pod["securityContext"]["runAsUser"].as_u64().is_some_and(|user| user > 0));
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(container["securityContext"]["capabilities"]["drop"][0], "ALL");
        let (request, limit) =
            ["requests", "limits"].map(|kind| mebibytes(&container["resources"][kind]["memory"])).into();
        assert!(request <= limit, "{}: {request} of {limit} MiB", manifest.name);
        let text = manifest.mounted();
        if let Some(budget) = text.split("memory_mib: ").nth(1).and_then(|rest| rest.lines().next()) {
            let budget: u64 = budget.parse().expect("a number");
            assert!(budget * 5 / 4 <= limit, "{}: a budget of {budget} in a limit of {limit} MiB", manifest.name);
        }
    }
}

/// Selectors choose the pods of the deployment, and the mounted file is the one that the program is told to read.
#[test]
fn the_parts_fit_together() {
    for manifest in Manifest::all() {
        let deployment = manifest.document("Deployment");
        let labels = &manifest.template()["metadata"]["labels"];
        assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels, "{}", manifest.name);
        assert_eq!(&manifest.document("Service")["spec"]["selector"], labels, "{}", manifest.name);
        let budget = manifest.document("PodDisruptionBudget");
        assert_eq!(&budget["spec"]["selector"]["matchLabels"], labels, "{}", manifest.name);
        let replicas = deployment["spec"]["replicas"].as_u64().expect("replicas");
        let kept = budget["spec"]["minAvailable"].as_u64().unwrap_or(0);
        assert!(kept < replicas, "{}: no node could be drained", manifest.name);

        let map = manifest.document("ConfigMap")["metadata"]["name"].as_str();
        let volumes = manifest.pod()["volumes"].as_array().expect("volumes");
        let volume = volumes.iter().find(|volume| volume["configMap"]["name"].as_str() == map).expect("the volume");
        let mounts = manifest.container()["volumeMounts"].as_array().expect("mounts");
        let mount = mounts.iter().find(|mount| mount["name"] == volume["name"]).expect("the mount");
        let path = format!("{}/config.yaml", mount["mountPath"].as_str().expect("a path"));
        let arguments = manifest.container()["args"].as_array().expect("arguments");
        assert!(arguments.iter().any(|argument| *argument == path.as_str()), "{}: {path}", manifest.name);
    }
}

impl Manifest {
    fn all() -> [Manifest; 2] {
        ["gateway", "sidecar"].map(|name| {
            let text = read(&format!("config/kubernetes/{name}.yaml"));
            let documents = text.split("\n---\n").map(|document| serde_yaml::from_str(document).expect("YAML"));
            Manifest { name, documents: documents.collect() }
        })
    }

    fn document(&self, kind: &str) -> &Value {
        let found = self.documents.iter().find(|document| document["kind"] == kind);
        found.unwrap_or_else(|| panic!("{} has no {kind}", self.name))
    }

    fn template(&self) -> &Value {
        &self.document("Deployment")["spec"]["template"]
    }

    fn pod(&self) -> &Value {
        &self.template()["spec"]
    }

    fn containers(&self) -> impl Iterator<Item = &Value> {
        ["initContainers", "containers"].into_iter().flat_map(|key| self.pod()[key].as_array().into_iter().flatten())
    }

    fn container(&self) -> &Value {
        self.containers().find(|container| container["name"] == "tailrace").expect("the container")
    }

    fn other_container(&self) -> &Value {
        self.containers().find(|container| container["name"] != "tailrace").expect("another container")
    }

    fn mounted(&self) -> &str {
        self.document("ConfigMap")["data"]["config.yaml"].as_str().expect("a configuration")
    }

    fn configuration(&self) -> Configuration {
        let env = self.container()["env"].as_array().into_iter().flatten();
        let env = env.filter_map(|one| Some((one["name"].as_str()?.to_string(), one["value"].as_str()?.to_string())));
        Configuration::load(self.name, self.mounted(), &env.collect::<Vec<_>>())
    }

    /// A port given as a number or by the name that the container gives it.
    fn port(&self, container: &Value, port: &Value) -> Option<u16> {
        let ports = container["ports"].as_array()?;
        let named = || ports.iter().find(|one| one["name"] == *port).and_then(|one| number(&one["containerPort"]));
        number(port).or_else(named)
    }
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs(value.as_u64().expect("seconds"))
}

fn mebibytes(value: &Value) -> u64 {
    let text = value.as_str().expect("an amount of memory");
    match (text.strip_suffix("Mi"), text.strip_suffix("Gi")) {
        (Some(mebibytes), _) => mebibytes.parse().expect("a number"),
        (_, Some(gibibytes)) => gibibytes.parse::<u64>().expect("a number") << 10,
        _ => panic!("{text} is in no known unit"),
    }
}
