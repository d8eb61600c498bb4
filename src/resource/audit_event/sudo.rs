//! Where sudo writes its log, by the `Defaults` of sudoers that are for everybody.

use std::path::Path;

use crate::fact::{Fact, Gap, Origin};
use crate::resource::Context;

/// How deep files may include others.
const DEEPEST: usize = 16;

/// The file, absent where sudo writes none.
pub(super) fn log_file(context: &Context<'_>) -> Fact<String> {
    let mut reader = Reader { context, found: Fact::Absent(Origin::file("/etc/sudoers")), gap: None, files: 0 };
    reader.read(Path::new("/etc/sudoers"), 0);
    match (reader.gap, reader.found) {
        // What could not be read may say otherwise.
        (Some(gap), _) => Fact::Unknown(gap),
        (None, found) => found,
    }
}

struct Reader<'a> {
    context: &'a Context<'a>,
    found: Fact<String>,
    gap: Option<Gap>,
    files: usize,
}

impl Reader<'_> {
    fn read(&mut self, path: &Path, depth: usize) {
        self.files += 1;
        if depth > DEEPEST || self.files > 1000 {
            return;
        }
        let content = match self.context.host.read(path) {
            Fact::Known(content, _) => content,
            Fact::Absent(_) => return,
            Fact::Unknown(gap) => {
                self.gap.get_or_insert(gap);
                return;
            }
        };
        let text = String::from_utf8_lossy(&content);
        let mut pending = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_end_matches('\r');
            if let Some(begun) = line.strip_suffix('\\') {
                pending.push_str(begun);
                continue;
            }
            let whole = std::mem::take(&mut pending) + line;
            self.line(whole.trim(), Origin::line(path, number), path, depth);
        }
    }

    fn line(&mut self, line: &str, origin: Origin, path: &Path, depth: usize) {
        let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let named = || path.parent().unwrap_or(Path::new("/")).join(rest.trim().trim_matches('"'));
        match word {
            "#include" | "@include" => self.read(&named(), depth + 1),
            "#includedir" | "@includedir" => self.directory(&named(), depth + 1),
            "Defaults" => {
                for setting in settings(rest) {
                    match setting.split_once('=') {
                        Some((name, value)) if name.trim() == "logfile" => {
                            self.found = Fact::Known(value.trim().trim_matches('"').to_owned(), origin.clone());
                        }
                        None if setting.trim_start_matches('!').trim() == "logfile" && setting.starts_with('!') => {
                            self.found = Fact::Absent(origin.clone());
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn directory(&mut self, path: &Path, depth: usize) {
        match self.context.host.list(path) {
            Fact::Known(entries, _) => {
                for entry in entries.iter() {
                    // sudo leaves out names with a dot or a tilde at their end.
                    let name = entry.name.to_string_lossy();
                    if !name.contains('.') && !name.ends_with('~') {
                        self.read(&path.join(&entry.name), depth);
                    }
                }
            }
            Fact::Absent(_) => {}
            Fact::Unknown(gap) => drop(self.gap.get_or_insert(gap)),
        }
    }
}

/// Settings are separated by commas outside of quotes; a `#` outside of them begins a comment.
fn settings(text: &str) -> Vec<String> {
    let (mut found, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '#' if !quoted => break,
            ',' if !quoted => {
                found.push(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(letter);
    }
    found.push(word);
    found.iter().map(|setting| setting.trim().to_owned()).collect()
}
