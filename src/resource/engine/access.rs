//! Who may use an engine's socket, which is to be root.

use crate::fact::{Fact, Origin, Text};
use crate::resource::Context;
use crate::resource::accounts::Accounts;
use crate::resource::docker::unit::content;
use crate::resource::docker::{Engine, Kind};
use crate::resource::systemd::origin;

/// The group that is given the socket: by dockerd itself, or by the unit whose socket it inherits. Absent where it stays
/// with the user who runs the engine.
pub(in crate::resource) fn group(engine: &Engine) -> Fact<Text> {
    let told = engine.told.text("group");
    let unset = matches!(told.origin(), Origin::Default { .. });
    if engine.kind == Kind::Podman || (engine.rootless && unset) {
        return Fact::Absent(Origin::Derived);
    }
    let inherited = engine.told.values("hosts").known().is_some_and(|hosts| hosts.iter().any(|host| host.raw().starts_with("fd://")));
    let group = match content(&engine.told.socket_unit) {
        Fact::Known(unit, file) if inherited => match unit.last("Socket", "SocketGroup") {
            Some(set) => Fact::Known(Text::from(set.value.as_str()), origin(set)),
            None => Fact::Absent(file),
        },
        Fact::Unknown(gap) if inherited => Fact::Unknown(gap),
        _ => told,
    };
    group.and_then(|group, origin| if group.raw().is_empty() { Fact::Absent(origin) } else { Fact::Known(group, origin) })
}

/// Everybody in that group: its members, and those whose primary group it is.
pub(super) fn users(context: &Context<'_>, engine: &Engine) -> Fact<Vec<Text>> {
    let accounts = Accounts::of(context);
    let group = match group(engine) {
        Fact::Known(group, _) => group,
        Fact::Absent(origin) => return Fact::Known(Vec::new(), origin),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    accounts.group.as_ref().and_then(|groups, origin| {
        // dockerd takes a number where there is no such name.
        let number: Option<u32> = group.raw().parse().ok();
        let named = groups.entries.iter().find(|entry| entry.name == group);
        let entry = named.or_else(|| groups.entries.iter().find(|entry| Some(entry.gid) == number));
        let Some(gid) = entry.map(|entry| entry.gid).or(number) else { return Fact::Known(Vec::new(), origin) };
        let origin = entry.map_or(origin, |entry| Origin::line(crate::resource::accounts::GROUP, entry.line));
        accounts.passwd.as_ref().and_then(|passwd, _| {
            let mut users: Vec<Text> = entry.map(|entry| entry.members.clone()).unwrap_or_default();
            for user in passwd.entries.iter().filter(|user| user.gid == gid) {
                if !users.contains(&user.name) {
                    users.push(user.name.clone());
                }
            }
            Fact::Known(users, origin)
        })
    })
}
