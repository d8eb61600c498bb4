//! The command line of sshd, as given and as the running daemon shows it.

/// What a command line tells the daemon, in the order in which the options count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandLine {
    /// Lines as in the configuration, the first of which wins before anything a file says.
    pub lines: Vec<String>,
    /// The configuration file, where another one than the usual is named.
    pub file: Option<String>,
    /// Ports; where there are any, those of the configuration do not count.
    pub ports: Vec<String>,
}

impl CommandLine {
    /// Reads arguments, the program's own name left out.
    #[must_use]
    pub fn parse<T: AsRef<str>>(arguments: impl IntoIterator<Item = T>) -> Self {
        let mut line = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let Some(letters) = argument.as_ref().strip_prefix('-').filter(|letters| !letters.is_empty() && *letters != "-") else { break };
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                if !"CEbcfghkopu".contains(letter) {
                    line.flag(letter);
                    continue;
                }
                let attached = rest.as_str();
                let value =
                    if attached.is_empty() { arguments.next().map(|next| next.as_ref().to_owned()) } else { Some(attached.to_owned()) };
                if let Some(value) = value {
                    line.option(letter, value);
                }
                break;
            }
        }
        line
    }

    fn flag(&mut self, letter: char) {
        match letter {
            '4' => self.lines.push("AddressFamily inet".to_owned()),
            '6' => self.lines.push("AddressFamily inet6".to_owned()),
            'q' => self.lines.push("LogLevel QUIET".to_owned()),
            'd' => self.lines.push("LogLevel DEBUG".to_owned()),
            _ => {}
        }
    }

    fn option(&mut self, letter: char, value: String) {
        match letter {
            'f' => self.file = Some(value),
            'p' => self.ports.push(value),
            'o' => self.lines.push(value),
            'g' => self.lines.push(format!("LoginGraceTime {value}")),
            'h' => self.lines.push(format!("HostKey {value}")),
            'c' => self.lines.push(format!("HostCertificate {value}")),
            _ => {}
        }
    }
}

/// The arguments of a daemon that listens, from those its process shows: it writes over them
/// `sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups`. The program's own name comes first. `None` for a process of sshd's that
/// serves a connection.
#[must_use]
pub fn listener(shown: &[String]) -> Option<Vec<String>> {
    let first = shown.first()?;
    let Some(title) = first.strip_prefix("sshd: ") else {
        // One that was just started, or of an older release, which leaves them as they are.
        let serves = shown.iter().skip(1).any(|argument| matches!(argument.as_str(), "-R" | "-i"));
        return (!serves).then(|| shown.to_vec());
    };
    let (written, _) = title.split_once(" [listener]")?;
    let mut arguments: Vec<String> = Vec::new();
    // The blank in `-o Banner none` is gone among those between arguments: what follows the keyword belongs to it.
    let mut open = false;
    for word in written.split(' ').filter(|word| !word.is_empty()) {
        match arguments.last_mut().filter(|_| open && !word.starts_with('-')) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => arguments.push(word.to_owned()),
        }
        let ended = arguments.iter().rev().nth(1).is_some_and(|before| before == "-o");
        let attached = arguments.last().is_some_and(|last| last.len() > 2 && last.starts_with("-o"));
        open = (ended || attached) && !arguments.last().is_some_and(|last| last.contains('='));
    }
    Some(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Option<CommandLine> {
        listener(&[line.to_owned()]).map(|arguments| CommandLine::parse(arguments.iter().skip(1)))
    }

    #[test]
    fn options_are_read_as_getopt_does() {
        let line = CommandLine::parse(["-D", "-ep2222", "-o", "PermitRootLogin=yes", "-oUsePAM no", "-f", "/x", "-p", "22", "-46", "-g5"]);
        assert_eq!(line.ports, ["2222", "22"]);
        assert_eq!(line.file.as_deref(), Some("/x"));
        let lines = ["PermitRootLogin=yes", "UsePAM no", "AddressFamily inet", "AddressFamily inet6", "LoginGraceTime 5"];
        assert_eq!(line.lines, lines);
        assert_eq!(CommandLine::parse(["-D", "--", "-p", "1"]).ports, Vec::<String>::new());
        assert_eq!(CommandLine::parse(["-p"]), CommandLine::default());
    }

    #[test]
    fn a_listener_shows_its_arguments_in_its_title() {
        let line = shown("sshd: /usr/sbin/sshd -D -o Banner none -oUsePAM=no -p 22 [listener] 0 of 10-100 startups").unwrap();
        assert_eq!((line.lines, line.ports), (vec!["Banner none".to_owned(), "UsePAM=no".to_owned()], vec!["22".to_owned()]));
        let line = shown("sshd: /usr/sbin/sshd -oMaxAuthTries 3 -o LogLevel VERBOSE [listener] 1 of 10-100 startups").unwrap();
        assert_eq!(line.lines, ["MaxAuthTries 3", "LogLevel VERBOSE"]);
        for other in ["sshd: root@pts/0", "sshd: alice [priv]", "sshd: unknown [net]"] {
            assert_eq!(shown(other), None, "{other}");
        }
        let plain = |words: &[&str]| listener(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert!(plain(&["/usr/sbin/sshd", "-D"]).is_some());
        assert_eq!(plain(&["/usr/sbin/sshd", "-i"]), None);
        assert_eq!(plain(&[]), None);
    }
}
