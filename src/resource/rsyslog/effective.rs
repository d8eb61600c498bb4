//! What rsyslog makes of its statements, one after the other.

use std::collections::BTreeMap;

use crate::fact::{Origin, Text};
use crate::parse::rsyslog::Item;

use super::files::Placed;

/// A file that is written.
pub(super) struct File {
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) origin: Origin,
}

/// Where logs are sent.
pub(super) struct Target {
    protocol: String,
    host: String,
    pub(super) encrypted: bool,
    pub(super) verified: bool,
    pub(super) queued: bool,
}

impl Target {
    pub(super) fn shown(&self) -> Text {
        let tls = if self.encrypted { "tls " } else { "" };
        format!("{tls}{} {}", self.protocol, self.host).into()
    }
}

/// What counts in the end.
#[derive(Default)]
pub(super) struct Effective {
    pub(super) files: Vec<File>,
    pub(super) targets: Vec<(Target, Origin)>,
    pub(super) inputs: Vec<(Text, Origin)>,
    pub(super) reads_journal: bool,
}

const NETWORK_INPUTS: [&str; 8] = ["imtcp", "imudp", "imrelp", "imptcp", "imgssapi", "im3195", "imhttp", "imdtls"];
const TLS_DRIVERS: [&str; 3] = ["gtls", "ossl", "mbedtls"];
/// Modules that send elsewhere, what they speak, and the parameter that names the other end.
const OUTPUTS: [(&str, &str, &str); 6] = [
    ("omrelp", "relp", "target"),
    ("omelasticsearch", "http", "server"),
    ("omhttp", "http", "server"),
    ("omkafka", "kafka", "broker"),
    ("omhiredis", "redis", "server"),
    ("omdtls", "dtls", "target"),
];

/// What old directives set for whatever comes after them.
struct State {
    file_mode: u32,
    module_mode: u32,
    driver: String,
    tls: bool,
    verify: bool,
    queue: BTreeMap<&'static str, String>,
}

fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim(), 8).ok()
}

fn word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

impl Effective {
    pub(super) fn of(statements: &[Placed]) -> Self {
        let mut effective = Self::default();
        let mut state =
            State { file_mode: 0o644, module_mode: 0o644, driver: String::new(), tls: false, verify: false, queue: BTreeMap::new() };
        // The driver that all use and the mode of the module hold for every action, wherever they are set.
        for placed in statements {
            match &placed.item {
                Item::Object(name, parameters) if name == "global" => {
                    if let Some(driver) = parameters.get("defaultnetstreamdriver") {
                        state.driver.clone_from(driver);
                    }
                }
                Item::Object(name, parameters) if name == "module" && parameters.get("load").is_some_and(|load| load == "builtin:omfile") => {
                    if let Some(mode) = parameters.get("filecreatemode").and_then(|mode| octal(mode)) {
                        state.module_mode = mode;
                    }
                }
                Item::Directive(name, value) if name == "defaultnetstreamdriver" => word(value).clone_into(&mut state.driver),
                _ => {}
            }
        }
        for placed in statements {
            match &placed.item {
                Item::Directive(name, value) => effective.directive(&mut state, name, value, &placed.origin),
                Item::Object(name, parameters) => effective.object(&state, name, parameters, &placed.origin),
                Item::Action(action) => effective.action(&mut state, action, &placed.origin),
            }
        }
        effective
    }

    fn input(&mut self, module: &str, origin: &Origin) {
        let module = module.trim_end_matches(".so").to_ascii_lowercase();
        let module = module.rsplit('/').next().unwrap_or_default();
        self.reads_journal |= module == "imjournal";
        if NETWORK_INPUTS.contains(&module) && !self.inputs.iter().any(|(known, _)| known.raw() == module) {
            self.inputs.push((module.into(), origin.clone()));
        }
    }

    fn directive(&mut self, state: &mut State, name: &str, value: &str, origin: &Origin) {
        let value = word(value);
        match name {
            "modload" => self.input(value, origin),
            "udpserverrun" => self.input("imudp", origin),
            "inputtcpserverrun" => self.input("imtcp", origin),
            "inputptcpserverrun" => self.input("imptcp", origin),
            "inputrelpserverrun" => self.input("imrelp", origin),
            "filecreatemode" => state.file_mode = octal(value).unwrap_or(state.file_mode),
            "actionsendstreamdrivermode" => state.tls = value == "1",
            "actionsendstreamdriverauthmode" => state.verify = verifies(value),
            "actionqueuetype" => drop(state.queue.insert("type", value.to_owned())),
            "actionqueuefilename" => drop(state.queue.insert("filename", value.to_owned())),
            "resetconfigvariables" => {
                (state.file_mode, state.tls, state.verify) = (0o644, false, false);
                state.queue.clear();
            }
            _ => {}
        }
    }

