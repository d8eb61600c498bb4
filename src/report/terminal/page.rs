//! Lines on a terminal: wrapped to its width, hanging under their label, coloured where that was asked for.

use crate::report::Style;

/// Colours, by what they mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ink {
    Bad,
    Doubtful,
    Good,
    Human,
    Faint,
    Strong,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Bad => "1;31",
            Self::Doubtful => "1;33",
            Self::Good => "32",
            Self::Human => "36",
            Self::Faint => "2",
            Self::Strong => "1",
        }
    }
}

/// A page being written. What is written to it must already be safe to show.
pub(super) struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self { text: String::new(), width: style.width.max(40), colour: style.colour }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Text that begins with coloured words; the rest of it hangs under column `hang`.
    pub(super) fn headed(&mut self, head: &[(Ink, &str)], text: &str, hang: usize) {
        let mut column = 0;
        for (ink, word) in head {
            let bare = word.trim_end();
            self.ink(*ink, bare);
            self.text.extend(std::iter::repeat_n(' ', word.len() - bare.len()));
            column += word.chars().count();
        }
        self.wrapped(text, column, hang);
    }

    /// Text under a faint label, both indented.
    pub(super) fn labelled(&mut self, indent: usize, label: &str, width: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.ink(Ink::Faint, label);
        let used = label.chars().count();
        let pad = width.saturating_sub(used).max(1);
        self.text.extend(std::iter::repeat_n(' ', pad));
        self.wrapped(text, indent + used + pad, indent + width.max(used + 1));
    }

    /// Text beside a name, both indented.
    pub(super) fn named(&mut self, indent: usize, name: &str, width: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.ink(Ink::Strong, name);
        let used = name.chars().count();
        self.text.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
        self.wrapped(text, indent + width.max(used), indent + width);
    }

    /// Plain text, indented.
    pub(super) fn plain(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.wrapped(text, indent, indent);
    }

    fn ink(&mut self, ink: Ink, text: &str) {
        if self.colour && !text.is_empty() {
            self.text.push_str(&format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()));
        } else {
            self.text.push_str(text);
        }
    }

    /// Breaks at spaces. A word wider than a line is left whole: a path must stay one that can be copied.
    fn wrapped(&mut self, text: &str, mut column: usize, hang: usize) {
        let hang = hang.min(self.width / 2);
        let mut first = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let wide = word.chars().count();
            let beside_a_head = first && column > hang;
            if (beside_a_head && column + wide > self.width) || (!first && column + 1 + wide > self.width) {
                self.text.push('\n');
                self.text.extend(std::iter::repeat_n(' ', hang));
                column = hang;
            } else if !first {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += wide;
            first = false;
        }
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        self.text.push('\n');
    }
}
