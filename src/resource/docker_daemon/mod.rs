//! What dockerd was told, option by option, merged from every place that can tell it.

mod api;
mod unknown;

use std::collections::BTreeSet;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Setting, Text, record};
use crate::host::engine::Route;
use crate::parse::dockerd::{self, OPTIONS, Spec};

use super::docker::{Engine, Kind, Place, Source, engines};
use super::{Context, Resource, Selector};

record! {
    /// One option of one Docker daemon. Every option dockerd knows has a record, set or not; so has every key of daemon.json and
    /// every flag that it does not know, of which only the name is kept.
    pub struct DockerOption("docker_daemon") {
        /// Name of the option; behind that of its engine, as `docker@alice icc`, where that is not the system's Docker.
        name: Text,
        /// Name as in daemon.json, such as `icc`, `insecure-registries`, `hosts`.
        option: Text,
        /// Name of the engine.
        engine: Text,
        /// What the running daemon uses, or would use when started: flags normalised to `true` and `false`, numbers and
        /// text as they are, lists and objects as compact JSON. Of `icc`, what the default bridge really does. Absent where it is unset and has no default. Passwords in addresses
        /// and what looks like a secret are left out.
        value: Setting,
        /// The elements of an option that is a list, or `key=value` for one that is a map; for scalars the one value. Empty where unset.
        values: List,
        /// Where the winner stands: `flag`, `file` or `default`.
        source: Text,
        /// Every place that sets it or gives its default, winner first, as `place value`.
        sources: List,
        /// What the next start of the daemon will use, from unit, drop-ins, environment files and daemon.json.
        next_value: Setting,
        /// Whether the value in use is what the next start will use too: false for a flag given by hand.
        persistent: Flag,
        /// Whether what is configured on disk is what runs: false for what the file sets if it changed after the start, unless the
        /// engine itself says otherwise. Absent where no daemon runs.
        in_force: Flag,
        /// Whether it is set both by flag and in the file, so that the daemon will refuse to start.
        conflict: Flag,
    }
}

/// Finds the records.
pub struct DockerDaemon;

impl Resource for DockerDaemon {
    type Row = DockerOption;
    const SELECTOR: &'static str = "the name of an option in daemon.json, or a glob";
    const KEY: &'static str = "option";
    const ENUMERABLE: bool = true;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let mut rows = Vec::new();
        for engine in engines(context)?.iter().filter(|engine| engine.kind == Kind::Docker) {
            if let Some(gap) = &engine.doubt {
                rows.extend(OPTIONS.iter().filter(|spec| of.picks(spec.key)).map(|spec| DockerOption {
                    option: Fact::derived(spec.key),
                    engine: Fact::derived(engine.name.clone()),
                    ..DockerOption::unknown(gap)
                }));
                continue;
            }
            rows.extend(OPTIONS.iter().filter(|spec| of.picks(spec.key)).map(|spec| row(context, engine, spec)));
            rows.extend(unknown::rows(engine).into_iter().filter(|row| row.option.known().is_some_and(|option| of.picks(option.raw()))));
        }
        Ok(rows)
    }
}

/// What a reader is told the option is.
fn named(engine: &Engine, option: &str) -> Text {
    match engine.name.raw() {
        "docker" => option.into(),
        name => format!("{name} {option}").into(),
    }
}

type Value = Fact<dockerd::Setting>;

fn row(context: &Context<'_>, engine: &Engine, spec: &'static Spec) -> DockerOption {
    let now = engine.told.places(engine.told.now(), spec);
    let next = engine.told.places(&engine.told.next, spec);
    let said = api::said(context, engine, spec, now.as_deref().unwrap_or_default());
    let value = value(engine, spec, &now, said.as_ref());
    let next_value = winner(&next);
    DockerOption {
        name: Fact::derived(named(engine, spec.key)),
        option: Fact::derived(spec.key),
        engine: Fact::derived(engine.name.clone()),
        value: value.clone().map(|setting| Setting::from(setting.text)),
        values: values(&value),
        source: source(&now, &value),
        sources: sources(&now),
        persistent: same(&value, &next_value),
        in_force: in_force(context, engine, spec, &now, said.as_ref()),
        conflict: conflict(spec, &[&now, &next]),
        next_value: next_value.map(|setting| Setting::from(setting.text)),
    }
}

/// What the first place sets. Absent where there is none.
fn winner(places: &Result<Vec<Place>, Gap>) -> Value {
    match places {
        Ok(places) => places.first().map_or_else(|| Fact::Absent(Origin::default_of("dockerd")), |place| place.setting.clone()),
        Err(gap) => Fact::Unknown(gap.clone()),
    }
}

/// What is in use. The flags of a process are; what the file says counts only if the daemon has read it; and where that
/// is open, the engine itself is believed before the file is.
fn value(engine: &Engine, spec: &Spec, now: &Result<Vec<Place>, Gap>, said: Option<&Value>) -> Value {
    let told = winner(now);
    if let Some(said) = of_its_work(engine, spec, said) {
        return said.clone();
    }
    let by_flag = now.as_ref().is_ok_and(|places| places.first().is_some_and(|place| place.source == Source::Flag));
    let running = engine.told.running.is_some();
    if running && by_flag {
        return told;
    }
    let stale = &engine.told.stale;
    let read = running && now.is_ok() && matches!(stale, Fact::Known(false, _) | Fact::Absent(_));
    match said {
        Some(said @ (Fact::Known(..) | Fact::Absent(_))) if !read => said.clone(),
        _ if !running || read => told,
        _ => match (now, stale) {
            (Err(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
            _ => {
                let why = "the file changed after the daemon started, and the engine does not tell";
                Fact::Unknown(Gap::new(Origin::file(engine.told.config_file()), Reason::unsupported(why)))
            }
        },
    }
}

/// What the work of the daemon says of an option, whatever it was told. A default bridge with containers on it outlives a restart
/// under live-restore, and lets them talk to each other as it did before: where that may be, only the bridge itself tells.
fn of_its_work<'a>(engine: &Engine, spec: &Spec, said: Option<&'a Value>) -> Option<&'a Value> {
    said.filter(|_| spec.key == "icc" && engine.told.running.is_some()).filter(|said| match said {
        Fact::Known(..) => true,
        Fact::Absent(_) => false,
        Fact::Unknown(_) => restores(engine),
    })
}

