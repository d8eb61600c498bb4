//! The options of sshd: how each is written, whether a `Match` block may set it, and what it is when nothing does.

use super::algorithms::Family;

/// How the arguments of an option are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One of some words, each with the word that means the same and is kept.
    Words(&'static [(&'static str, &'static str)]),
    /// A whole number.
    Integer,
    /// A time such as `1m30s`, kept in seconds.
    Time,
    /// The same, or `none`.
    TimeOrNone,
    /// One word as it is.
    Text,
    /// One word that names a file, or `none`.
    Path,
    /// Permission bits in octal. The last line that sets them counts.
    Octal,
    /// One of some words, as `Words`, but the last line that sets it counts.
    LastWord(&'static [(&'static str, &'static str)]),
    /// The rest of the line.
    Rest,
    /// Names of algorithms, or a change to the compiled-in list.
    Algorithms(Family),
    /// Words of the first line that has any.
    List,
    /// The same, of ports that clients may have opened for them.
    Listens,
    /// Words of every line.
    Every,
    /// One word of every line.
    EveryFirst,
    /// A name and a command of every line; of one name the first line counts.
    Subsystems,
    /// `start:rate:full`, or one number for `start` and `full`.
    Startups,
    /// Bits of the network for IPv4 and, after a colon, for IPv6.
    Blocks,
    /// A number, or `none`.
    NumberOrNone,
    /// An amount of data, and perhaps a time.
    Rekey,
    /// `yes`, `no` (in small letters), or a pattern of names.
    UserEnvironment,
}

/// What an option is when nothing sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// This, in every release.
    Is(&'static str),
    /// These, in every release.
    Are(&'static [&'static str]),
    /// Nothing: it is not in effect.
    Nothing,
    /// What this build of sshd was made with.
    Compiled,
}

/// One option.
#[derive(Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name as the manual writes it.
    pub name: &'static str,
    /// Other names for it, in small letters.
    pub aliases: &'static [&'static str],
    /// How it is written.
    pub shape: Shape,
    /// Whether a `Match` block may set it.
    pub in_match: bool,
    /// What it is when nothing sets it.
    pub unset: Unset,
    /// Whether it came after OpenSSH 8.0 or belongs to a distribution: only a build that has it has a record of it.
    pub young: bool,
}

const FLAG: Shape = Shape::Words(&[("yes", "yes"), ("no", "no")]);
const FORWARDING: Shape = Shape::Words(&[("yes", "yes"), ("all", "yes"), ("no", "no"), ("remote", "remote"), ("local", "local")]);
const LEVELS: Shape = Shape::Words(&[
    ("silent", "QUIET"),
    ("quiet", "QUIET"),
    ("fatal", "FATAL"),
    ("error", "ERROR"),
    ("info", "INFO"),
    ("verbose", "VERBOSE"),
    ("debug", "DEBUG"),
    ("debug1", "DEBUG"),
    ("debug2", "DEBUG2"),
    ("debug3", "DEBUG3"),
]);
const FACILITIES: Shape = Shape::Words(&[
    ("daemon", "DAEMON"),
    ("user", "USER"),
    ("auth", "AUTH"),
    ("authpriv", "AUTHPRIV"),
    ("local0", "LOCAL0"),
    ("local1", "LOCAL1"),
    ("local2", "LOCAL2"),
    ("local3", "LOCAL3"),
    ("local4", "LOCAL4"),
    ("local5", "LOCAL5"),
    ("local6", "LOCAL6"),
    ("local7", "LOCAL7"),
]);
const ROOT: Shape = Shape::Words(&[
    ("prohibit-password", "prohibit-password"),
    ("without-password", "prohibit-password"),
    ("forced-commands-only", "forced-commands-only"),
    ("yes", "yes"),
    ("no", "no"),
]);
const TUNNEL: Shape = Shape::Words(&[("no", "no"), ("point-to-point", "point-to-point"), ("ethernet", "ethernet"), ("yes", "yes")]);

const NO: Unset = Unset::Is("no");
const YES: Unset = Unset::Is("yes");
const NONE: Unset = Unset::Is("none");

const fn all(name: &'static str, shape: Shape, unset: Unset) -> Spec {
    Spec { name, aliases: &[], shape, in_match: true, unset, young: false }
}

const fn global(name: &'static str, shape: Shape, unset: Unset) -> Spec {
    Spec { in_match: false, ..all(name, shape, unset) }
}

