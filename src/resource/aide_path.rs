//! What AIDE watches of a file.

use std::path::Path;

use crate::fact::{Fact, Flag, Gap, List, Origin, Reason, Text, record};

use super::aide::rules::{Outcome, Rules};
use super::{Context, Resource, Selector};

record! {
    /// One path, and what AIDE's rules say of it. None where AIDE has no configuration.
    pub struct AidePath("aide_path") {
        /// The path as asked for.
        path: Text,
        /// Whether it is there.
        exists: Flag,
        /// Whether the rules select it.
        checked: Flag,
        /// The attributes that are compared, such as `p`, `sha512`; absent where it is not selected.
        attributes: List,
        /// Of the attributes a tool of the audit trail should be compared by (`p i n u g s b acl xattrs sha512`), those that are not.
        lacking: List,
    }
}

/// Finds the records.
pub struct AidePaths;

const WANTED: [&str; 10] = ["p", "i", "n", "u", "g", "s", "b", "acl", "xattrs", "sha512"];

impl Resource for AidePaths {
    type Row = AidePath;
    const SELECTOR: &'static str = "an absolute path";
    const ENUMERABLE: bool = false;

    fn collect(context: &Context<'_>, of: &Selector) -> Result<Vec<Self::Row>, Gap> {
        let Selector::Keys(keys) = of else {
            return Err(Gap::new(Origin::Derived, Reason::malformed("paths are selected by name")));
        };
        let rules = Rules::of(context);
        match rules.as_ref() {
            Fact::Known(rules, _) => Ok(keys.iter().map(|key| row(context, rules, key)).collect()),
            Fact::Absent(_) => Ok(Vec::new()),
            Fact::Unknown(gap) => Err(gap.clone()),
        }
    }
}

fn row(context: &Context<'_>, rules: &Rules, key: &str) -> AidePath {
    // AIDE goes by the names it meets on its way down, so links above are those it never follows.
    let real = context.host.resolve(Path::new(key));
    let exists = match &real {
        Fact::Known(_, origin) => Fact::Known(true, origin.clone()),
        Fact::Absent(origin) => Fact::Known(false, origin.clone()),
        Fact::Unknown(gap) => return AidePath { path: Fact::derived(key), ..AidePath::unknown(gap) },
    };
    let real = real.known().map_or_else(|| key.to_owned(), |path| path.to_string_lossy().into_owned());
    let (checked, attributes, lacking) = match rules.judge(&real) {
        Outcome::Checked(found, origin) => {
            let lacking = WANTED.into_iter().filter(|wanted| !found.contains(*wanted)).map(Text::from).collect();
            let list = found.iter().map(|attribute| Text::from(attribute.as_str())).collect();
            (Fact::Known(true, origin.clone()), Fact::Known(list, origin.clone()), Fact::Known(lacking, origin.clone()))
        }
        Outcome::Unchecked(origin) => (
            Fact::Known(false, origin.clone()),
            Fact::Absent(origin.clone()),
            Fact::Known(WANTED.map(Text::from).to_vec(), origin),
        ),
        Outcome::Unknown(gap) => (Fact::Unknown(gap.clone()), Fact::Unknown(gap.clone()), Fact::Unknown(gap)),
    };
    AidePath { path: Fact::derived(key), exists, checked, attributes, lacking }
}
