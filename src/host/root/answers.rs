//! What an engine of a described host answers.

#![expect(clippy::disallowed_methods, reason = "what stands beside the directory of a host is given by who runs the audit")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::description::{EngineEntry, Error, GapWord, Question, read};
use crate::fact::Reason;
use crate::host::engine::{Id, Route};
use crate::host::tree::Trouble;

/// The answers of one engine.
pub(super) struct Answers {
    bodies: BTreeMap<Route, Arc<[u8]>>,
    gaps: BTreeMap<Question, GapWord>,
}

impl Answers {
    /// Reads the folder of an engine's answers.
    pub(super) fn load(beside: &Path, entry: EngineEntry) -> Result<Self, Error> {
        let folder = beside.join(entry.answers.as_deref().unwrap_or(Path::new("engine")));
        let mut bodies = BTreeMap::from([(Route::Ping, Arc::from(*b"OK"))]);
        let whole = [
            ("ping", Route::Ping),
            ("version.json", Route::Version),
            ("info.json", Route::Info),
            ("containers.json", Route::Containers),
            ("images.json", Route::Images),
            ("networks.json", Route::Networks),
            ("volumes.json", Route::Volumes),
        ];
        let inspected: [Folder; 3] = [
            ("containers", Route::Containers, Route::Container, listed_container),
            ("images", Route::Images, Route::Image, listed_image),
            ("networks", Route::Networks, Route::Network, Value::clone),
        ];
        for (name, list, route, listed) in inspected {
            let Some(documents) = documents(&folder.join(name))? else { continue };
            let all = documents.iter().map(|(_, document, _)| listed(document)).collect::<Vec<_>>();
            bodies.insert(list, Value::from(all).to_string().into_bytes().into());
            bodies.extend(documents.into_iter().map(|(id, _, body)| (route(id), body)));
        }
        for (name, route) in whole {
            let path = folder.join(name);
            if path.exists() {
                bodies.insert(route, read(&path)?.into());
            }
        }
        Ok(Self { bodies, gaps: entry.gap })
    }

    /// The answer to a question. What is not there is a 404 where it is asked for by id.
    pub(super) fn answer(&self, question: &Route) -> Result<Arc<[u8]>, Trouble> {
        let (kind, by_id) = match question {
            Route::Ping => (Question::Ping, false),
            Route::Version => (Question::Version, false),
            Route::Info => (Question::Info, false),
            Route::Containers => (Question::Containers, false),
            Route::Container(_) => (Question::Container, true),
            Route::Images => (Question::Images, false),
            Route::Image(_) => (Question::Image, true),
            Route::Networks => (Question::Networks, false),
            Route::Network(_) => (Question::Network, true),
            Route::Volumes => (Question::Volumes, false),
        };
        if let Some(gap) = self.gaps.get(&kind) {
            return Err(gap.reason().into());
        }
        match self.bodies.get(question) {
            Some(body) => Ok(body.clone()),
            None if by_id => Err(Trouble::Absent),
            None => Err(Reason::NotCollected.into()),
        }
    }
}

/// A folder, the list it can stand for, the question its documents answer, and what the list says of one.
type Folder = (&'static str, Route, fn(Id) -> Route, fn(&Value) -> Value);

type Documents = Vec<(Id, Value, Arc<[u8]>)>;

/// The inspect answers in a folder, by the names of their files; none where there is no folder.
fn documents(folder: &Path) -> Result<Option<Documents>, Error> {
    let wrong = |source| Error::Read { path: folder.into(), source };
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(wrong(source)),
    };
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let document = |path: &Path| {
        let malformed = |line, column, message: String| Error::Malformed { path: path.into(), line, column, message };
        let body = read(path)?;
        let document: Value = serde_json::from_slice(&body).map_err(|error| malformed(error.line(), error.column(), error.to_string()))?;
        let id = document.get("Id").and_then(Value::as_str).and_then(Id::parse);
        let id = id.ok_or_else(|| malformed(1, 1, "needs a member `Id` of 64 hexadecimal digits".to_owned()))?;
        Ok((id, document, body.into()))
    };
    paths.iter().map(|path| document(path)).collect::<Result<_, Error>>().map(Some)
}

fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document.pointer(pointer).unwrap_or(&Value::Null)
}

fn listed_container(inspected: &Value) -> Value {
    json!({
        "Id": at(inspected, "/Id"),
        "Names": [at(inspected, "/Name")],
        "Image": at(inspected, "/Config/Image"),
        "ImageID": at(inspected, "/Image"),
        "State": at(inspected, "/State/Status"),
        "Labels": at(inspected, "/Config/Labels"),
    })
}

fn listed_image(inspected: &Value) -> Value {
    json!({
        "Id": at(inspected, "/Id"),
        "RepoTags": at(inspected, "/RepoTags"),
        "RepoDigests": at(inspected, "/RepoDigests"),
    })
}
