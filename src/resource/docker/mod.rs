//! The container engines of the host, and what they answer: shared by every resource about Docker.

mod answers;
mod bridge;
mod discover;
mod document;
#[cfg(test)]
pub(super) mod fixture;
mod process;
pub(super) mod registries;
pub(super) mod security;
mod told;
pub(super) mod unit;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::host::engine::Route;
use crate::parse::engine_json::ContainerListEntry;

use super::{Context, Selector};
use answers::Answers;
pub(super) use bridge::{bridge_icc, default_bridge_device, default_bridge_icc, is_default_bridge};
pub(super) use document::{Document, member, texts};
pub(super) use process::Process;
pub(super) use told::{Place, Source, Told};

/// Which engine it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Docker or what calls itself so.
    Docker,
    /// Podman's service with Docker's API.
    Podman,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// One engine of the host. Which others there are never depends on what one of them answers.
#[derive(Debug)]
pub(super) struct Engine {
    /// `docker`, `docker@USER`, `podman`, `podman@USER`; further ones of a kind and user end in `:SOCKET`.
    pub(super) name: Text,
    pub(super) kind: Kind,
    /// The API socket that is asked, links in its directories resolved. `None` where the engine listens on no path that can be told.
    pub(super) socket: Option<PathBuf>,
    /// Whether it runs without root privileges.
    pub(super) rootless: bool,
    /// User the engine is run by, numeric.
    pub(super) uid: u32,
    /// Its name, or the number where it has none.
    pub(super) user: Text,
    /// Its home; `~UID` where that cannot be seen: see [`homeless`].
    pub(super) home: PathBuf,
    /// The daemon's process, where one runs and can be seen.
    pub(super) process: Option<Process>,
    /// The socket unit that listens in place of the daemon, which is stopped: a question would start it.
    pub(super) asleep: Option<Origin>,
    /// What it was told on its command line, by its unit, and in its configuration file.
    pub(super) told: Told,
    /// Why it cannot be told whether it is more than installed. Then nothing else is known of it.
    pub(super) doubt: Option<Gap>,
}

impl Engine {
    /// What the engine answers to a question. Each question is put once per run.
    pub(super) fn get(&self, context: &Context<'_>, question: Route) -> Fact<Arc<[u8]>> {
        match self.asked(question) {
            Ok(socket) => context.once(|_| Answers::default()).raw(context, socket, question),
            Err(gap) => Fact::Unknown(gap),
        }
    }

    /// The same, read as JSON. Each answer is parsed once per run.
    pub(super) fn json(&self, context: &Context<'_>, question: Route) -> Fact<Arc<serde_json::Value>> {
        match self.asked(question) {
            Ok(socket) => context.once(|_| Answers::default()).json(context, socket, question),
            Err(gap) => Fact::Unknown(gap),
        }
    }

    /// The same, to take facts from.
    pub(super) fn document(&self, context: &Context<'_>, question: Route) -> Document {
        Document(self.json(context, question))
    }

    /// Asks for a list anew, for what was in it and is not known when asked for: it may be gone since, or somebody keeps it
    /// from us. Gives the gap of what is still listed, by identifier; `None` for what is gone.
    pub(super) fn still_listed(&self, context: &Context<'_>, list: Route) -> impl Fn(&str) -> Option<Gap> + use<> {
        #[derive(serde::Deserialize)]
        struct Listed {
            #[serde(rename = "Id", default)]
            id: Option<String>,
        }
        let gap = Gap::new(self.origin(list), Reason::malformed("the engine lists it and does not know it"));
        let again = self.socket.as_deref().map(|socket| context.host.engine(socket, &list));
        let listed = match again {
            Some(Fact::Known(body, origin)) => {
                serde_json::from_slice::<Vec<Listed>>(&body).map_err(|error| Gap::new(origin, Reason::malformed(error.to_string())))
            }
            Some(Fact::Unknown(gap)) => Err(gap),
            Some(Fact::Absent(_)) | None => Err(gap.clone()),
        };
        let ids = listed.map(|listed| listed.into_iter().filter_map(|one| one.id).collect::<BTreeSet<_>>());
        move |id| match &ids {
            Ok(ids) => ids.contains(id).then(|| gap.clone()),
            Err(gap) => Some(gap.clone()),
        }
    }

    /// The containers it lists, running or not. Listed once per run.
    pub(super) fn containers(&self, context: &Context<'_>) -> Fact<Arc<Vec<ContainerListEntry>>> {
        match self.asked(Route::Containers) {
            Ok(socket) => context.once(|_| Answers::default()).containers(context, socket),
            Err(gap) => Fact::Unknown(gap),
        }
    }

    /// Where an answer comes from.
    pub(super) fn origin(&self, question: Route) -> Origin {
        let engine = self.socket.as_deref().map_or_else(|| self.name.clone(), Text::from);
        Origin::engine(engine, question.to_string())
    }

    /// The socket to ask, or why nothing is asked.
    fn asked(&self, question: Route) -> Result<&Path, Gap> {
        let not = |why: &str| Gap::new(self.origin(question), Reason::unsupported(why));
        match (&self.asleep, &self.socket) {
            (Some(_), _) => Err(not("the engine is stopped, and a question would start it")),
            (None, None) => Err(not("the engine listens on no socket with a path")),
            (None, Some(socket)) => Ok(socket),
        }
    }

    /// The data directory, links not resolved: as the engine says, else as it was told. The directory that remapping
    /// of user namespaces makes in it, `UID.GID`, is taken off.
    pub(super) fn data_root(&self, context: &Context<'_>) -> Fact<PathBuf> {
        self.used_root(context).map(without_remapping)
    }

    /// The directory the engine really keeps its images, containers and volumes in: with remapping of user namespaces,
    /// that is the directory `UID.GID` in the data directory, as long as the engine is there to say so.
    pub(super) fn used_root(&self, context: &Context<'_>) -> Fact<PathBuf> {
        let said = self
            .document(context, Route::Info)
            .at("/DockerRootDir", |dir| dir.as_str().filter(|dir| dir.starts_with('/')).map(PathBuf::from));
        match said {
            // Only dockerd's own files tell of a data directory.
            Fact::Absent(_) | Fact::Unknown(_) if self.kind == Kind::Docker => self.told.data_root(),
            unsaid => unsaid,
        }
    }
}

fn without_remapping(path: PathBuf) -> PathBuf {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let last = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('.'));
    match (last, path.parent()) {
        (Some((uid, gid)), Some(parent)) if number(uid) && number(gid) => parent.to_path_buf(),
        _ => path,
    }
}

/// Why nothing can be said of a path below the home of a user whose home cannot be seen.
pub(super) fn homeless(path: &Path) -> Option<Gap> {
    let first = path.components().next().and_then(|first| first.as_os_str().to_str());
    first
        .is_some_and(|first| first.starts_with('~'))
        .then(|| Gap::new(Origin::file(path), Reason::unsupported("the home of the user it belongs to cannot be seen")))
}

/// The engines of the host. None is an empty list; an error means that they could not be looked for.
pub(super) fn engines(context: &Context<'_>) -> Result<Arc<Vec<Engine>>, Gap> {
    struct Found(Result<Arc<Vec<Engine>>, Gap>);
    context.once(|context| Found(discover::discover(context).map(Arc::new))).0.clone()
}

/// The engines whose names a selector picks.
pub(super) fn picked<'a>(engines: &'a [Engine], of: &Selector) -> impl Iterator<Item = &'a Engine> {
    engines.iter().filter(move |engine| of.picks(engine.name.raw()))
}
