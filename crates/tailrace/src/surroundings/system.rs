//! The machine, as Linux's files tell of it; of others, what was known when the program was built.

use process::any_value::Literal;
use process::resourcedetection::{Detector, Found, ResourceDetectionSettings};

use super::{Add, World, by_conventions};

/// `system`
pub(super) fn system(detector: &Detector, settings: &ResourceDetectionSettings, world: &World<'_>) -> Found {
    let takes = |key| settings.takes(detector, key);
    let mut found = by_conventions();
    found.optional("host.name", host_name(&settings.texts(detector, "hostname_sources"), world));
    found.text("os.type", os_type());
    let release = Release::read(world);
    found.optional("os.version", release.version(world));
    if takes("host.id") {
        let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().find_map(|path| line(path, world));
        found.optional("host.id", id);
    }
    found.text("host.arch", arch());
    if takes("host.mac") || takes("host.interface") {
        interfaces(world, &mut found);
    }
    if takes("os.description") {
        found.optional("os.description", description(&release, world));
    }
    found.optional("os.name", release.value("ID"));
    found.optional("os.build.id", release.value("BUILD_ID").or_else(|| kernel("osrelease", world)));
    processor(world, &mut found);
    found
}

/// `docker`: the host's name and system, which are this one's unless this is a container.
pub(super) fn docker(world: &World<'_>) -> Found {
    let mut found = Found::default();
    if (world.exists)("/var/run/docker.sock") && !(world.exists)("/.dockerenv") {
        found = by_conventions();
        found.text("os.type", os_type());
        found.optional("host.name", kernel("hostname", world));
    }
    found
}

/// The first source that has a name: the machine itself, or the name that stands first for it in `/etc/hosts`.
fn host_name(sources: &[&str], world: &World<'_>) -> Option<String> {
    let name = kernel("hostname", world).or_else(|| line("/etc/hostname", world))?;
    let sources = if sources.is_empty() { &["dns", "os"] } else { sources };
    let in_hosts = || {
        let hosts = (world.file)("/etc/hosts")?;
        let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
        let mut names = lines.map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
        names.find(|names| names.contains(&name.as_str()))?.first().map(|first| (*first).to_string())
    };
    let of = |source: &&str| match *source {
        "os" => Some(name.clone()),
        "dns" => in_hosts(),
        _ => None,
    };
    sources.iter().find_map(of).or(Some(name.clone()))
}

/// As the conventions name it.
fn os_type() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        "dragonfly" => "dragonflybsd",
        other => other,
    }
}

/// As the conventions name it.
fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc64" => "ppc64",
        "powerpc" => "ppc32",
        other => other,
    }
}

/// What `/etc/os-release` says.
struct Release(String);

impl Release {
    fn read(world: &World<'_>) -> Self {
        let text = ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|path| (world.file)(path));
        Self(text.unwrap_or_default())
    }

    fn value(&self, key: &str) -> Option<String> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(value.trim_matches(['"', '\'']).to_string()).filter(|value| !value.is_empty())
    }

    /// Debian tells more of its version elsewhere.
    fn version(&self, world: &World<'_>) -> Option<String> {
        let is_debian = self.value("ID").is_some_and(|id| id == "debian");
        let debian = is_debian.then(|| line("/etc/debian_version", world)).flatten();
        debian.or_else(|| self.value("VERSION_ID"))
    }
}

/// The distribution, and what `uname` says in parentheses.
fn description(release: &Release, world: &World<'_>) -> Option<String> {
    let name = release.value("PRETTY_NAME").or_else(|| release.value("NAME"));
    let parts = ["ostype", "hostname", "osrelease", "version"].map(|part| kernel(part, world).unwrap_or_default());
    let kernel = format!("{} {}", parts.join(" "), std::env::consts::ARCH);
    Some(name.map_or(kernel.clone(), |name| format!("{name} ({kernel})")))
}

/// The names of all network interfaces, and the addresses of those that are up and lead out.
fn interfaces(world: &World<'_>, found: &mut Found) {
    let read = |name: &str, what: &str| line(&format!("/sys/class/net/{name}/{what}"), world);
    let mut all: Vec<(u64, String)> = (world.folder)("/sys/class/net")
        .into_iter()
        .map(|name| (read(&name, "ifindex").and_then(|text| text.parse().ok()).unwrap_or(u64::MAX), name))
        .collect();
    all.sort_unstable();
    let is_up_and_out = |name: &str| {
        let flags = read(name, "flags").unwrap_or_default();
        let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).unwrap_or(0);
        flags & 1 != 0 && flags & 8 == 0
    };
    let addresses = all
        .iter()
        .filter(|(_, name)| is_up_and_out(name))
        .map(|(_, name)| Literal::Str(read(name, "address").unwrap_or_default().replace(':', "-").to_uppercase()));
    let addresses: Vec<Literal> = addresses.collect();
    found.attributes.push(("host.mac".to_string(), Literal::List(addresses)));
    let names = all.into_iter().map(|(_, name)| Literal::Str(name)).collect();
    found.attributes.push(("host.interface".to_string(), Literal::List(names)));
}

/// The first one of `/proc/cpuinfo`.
fn processor(world: &World<'_>, found: &mut Found) {
    let text = (world.file)("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let mut lines = text.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_string())
    };
    for (key, name) in [
        ("host.cpu.vendor.id", "vendor_id"),
        ("host.cpu.family", "cpu family"),
        ("host.cpu.model.id", "model"),
        ("host.cpu.model.name", "model name"),
        ("host.cpu.stepping", "stepping"),
    ] {
        found.optional(key, value(name));
    }
    let cache = value("cache size").and_then(|size| size.split(' ').next()?.parse().ok());
    found.attributes.extend(cache.map(|size| ("host.cpu.cache.l2.size".to_string(), Literal::Int(size))));
}

fn kernel(what: &str, world: &World<'_>) -> Option<String> {
    line(&format!("/proc/sys/kernel/{what}"), world)
}

/// A file's text without what surrounds it, if there is any.
fn line(path: &str, world: &World<'_>) -> Option<String> {
    (world.file)(path).map(|text| text.trim().to_string()).filter(|text| !text.is_empty())
}
