//! Keys and flags that dockerd does not know: it refuses to start with them.

use crate::fact::{Fact, Gap, Origin, Reason, Text};
use crate::parse::dockerd::by_key;
use crate::resource::docker::{Engine, Source};

use super::DockerOption;

/// One record for each, by name. What they are set to is not kept: nobody knows what it means.
pub(super) fn rows(engine: &Engine) -> Vec<DockerOption> {
    let side = engine.told.now();
    let mut rows = Vec::new();
    if let Fact::Known(file, _) = &side.file {
        for entry in file.entries().iter().filter(|entry| by_key(&entry.key).is_none_or(|spec| !spec.in_file)) {
            let origin = Origin::line(engine.told.config_file(), entry.line);
            rows.push(row(engine, &entry.key, Source::File, &origin));
        }
    }
    if let Fact::Known(flags, _) = &side.flags {
        rows.extend(flags.line.unknown().iter().map(|flag| row(engine, flag, Source::Flag, &flags.origin)));
    }
    rows
}

fn row(engine: &Engine, name: &str, source: Source, origin: &Origin) -> DockerOption {
    let known = |text: &str| Fact::Known(Text::from(text), origin.clone());
    let gap = Gap::new(origin.clone(), Reason::unsupported("no option of dockerd that is known here"));
    DockerOption {
        name: known(super::named(engine, name).raw()),
        option: known(name),
        engine: Fact::derived(engine.name.clone()),
        source: known(source.word()),
        sources: Fact::Known(vec![Text::from(origin.to_string())], origin.clone()),
        ..DockerOption::unknown(&gap)
    }
}