/// Whether the daemon may have been told to keep containers over its restarts.
fn restores(engine: &Engine) -> bool {
    let spec = OPTIONS.iter().find(|spec| spec.key == "live-restore");
    let told = spec.map(|spec| winner(&engine.told.places(engine.told.now(), spec)));
    told.is_none_or(|told| told.known().is_none_or(|setting| setting.text == "true"))
}

fn values(value: &Value) -> Fact<Vec<Text>> {
    match value {
        Fact::Known(setting, origin) => Fact::Known(setting.values.iter().map(|value| Text::from(value.as_str())).collect(), origin.clone()),
        Fact::Absent(origin) => Fact::Known(Vec::new(), origin.clone()),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
    }
}

/// Whether two settings mean the same: lists without regard to order, addresses to a slash at the end.
fn same(a: &Value, b: &Value) -> Fact<bool> {
    let set = |value: &Value| {
        values(value).map(|values| values.iter().map(|value| value.raw().trim_end_matches('/').to_owned()).collect::<BTreeSet<_>>())
    };
    set(a).and_then(|a, _| set(b).map(|b| a == b).and_then(|same, _| Fact::Known(same, Origin::Derived)))
}

/// The first place that sets what is in use.
fn source(now: &Result<Vec<Place>, Gap>, value: &Value) -> Fact<Text> {
    match (now, value) {
        (Err(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        (Ok(places), value) => {
            let sets = |place: &&Place| same(&place.setting, value).known() == Some(&true);
            match places.iter().find(sets) {
                Some(place) => Fact::Known(place.source.word().into(), place.setting.origin().clone()),
                None if places.is_empty() => Fact::Known(Source::Default.word().into(), Origin::default_of("dockerd")),
                None => Fact::Unknown(Gap::new(value.origin().clone(), Reason::unsupported("nothing on disk sets what the engine uses"))),
            }
        }
    }
}

fn sources(now: &Result<Vec<Place>, Gap>) -> Fact<Vec<Text>> {
    match now {
        Err(gap) => Fact::Unknown(gap.clone()),
        Ok(places) => Fact::derived(places.iter().map(|place| match &place.setting {
            Fact::Known(setting, origin) => Text::from(format!("{origin} {}", setting.text)),
            other => Text::from(format!("{} (not understood)", other.origin())),
        }).collect::<Vec<_>>()),
    }
}

fn in_force(
    context: &Context<'_>,
    engine: &Engine,
    spec: &Spec,
    now: &Result<Vec<Place>, Gap>,
    said: Option<&Value>,
) -> Fact<bool> {
    let places = match now {
        _ if engine.told.running.is_none() => return not_running(context, engine),
        Err(gap) => return Fact::Unknown(gap.clone()),
        Ok(places) => places,
    };
    if let Some(said) = of_its_work(engine, spec, said) {
        return same(said, &winner(now));
    }
    let first = places.first();
    match &engine.told.stale {
        _ if first.is_some_and(|place| place.source == Source::Flag) => Fact::derived(true),
        Fact::Absent(_) | Fact::Known(false, _) => Fact::derived(true),
        Fact::Unknown(gap) => Fact::Unknown(gap.clone()),
        Fact::Known(true, origin) => match said.map(|said| same(said, &winner(now))) {
            Some(Fact::Known(same, _)) => Fact::Known(same, origin.clone()),
            // What the file does not set now, it may have set then.
            _ if first.is_none_or(|place| place.source == Source::Default) => {
                Fact::Unknown(Gap::new(origin.clone(), Reason::unsupported("the file changed after the daemon started")))
            }
            _ => Fact::Known(false, origin.clone()),
        },
    }
}

/// Of a daemon whose process was not seen: absent where nothing answers either, else it hides.
fn not_running(context: &Context<'_>, engine: &Engine) -> Fact<bool> {
    if let Some(listening) = &engine.asleep {
        return Fact::Absent(listening.clone());
    }
    match engine.get(context, Route::Version) {
        Fact::Unknown(Gap { origin, reason: Reason::Unreachable }) => Fact::Absent(origin),
        Fact::Unknown(gap) => Fact::Unknown(gap),
        Fact::Known(..) | Fact::Absent(_) => {
            Fact::Unknown(Gap::new(Origin::kernel("/proc"), Reason::unsupported("no process of the daemon was seen")))
        }
    }
}

/// Whether some start is told by flag and by file. Runtimes may be: dockerd puts those together.
fn conflict(spec: &Spec, starts: &[&Result<Vec<Place>, Gap>]) -> Fact<bool> {
    let both = |places: &&Vec<Place>| {
        [Source::Flag, Source::File].iter().all(|source| places.iter().any(|place| place.source == *source))
    };
    if spec.key != "runtimes" && starts.iter().filter_map(|places| places.as_ref().ok()).any(|places| both(&places)) {
        return Fact::derived(true);
    }
    match starts.iter().find_map(|places| places.as_ref().err()) {
        Some(gap) => Fact::Unknown(gap.clone()),
        None => Fact::derived(false),
    }
}

#[cfg(test)]
mod tests;
