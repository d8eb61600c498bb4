//! What systemd's programs are called, and what their settings are by default.

/// One of systemd's programs with a configuration file of its own.
pub(super) struct Component {
    /// Name of the file without `.conf`.
    pub(super) name: &'static str,
    /// The program.
    pub(super) program: &'static str,
    /// The section of its settings.
    pub(super) section: &'static str,
    /// Settings that are known here. Others can be asked for, and have no default.
    pub(super) keys: &'static [Key],
}

/// One setting.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Default,
}

/// What holds where nothing is set.
#[derive(Clone, Copy)]
pub(super) enum Default {
    /// The same in every build.
    Is(&'static str),
    /// Nothing.
    None,
    /// Whoever builds systemd chooses.
    OfTheBuild,
    /// Whether the journal goes to syslog, which distributions choose.
    Forwarding,
}

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Several assignments add up.
    List,
    /// Yes or no; systemd passes over what is neither.
    Switch,
    /// Yes or no, or a size.
    SwitchOrSize,
    /// One of some words; systemd passes over others.
    Word(&'static [&'static str]),
}

impl Kind {
    /// The value in its one spelling; `None` for one that systemd does not take. An empty one is taken.
    pub(super) fn read(self, value: &str) -> Option<String> {
        if value.is_empty() {
            return Some(String::new());
        }
        let switch = || match value.to_ascii_lowercase().as_str() {
            "1" | "yes" | "y" | "true" | "t" | "on" => Some("yes".to_owned()),
            "0" | "no" | "n" | "false" | "f" | "off" => Some("no".to_owned()),
            _ => None,
        };
        match self {
            Self::Text | Self::List => Some(value.to_owned()),
            Self::Switch => switch(),
            Self::SwitchOrSize => {
                switch().or_else(|| value.starts_with(|c: char| c.is_ascii_digit()).then(|| value.to_owned()))
            }
            Self::Word(words) => words.contains(&value).then(|| value.to_owned()),
        }
    }
}

const fn key(name: &'static str, kind: Kind, default: Default) -> Key {
    Key { name, kind, default }
}

/// The programs. Defaults are those of journald.conf(5), timesyncd.conf(5), coredump.conf(5) and their like.
pub(super) const COMPONENTS: &[Component] = &[
    Component {
        name: "journald",
        program: "systemd-journald",
        section: "Journal",
        keys: &[
            key("Storage", Kind::Word(&["volatile", "persistent", "auto", "none"]), Default::Is("auto")),
            key("Compress", Kind::SwitchOrSize, Default::Is("yes")),
            key("Seal", Kind::Switch, Default::Is("yes")),
            key("ForwardToSyslog", Kind::Switch, Default::Forwarding),
            key("ForwardToWall", Kind::Switch, Default::Is("yes")),
            key("RateLimitIntervalSec", Kind::Text, Default::Is("30s")),
            key("RateLimitBurst", Kind::Text, Default::Is("10000")),
            key("SystemMaxUse", Kind::Text, Default::None),
            key("SystemKeepFree", Kind::Text, Default::None),
            key("RuntimeMaxUse", Kind::Text, Default::None),
            key("RuntimeKeepFree", Kind::Text, Default::None),
            key("MaxFileSec", Kind::Text, Default::Is("1month")),
            key("MaxRetentionSec", Kind::Text, Default::None),
        ],
    },
    Component {
        name: "journal-upload",
        program: "systemd-journal-upload",
        section: "Upload",
        keys: &[
            key("URL", Kind::Text, Default::None),
            key("ServerKeyFile", Kind::Text, Default::OfTheBuild),
            key("ServerCertificateFile", Kind::Text, Default::OfTheBuild),
            key("TrustedCertificateFile", Kind::Text, Default::OfTheBuild),
        ],
    },
    Component { name: "journal-remote", program: "systemd-journal-remote", section: "Remote", keys: &[key("Seal", Kind::Switch, Default::Is("no"))] },
    Component {
        name: "timesyncd",
        program: "systemd-timesyncd",
        section: "Time",
        keys: &[key("NTP", Kind::List, Default::None), key("FallbackNTP", Kind::List, Default::OfTheBuild)],
    },
    Component {
        name: "coredump",
        program: "systemd-coredump",
        section: "Coredump",
        keys: &[
            key("Storage", Kind::Word(&["none", "external", "journal"]), Default::Is("external")),
            key("ProcessSizeMax", Kind::Text, Default::OfTheBuild),
        ],
    },
    Component {
        name: "logind",
        program: "systemd-logind",
        section: "Login",
        keys: &[
            key("KillUserProcesses", Kind::Switch, Default::OfTheBuild),
            key("StopIdleSessionSec", Kind::Text, Default::Is("infinity")),
            key("RemoveIPC", Kind::Switch, Default::Is("yes")),
        ],
    },
];