    fn object(&mut self, state: &State, name: &str, parameters: &BTreeMap<String, String>, origin: &Origin) {
        let get = |key: &str| parameters.get(key).map(String::as_str).unwrap_or_default();
        match name {
            "module" => self.input(get("load"), origin),
            "input" => self.input(get("type"), origin),
            "action" => {
                let kind = get("type").to_ascii_lowercase();
                let queued = !get("queue.filename").is_empty()
                    && !get("queue.type").is_empty()
                    && !get("queue.type").eq_ignore_ascii_case("direct");
                let on = |value: &str| value.eq_ignore_ascii_case("on") || value == "1";
                if kind == "omfile" {
                    let mode = octal(get("filecreatemode")).unwrap_or(state.module_mode);
                    let path = if get("file").is_empty() { get("dynafile") } else { get("file") };
                    self.files.push(File { path: path.to_owned(), mode, origin: origin.clone() });
                } else if kind == "omfwd" {
                    let tcp = get("protocol").eq_ignore_ascii_case("tcp");
                    let driver = if get("streamdriver").is_empty() { state.driver.as_str() } else { get("streamdriver") };
                    let encrypted = tcp && get("streamdrivermode") == "1" && TLS_DRIVERS.contains(&driver);
                    let port = if get("port").is_empty() { "514" } else { get("port") };
                    let verified = encrypted && verifies(get("streamdriverauthmode"));
                    let protocol = if tcp { "tcp" } else { "udp" }.to_owned();
                    let target = Target { protocol, host: format!("{}:{port}", get("target")), encrypted, verified, queued };
                    self.targets.push((target, origin.clone()));
                } else if let Some((_, protocol, other)) = OUTPUTS.iter().find(|(known, ..)| *known == kind) {
                    let encrypted = match kind.as_str() {
                        "omrelp" => on(get("tls")),
                        "omelasticsearch" | "omhttp" => on(get("usehttps")) || get(other).starts_with("https:"),
                        "omdtls" => true,
                        _ => false,
                    };
                    let verified = encrypted && if kind == "omrelp" { verifies(get("tls.authmode")) || get("tls.authmode") == "name" } else { !on(get("allowunsignedcerts")) && !on(get("skipverifyhost")) };
                    let host = get(other).to_owned();
                    self.targets.push((Target { protocol: (*protocol).to_owned(), host, encrypted, verified, queued }, origin.clone()));
                }
            }
            _ => {}
        }
    }

    /// An action of the old kind takes what was set before it, and the settings of its queue with it.
    fn action(&mut self, state: &mut State, action: &str, origin: &Origin) {
        let action = action.trim().trim_start_matches('-');
        let bare = action.split(';').next().unwrap_or_default().trim();
        if let Some(target) = bare.strip_prefix('@') {
            let (tcp, target) = target.strip_prefix('@').map_or((false, target), |target| (true, target));
            // Options stand in brackets in front, and so may an address of IPv6.
            let host = if target.starts_with('(') { target.split_once(')').map_or(target, |(_, host)| host) } else { target };
            let encrypted = tcp && state.tls && TLS_DRIVERS.contains(&state.driver.as_str());
            let queued = state.queue.get("filename").is_some_and(|name| !name.is_empty())
                && state.queue.get("type").is_some_and(|kind| !kind.eq_ignore_ascii_case("direct"));
            let protocol = if tcp { "tcp" } else { "udp" }.to_owned();
            let target = Target { protocol, host: host.to_owned(), encrypted, verified: encrypted && state.verify, queued };
            self.targets.push((target, origin.clone()));
        } else if bare.starts_with(['/', '?']) {
            self.files.push(File { path: bare.to_owned(), mode: state.file_mode, origin: origin.clone() });
        }
        state.queue.clear();
    }
}

/// Whether a mode of checking looks at the certificate of the other end.
fn verifies(mode: &str) -> bool {
    ["x509/name", "x509/certvalid", "x509/fingerprint", "certvalid", "fingerprint"].iter().any(|known| mode.eq_ignore_ascii_case(known))
}