impl Spec {
    const fn young(self) -> Self {
        Self { young: true, ..self }
    }

    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

/// Every option, in the order of the manual's alphabet.
pub static OPTIONS: &[Spec] = &[
    all("AcceptEnv", Shape::Every, Unset::Nothing),
    global("AddressFamily", Shape::Words(&[("any", "any"), ("inet", "inet"), ("inet6", "inet6")]), Unset::Is("any")),
    all("AllowAgentForwarding", FLAG, YES),
    all("AllowGroups", Shape::Every, Unset::Nothing),
    all("AllowStreamLocalForwarding", FORWARDING, YES),
    all("AllowTcpForwarding", FORWARDING, YES),
    all("AllowUsers", Shape::Every, Unset::Nothing),
    all("AuthenticationMethods", Shape::List, Unset::Is("any")),
    all("AuthorizedKeysCommand", Shape::Rest, NONE),
    all("AuthorizedKeysCommandUser", Shape::Text, NONE),
    all("AuthorizedKeysFile", Shape::List, Unset::Are(&[".ssh/authorized_keys", ".ssh/authorized_keys2"])),
    all("AuthorizedPrincipalsCommand", Shape::Rest, NONE),
    all("AuthorizedPrincipalsCommandUser", Shape::Text, NONE),
    all("AuthorizedPrincipalsFile", Shape::Text, NONE),
    all("Banner", Shape::Path, NONE),
    all("CASignatureAlgorithms", Shape::Algorithms(Family::Signatures), Unset::Compiled),
    all("ChannelTimeout", Shape::List, NONE).young(),
    all("ChrootDirectory", Shape::Text, NONE),
    global("Ciphers", Shape::Algorithms(Family::Ciphers), Unset::Compiled),
    all("ClientAliveCountMax", Shape::Integer, Unset::Is("3")),
    all("ClientAliveInterval", Shape::Time, Unset::Is("0")),
    global("Compression", Shape::Words(&[("yes", "yes"), ("delayed", "yes"), ("no", "no")]), YES),
    global("DebianBanner", FLAG, YES).young(),
    all("DenyGroups", Shape::Every, Unset::Nothing),
    all("DenyUsers", Shape::Every, Unset::Nothing),
    all("DisableForwarding", FLAG, NO),
    all("ExposeAuthInfo", FLAG, NO),
    global(
        "FingerprintHash",
        Shape::LastWord(&[("md5", "MD5"), ("sha256", "SHA256"), ("sha1", "SHA1"), ("sha384", "SHA384"), ("sha512", "SHA512")]),
        Unset::Is("SHA256"),
    ),
    all("ForceCommand", Shape::Rest, NONE),
    all("GatewayPorts", Shape::Words(&[("clientspecified", "clientspecified"), ("yes", "yes"), ("no", "no")]), NO),
    all("GSSAPIAuthentication", FLAG, NO),
    global("GSSAPICleanupCredentials", FLAG, YES),
    all("GSSAPIDelegateCredentials", FLAG, Unset::Compiled).young(),
    all("GSSAPIEnablek5users", FLAG, NO).young(),
    global("GSSAPIKexAlgorithms", Shape::Text, Unset::Compiled).young(),
    global("GSSAPIKeyExchange", FLAG, NO).young(),
    global("GSSAPIStoreCredentialsOnRekey", FLAG, NO).young(),
    global("GSSAPIStrictAcceptorCheck", FLAG, YES),
    all("HostbasedAcceptedAlgorithms", Shape::Algorithms(Family::Keys), Unset::Compiled).also(&["hostbasedacceptedkeytypes"]),
    all("HostbasedAuthentication", FLAG, NO),
    all("HostbasedUsesNameFromPacketOnly", FLAG, NO),
    global("HostCertificate", Shape::EveryFirst, Unset::Nothing),
    global("HostKey", Shape::EveryFirst, Unset::Compiled).also(&["hostdsakey"]),
    global("HostKeyAgent", Shape::Text, NONE),
    global("HostKeyAlgorithms", Shape::Algorithms(Family::Keys), Unset::Compiled),
    all("IgnoreRhosts", Shape::Words(&[("yes", "yes"), ("no", "no"), ("shosts-only", "shosts-only")]), YES),
    global("IgnoreUserKnownHosts", FLAG, NO),
    all("IPQoS", Shape::List, Unset::Compiled),
    all("KbdInteractiveAuthentication", FLAG, YES).also(&["challengeresponseauthentication", "skeyauthentication"]),
    all("KerberosAuthentication", FLAG, NO),
    global("KerberosGetAFSToken", FLAG, NO),
    global("KerberosOrLocalPasswd", FLAG, YES),
    global("KerberosTicketCleanup", FLAG, YES),
    all("KerberosUniqueCCache", FLAG, Unset::Compiled).young(),
    all("KerberosUseKuserok", FLAG, YES).young(),
    global("KexAlgorithms", Shape::Algorithms(Family::Exchanges), Unset::Compiled),
    global("ListenAddress", Shape::Every, Unset::Nothing),
    global("LoginGraceTime", Shape::Time, Unset::Is("120")),
    all("LogLevel", LEVELS, Unset::Is("INFO")),
    all("LogVerbose", Shape::List, NONE).young(),
    global("MACs", Shape::Algorithms(Family::Macs), Unset::Compiled),
    all("MaxAuthTries", Shape::Integer, Unset::Is("6")),
    all("MaxSessions", Shape::Integer, Unset::Is("10")),
    global("MaxStartups", Shape::Startups, Unset::Is("10:30:100")),
    global("ModuliFile", Shape::Path, Unset::Compiled).young(),
    all("PAMServiceName", Shape::Text, Unset::Is("sshd")).young(),
    all("PasswordAuthentication", FLAG, YES),
    all("PermitEmptyPasswords", FLAG, NO),
    all("PermitListen", Shape::Listens, Unset::Is("any")),
    all("PermitOpen", Shape::List, Unset::Is("any")),
    all("PermitRootLogin", ROOT, Unset::Is("prohibit-password")),
    all("PermitTTY", FLAG, YES),
    all("PermitTunnel", TUNNEL, NO),
    global("PermitUserEnvironment", Shape::UserEnvironment, NO),
    all("PermitUserRC", FLAG, YES),
    global("PerSourceMaxStartups", Shape::NumberOrNone, NONE).young(),
    global("PerSourceNetBlockSize", Shape::Blocks, Unset::Is("32:128")).young(),
    global("PerSourcePenalties", Shape::Every, YES).young(),
    global("PerSourcePenaltyExemptList", Shape::Text, NONE).young(),
    global("PidFile", Shape::Path, Unset::Compiled),
    global("Port", Shape::EveryFirst, Unset::Is("22")),
    global("PrintLastLog", FLAG, YES),
    global("PrintMotd", FLAG, YES),
    all("PubkeyAcceptedAlgorithms", Shape::Algorithms(Family::Keys), Unset::Compiled).also(&["pubkeyacceptedkeytypes"]),
    all("PubkeyAuthentication", FLAG, YES).also(&["dsaauthentication"]),
    all("PubkeyAuthOptions", Shape::List, NONE).young(),
    all("RDomain", Shape::Text, NONE),
    all("RefuseConnection", FLAG, NO).young(),
    all("RekeyLimit", Shape::Rekey, Unset::Is("0 0")),
    all("RequiredRSASize", Shape::Integer, Unset::Is("1024")).young().also(&["rsaminsize"]),
    all("RevokedKeys", Shape::List, NONE),
    global("SecurityKeyProvider", Shape::Text, Unset::Is("internal")).young(),
    all("SetEnv", Shape::List, Unset::Nothing),
    global("SshdAuthPath", Shape::Path, Unset::Compiled).young(),
    global("SshdSessionPath", Shape::Path, Unset::Compiled).young(),
    all("StreamLocalBindMask", Shape::Octal, Unset::Is("0177")),
    all("StreamLocalBindUnlink", FLAG, NO),
    global("StrictModes", FLAG, YES),
    all("Subsystem", Shape::Subsystems, Unset::Nothing),
    global("SyslogFacility", FACILITIES, Unset::Is("AUTH")),
    global("TCPKeepAlive", FLAG, YES).also(&["keepalive"]),
    all("TrustedUserCAKeys", Shape::Path, NONE),
    all("UnusedConnectionTimeout", Shape::TimeOrNone, NONE).young(),
    global("UseDNS", FLAG, NO),
    global("UsePAM", FLAG, NO),
    global("VersionAddendum", Shape::Rest, NONE),
    all("X11DisplayOffset", Shape::Integer, Unset::Is("10")),
    all("X11Forwarding", FLAG, NO),
    all("X11UseLocalhost", FLAG, YES),
    global("XAuthLocation", Shape::Path, Unset::Compiled),
];

/// The option a keyword, in small letters, stands for.
#[must_use]
pub fn by_keyword(keyword: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|spec| spec.name.eq_ignore_ascii_case(keyword) || spec.aliases.contains(&keyword))
}

