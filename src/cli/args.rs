//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::audit::Tenths;
use crate::definition::{Role, Severity};

/// Audits the host a Docker engine runs on, and explains every verdict.
///
/// Nothing on the host is changed: the part that reads and judges is sealed by the kernel. Without
/// options, `plimsoll audit` finds the engines of this host and judges them by the bundled profile.
#[derive(Parser, Debug)]
#[command(
    name = "plimsoll",
    version,
    propagate_version = true,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Audit this host, or a directory that holds one, and print the scored result.
    Audit(AuditArgs),
    /// List what there is: checks, profiles, resources, parameters.
    List(ListArgs),
    /// Explain a check, a control or a resource.
    Explain(ExplainArgs),
    /// Show what plimsoll sees: records of a resource, with the origin of every value.
    Facts(FactsArgs),
    /// Look for mistakes in definition files.
    Lint(PathsArgs),
    /// Run the cases that stand beside definitions.
    Test(PathsArgs),
    /// Print a JSON Schema.
    Schema(SchemaArgs),
    /// Try what the sandbox must refuse, and show each refusal.
    SelfTest(SelfTestArgs),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// Where definitions come from, beside the binary and `/etc/plimsoll`.
#[derive(Args, Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct DefinitionArgs {
    /// Load benchmarks and profiles from this directory too. May be given more than once.
    #[arg(long, value_name = "DIR")]
    pub(crate) benchmarks: Vec<PathBuf>,
}

/// What is changed about them for this host.
#[derive(Args, Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TailoringArgs {
    /// The site file: profiles, parameters, waivers. [default: /etc/plimsoll/site.toml where it is]
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,

    /// Set a parameter, over profile and site: `--set container_ports=tcp/443,tcp/80`. May be given more than once.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) sets: Vec<String>,
}

/// Which host is looked at, and how.
#[derive(Args, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HostArgs {
    /// Audit the host in this directory instead of this machine. A `host.toml` beside it may hold what a directory cannot.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Also ask an engine whose socket has an unusual name. May be given more than once.
    #[arg(long, value_name = "PATH")]
    pub(crate) engine_socket: Vec<PathBuf>,

    /// Give up on what has not been read by then, and report the rest.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(crate) deadline: Duration,

    /// Whether the worker is sealed. Off is printed and recorded in the result.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Switch::On)]
    pub(crate) sandbox: Switch,

    /// Refuse to run where the kernel cannot seal the worker fully.
    #[arg(long, conflicts_with = "sandbox")]
    pub(crate) require_sandbox: bool,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Switch {
    /// Sealed as far as the kernel can.
    On,
    /// Not sealed.
    Off,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HostRole {
    /// A machine that serves others.
    Server,
    /// A machine somebody sits at.
    Workstation,
}

impl From<HostRole> for Role {
    fn from(role: HostRole) -> Self {
        match role {
            HostRole::Server => Self::Server,
            HostRole::Workstation => Self::Workstation,
        }
    }
}

#[derive(Args, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AuditArgs {
    /// Judge by this profile. May be given more than once. [default: every bundled default profile that applies]
    #[arg(long, short, value_name = "ID", value_delimiter = ',')]
    pub(crate) profile: Vec<String>,

    /// Leave out controls above this level.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=9))]
    pub(crate) level: Option<u8>,

    /// What the host is for: some controls have another level for a machine somebody sits at. [default: server]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<HostRole>,

    /// Run only these checks; globs are understood. May be given more than once.
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// Leave these checks out; they are listed as skipped. May be given more than once.
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,

    #[command(flatten)]
    pub(crate) tailoring: TailoringArgs,

    #[command(flatten)]
    pub(crate) host: HostArgs,

    /// Write the result in this format, to standard output or to a file: `terminal`, `json`, `csv=score.csv`. May be given more than once.
    #[arg(long, short, value_name = "FORMAT[=FILE]")]
    pub(crate) format: Vec<String>,

    /// Exit with 1 when a check of this severity or above fails and is not waived.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) fail_on: Option<Severity>,

    /// Exit with 1 when the score is below this.
    #[arg(long, value_name = "SCORE", value_parser = tenths)]
    pub(crate) fail_under: Option<Tenths>,

    /// Exit with 1 when a check could not be decided.
    #[arg(long)]
    pub(crate) fail_on_unknown: bool,

    /// Exit with 4 when less than this share could be determined, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = tenths)]
    pub(crate) min_coverage: Option<Tenths>,

    /// Print what would be asked and read, and stop.
    #[arg(long)]
    pub(crate) plan: bool,

    /// Print how the score comes about, with the worksheet.
    #[arg(long)]
    pub(crate) explain_score: bool,

    /// Show passes and what does not apply too, with their evidence.
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// When to colour the report. `auto` is for terminals, and honours NO_COLOR.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub(crate) colour: Colour,

    /// Directory for the lock that keeps two audits apart. [default: /var/lib/plimsoll, or the user's state directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum ListWhat {
    /// Checks, with severity and title.
    Checks,
    /// Profiles, with how many controls they cover.
    Profiles,
    /// Resources, with what one record is.
    Resources,
    /// Parameters, with their defaults.
    #[value(alias = "params")]
    Parameters,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// What to list.
    #[arg(value_enum)]
    pub(crate) what: ListWhat,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// A check (`docker-icc-disabled`), a control (`cis-docker-1.8 2.2`), a resource (`container`), a profile or a parameter.
    #[arg(required = true, num_args = 1..=2, value_name = "NAME")]
    pub(crate) what: Vec<String>,

    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

#[derive(Args, Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FactsArgs {
    /// The resource, such as `container`; `plimsoll list resources` shows them.
    pub(crate) resource: String,

    /// Which records: a name, a glob, or `NAME=VALUE` for resources that take arguments. [default: all]
    pub(crate) selector: Vec<String>,

    #[command(flatten)]
    pub(crate) host: HostArgs,

    /// Print JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PathsArgs {
    /// Files or directories. [default: what is inside the binary]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum SchemaOf {
    /// Benchmark files, for editors.
    Benchmark,
    /// Profile files, for editors.
    Profile,
    /// The JSON result of an audit.
    Run,
}

#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// Of what.
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum SelfTestOf {
    /// The sandbox of the worker.
    Sandbox,
}

#[derive(Args, Debug)]
pub(crate) struct SelfTestArgs {
    /// What to test.
    #[arg(value_enum)]
    pub(crate) of: SelfTestOf,

    /// Try the same without the sandbox, to see that it is what refuses. Nothing is harmed.
    #[arg(long, hide = true)]
    pub(crate) unsealed: bool,
}

fn tenths(text: &str) -> Result<Tenths, String> {
    Tenths::parse(text).ok_or_else(|| "a number from 0 to 100, such as 80 or 79.5".to_owned())
}

fn severity(text: &str) -> Result<Severity, String> {
    let words = || Severity::ALL.map(Severity::word);
    Severity::parse(text).ok_or_else(|| format!("one of {}", words().join(", ")))
}

/// Reads `90`, `90s`, `10m`, `1h` or `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "a number with ms, s, m or h, such as 10m".to_owned())?;
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let milliseconds = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("the unit is ms, s, m or h".to_owned()),
    };
    match number.checked_mul(milliseconds) {
        Some(0) | None => Err("more than nothing and less than a lifetime".to_owned()),
        Some(total) => Ok(Duration::from_millis(total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        assert!(duration("0").is_err());
        assert!(duration("10y").is_err());
        assert!(duration("m").is_err());
    }
}
