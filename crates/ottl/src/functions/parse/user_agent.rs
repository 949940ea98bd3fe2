//! Which client and which system a `User-Agent` header names: tables of our own, first match first.
//!
//! The families are called as `uap-core` calls them, which otelcol uses. That project has more than a thousand rules, most of
//! them for clients that nobody meets any more; these are the browsers, the robots and the libraries that traffic is made of.

use crate::value::{Map, Value};
use regex::bytes::{Captures, Regex};

/// The rules, compiled.
pub(super) struct UserAgents {
    clients: Vec<Rule>,
    systems: Vec<Rule>,
}

struct Rule {
    regex: Regex,
    /// What the rule finds; else the first group says it.
    family: Option<&'static str>,
    /// Its version, if that is not what the next groups say.
    version: Option<&'static str>,
}

/// What a rule finds.
struct Finding {
    family: Vec<u8>,
    version: Vec<u8>,
}

/// A rule of a table: pattern, family, version.
type Row = (&'static str, Option<&'static str>, Option<&'static str>);

/// Robots stand before the browsers that they say they are, browsers before the engines that they are built on.
const CLIENTS: &[Row] = &[
    (r"(facebookexternalhit)/(\d+)\.(\d+)", Some("FacebookBot"), None),
    (
        r"(AdsBot-Google(?:-[a-z]{1,30}|)|Googlebot-(?:Image|News|Video)|Googlebot|bingbot|Baiduspider|YandexBot|DuckDuckBot|Applebot|AhrefsBot|SemrushBot|MJ12bot|PetalBot|GPTBot|ClaudeBot|CCBot|Bytespider|Twitterbot|LinkedInBot|Slackbot(?:-LinkExpanding|)|Discordbot|TelegramBot|UptimeRobot|Amazonbot|WhatsApp)(?:[ /]v?(\d+)(?:\.(\d+)(?:\.(\d+)|)|)|)",
        None,
        None,
    ),
    (
        r"(Google-HTTP-Java-Client|Apache-HttpClient|PostmanRuntime|Go-http-client|Python-urllib|WinHTTP|okhttp|reqwest|axios)(?:[ /](\d+)(?:\.(\d+)|)(?:\.(\d+)|)|)",
        None,
        None,
    ),
    (r"\b(Boto3?|aws-(?:cli|sdk-(?:cpp|go-v\d|go|java|nodejs|ruby2?)))/(\d+)\.(\d+)(?:\.(\d+)|)", None, None),
    (r"Windows Phone .{0,200}(Edge)/(\d+)\.(\d+)", Some("Edge Mobile"), None),
    (r"(FxiOS)/(\d+)\.(\d+)(?:\.(\d+)|)", Some("Firefox iOS"), None),
    (r"(?:Mobile Safari).{1,300}(OPR)/(\d+)\.(\d+)\.(\d+)", Some("Opera Mobile"), None),
    (r"(?:Chrome).{1,300}(OPR)/(\d+)\.(\d+)\.(\d+)", Some("Opera"), None),
    (r"(Opera)/.{1,300}Version/(\d+)\.(\d+)", None, None),
    (r"(EdgiOS|EdgA)/(\d+)(?:\.(\d+)|)(?:\.(\d+)|)", Some("Edge Mobile"), None),
    (r"(SamsungBrowser)/(\d+)\.(\d+)", Some("Samsung Internet"), None),
    (r"(YaBrowser)/(\d+)\.(\d+)\.(\d+)", Some("Yandex Browser"), None),
    (r"(Vivaldi|Electron)/(\d+)\.(\d+)(?:\.(\d+)|)", None, None),
    (r"(CriOS)/(\d+)(?:\.(\d+)|)(?:\.(\d+)|)", Some("Chrome Mobile iOS"), None),
    (r"(Edge?)/(\d+)(?:\.(\d+)|)(?:\.(\d+)|)", Some("Edge"), None),
    (r"; wv\).{1,300}(Chrome)/(\d+)\.(\d+)\.(\d+)", Some("Chrome Mobile WebView"), None),
    (r"(Chrome)/(\d+)\.(\d+)\.(\d+)\.\d+ Mobile(?:[ /]|$)", Some("Chrome Mobile"), None),
    (r" Mobile .{1,300}(Chrome)/(\d+)\.(\d+)\.(\d+)", Some("Chrome Mobile"), None),
    (r"(HeadlessChrome)(?:/(\d+)\.(\d+)\.(\d+)|)", None, None),
    (r"(Chromium|Chrome)/(\d+)\.(\d+)(?:\.(\d+)|)", None, None),
    (r"(?:Mobile|Tablet);.{0,200}(Firefox)/(\d+)\.(\d+)", Some("Firefox Mobile"), None),
    (r"(Thunderbird|SeaMonkey|Firefox)/(\d+)\.(\d+)(?:\.(\d+)|)", None, None),
    (r"(iPod|iPhone|iPad).{1,200}Version/(\d+)\.(\d+)(?:\.(\d+)|).{1,200} Safari", Some("Mobile Safari"), None),
    (r"(?:iPod|iPhone|iPad).{0,60}OS \d+_\d+.{0,60}AppleWebKit", Some("Mobile Safari UI/WKWebView"), Some("")),
    (r"(Android).{1,200}Version/(\d+)\.(\d+)", None, None),
    (r"^Dalvik/.{0,60}(Android) (\d+)(?:\.(\d+)|)", None, None),
    (r"(Version)/(\d+)\.(\d+)(?:\.(\d+)|).{0,100}Safari/", Some("Safari"), None),
    (r"(MSIE) (\d+)\.(\d+)", Some("IE"), None),
    (r"Trident/7\.0", Some("IE"), Some("11.0")),
    (r"(Python/\d+\.\d+ aiohttp)/(\d+)\.(\d+)(?:\.(\d+)|)", Some("Python aiohttp"), None),
    (r"(python-requests)/(\d+)\.(\d+)", Some("Python Requests"), None),
    (
        r"\b(Windows-Update-Agent|WindowsPowerShell|libwww-perl|curl|PycURL|Wget|aria2|insomnia|akka-http|got|ReactorNetty|Jersey|go-resty|AHC|HTTPie)(?:[ /](\d+)(?:\.(\d+)|)(?:\.(\d+)|)|)",
        None,
        None,
    ),
    (r"(Java)/(\d+)\.(\d+)(?:\.(\d+)|)", None, None),
];

const SYSTEMS: &[Row] = &[
    (r"(Android)[ \-/](\d+)(?:\.(\d+)|)(?:[.\-]([a-z0-9]+)|)", None, None),
    (r"(Windows Phone) (?:OS )?(\d+)\.(\d+)", None, None),
    (r"Windows NT 10\.0", Some("Windows"), Some("10")),
    (r"Windows NT 6\.3", Some("Windows"), Some("8.1")),
    (r"Windows NT 6\.2", Some("Windows"), Some("8")),
    (r"Windows NT 6\.1", Some("Windows"), Some("7")),
    (r"Windows NT 6\.0", Some("Windows"), Some("Vista")),
    (r"Windows NT 5\.[12]", Some("Windows"), Some("XP")),
    (r"(CPU[ +]OS|iPhone[ +]OS|CPU[ +]iPhone)[ +]+(\d+)[_.](\d+)(?:[_.](\d+)|)", Some("iOS"), None),
    (r"((?:Mac[ +]?|; )OS[ +]X)[\s+/](\d+)[_.](\d+)(?:[_.](\d+)|)", Some("Mac OS X"), None),
    (r"Intel Mac OS X", Some("Mac OS X"), Some("")),
    (r"(CrOS) [a-z0-9_]+ (\d+)\.(\d+)(?:\.(\d+)|)", Some("Chrome OS"), None),
    (r"(Ubuntu|Kubuntu|Fedora|Debian|Red Hat|SUSE|Arch Linux|CentOS)[/ ](\d+)\.(\d+)(?:\.(\d+)|)", None, None),
    (r"(Ubuntu|Fedora|Debian|Red Hat|SUSE|CentOS)", None, Some("")),
    (r"(Linux)[ /](\d+)\.(\d+)(?:\.(\d+)|)", None, None),
    (r"[Ll]inux", Some("Linux"), Some("")),
    (r"(FreeBSD|OpenBSD|NetBSD)", None, Some("")),
    (r"(Windows)", None, Some("")),
];

impl UserAgents {
    pub(super) fn new() -> Result<Self, String> {
        let compile = |rows: &[Row]| rows.iter().map(Rule::new).collect::<Result<Vec<_>, _>>();
        Ok(Self { clients: compile(CLIENTS)?, systems: compile(SYSTEMS)? })
    }

    /// Names and versions of client and system.
    pub(super) fn parse(&self, text: &[u8]) -> Map<'static> {
        let find = |rules: &[Rule]| rules.iter().find_map(|rule| rule.find(text));
        let unknown = || Finding { family: b"Other".to_vec(), version: Vec::new() };
        let client = find(&self.clients).unwrap_or_else(unknown);
        let system = find(&self.systems).unwrap_or_else(unknown);
        let mut entries = vec![
            (b"user_agent.name".into(), Value::string(client.family)),
            (b"user_agent.original".into(), Value::string(text)),
            (b"user_agent.version".into(), Value::string(client.version)),
            (b"os.name".into(), Value::string(system.family)),
        ];
        if !system.version.is_empty() {
            entries.push((b"os.version".into(), Value::string(system.version)));
        }
        Map::native(entries)
    }
}

impl Rule {
    fn new((pattern, family, version): &Row) -> Result<Self, String> {
        let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
        Ok(Self { regex, family: *family, version: *version })
    }

    fn find(&self, text: &[u8]) -> Option<Finding> {
        let captures = self.regex.captures(text)?;
        let family = self.family.map_or_else(|| group(&captures, 1).to_vec(), |family| family.as_bytes().to_vec());
        let version = self.version.map_or_else(|| version(&captures), |version| version.as_bytes().to_vec());
        Some(Finding { family, version })
    }
}

/// Groups two to four with dots between them, as far as they are there.
fn version(captures: &Captures<'_>) -> Vec<u8> {
    let parts: Vec<_> = (2..5).map(|index| group(captures, index)).filter(|part| !part.is_empty()).collect();
    parts.join(&b'.')
}

fn group<'t>(captures: &Captures<'t>, index: usize) -> &'t [u8] {
    captures.get(index).map_or(b"", |group| group.as_bytes())
}