/// Whether a keyword has no record: it once meant something, or is a distribution's own for something else than security.
#[must_use]
pub fn ignored(keyword: &str) -> bool {
    const IGNORED: [&str; 25] = [
        "afstokenpassing",
        "authorizedkeysfile2",
        "checkmail",
        "kerberostgtpassing",
        "keyregenerationinterval",
        "pamauthenticationviakbdint",
        "protocol",
        "reversemappingcheck",
        "rhostsauthentication",
        "rhostsrsaauthentication",
        "rsaauthentication",
        "serverkeybits",
        "uselogin",
        "useprivilegeseparation",
        "verifyreversemapping",
        "gssusesessionccache",
        "gssapiusesessioncredcache",
        "showpatchlevel",
        "disablemtaes",
        "hpnbuffersize",
        "hpndisabled",
        "noneenabled",
        "nonemacenabled",
        "tcprcvbufpoll",
        "useblacklist",
    ];
    IGNORED.contains(&keyword)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::sshd::normalise;

    #[test]
    fn every_option_is_found_by_its_name_and_its_default_is_one_it_takes() {
        for spec in OPTIONS {
            assert_eq!(by_keyword(&spec.name.to_ascii_lowercase()), Some(spec));
            assert!(spec.aliases.iter().all(|alias| by_keyword(alias) == Some(spec)), "{}", spec.name);
            assert!(!ignored(&spec.name.to_ascii_lowercase()));
            if let Unset::Is(value) = spec.unset {
                let words: Vec<String> = value.split(' ').map(str::to_owned).collect();
                assert_eq!(normalise(spec, &words, value).unwrap().text, value, "{}", spec.name);
            }
        }
        assert_eq!(by_keyword("keepalive").map(|spec| spec.name), Some("TCPKeepAlive"));
        assert_eq!(by_keyword("match"), None);
    }
}
