//! The front ends that manage the packet filter: ufw, firewalld, nftables' own service, the services of iptables.

mod files;
mod front_ends;
#[cfg(test)]
mod tests;

use crate::fact::{Fact, Flag, Gap, List, Text, record};

use super::{Context, Resource, Selector};
use front_ends::FrontEnds;

record! {
    /// How the packet filter of the host is managed. What it does is in `packet_filter`.
    pub struct Firewall("firewall") {
        /// Always `firewall`.
        name: Text,
        /// The one that counts here: of `ufw`, `firewalld`, `nftables` and `iptables` the one whose rules are loaded; where none are, the
        /// one that is enabled, else the only one that is installed. Absent where there is none, or none of several is used.
        front_end: Text,
        /// Front ends that are installed, of the four: ufw, firewalld, the service of nftables, a service that loads rules of iptables.
        installed: List,
        /// Those that start with the host. For ufw its own switch counts as well as its unit.
        enabled: List,
        /// Those whose rules are loaded now.
        running: List,
        /// Those that are both: enabled and running.
        active: List,
        /// Whether the switch in `/etc/ufw/ufw.conf` is on; absent without ufw.
        ufw_switched_on: Flag,
        /// What ufw does with what comes in and no rule is about: `deny`, `reject` or `allow`; absent without ufw.
        ufw_incoming: Text,
        /// The same of what goes out.
        ufw_outgoing: Text,
        /// The same of what is routed; `disabled` where nothing is forwarded.
        ufw_routed: Text,
        /// Hooks for which the files of nftables that are loaded at the start of the host make base chains that filter.
        nft_persisted: List,
        /// Whether those files begin by taking away all rules, those of engines too.
        nft_flushes: Flag,
        /// Whether firewalld trusts what comes over the loopback interface: it is in the zone `trusted`; absent without firewalld.
        firewalld_trusts_loopback: Flag,
        /// Whether a zone in use drops or rejects what says to come from 127.0.0.1 and is not for it, and the same of `::1`; absent without firewalld.
        firewalld_drops_spoofed_loopback: Flag,
    }
}

/// Finds the record.
pub struct Firewalls;

impl Resource for Firewalls {
    type Row = Firewall;
    const SELECTOR: &'static str = "`firewall`: there is one record";

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        if !of.picks("firewall") {
            return Ok(Vec::new());
        }
        let front_ends = FrontEnds::of(context)?;
        let ufw = files::Ufw::of(context);
        let nft = files::nft(context);
        let firewalld = files::firewalld(context);
        Ok(vec![Firewall {
            name: Fact::derived("firewall"),
            front_end: front_ends.chosen(),
            installed: front_ends.installed(),
            enabled: front_ends.enabled(),
            running: front_ends.running(),
            active: front_ends.active(),
            ufw_switched_on: ufw.switched_on,
            ufw_incoming: ufw.incoming,
            ufw_outgoing: ufw.outgoing,
            ufw_routed: ufw.routed,
            nft_persisted: nft.persisted,
            nft_flushes: nft.flushes,
            firewalld_trusts_loopback: firewalld.trusts_loopback,
            firewalld_drops_spoofed_loopback: firewalld.drops_spoofed,
        }])
    }
}
