//! Rows of a table in an SQLite database, as its file format documents them.
//!
//! The rpm database is the one such file that matters here. A library for it would be a quarter of a million lines of C in a
//! process that reads hostile files; what is needed of the format is small: pages, table b-trees, overflow chains, and the
//! write-ahead log, in which the newest pages stand until somebody folds them in.

use std::collections::HashMap;
use std::io;

/// The deepest tree that is walked. A tree of twenty levels would hold more pages than there can be.
const DEEPEST: usize = 20;

/// Reads at an offset of a file until the buffer is full.
pub type ReadAt<'a> = &'a dyn Fn(u64, &mut [u8]) -> io::Result<()>;

/// A database.
pub struct Database<'a> {
    main: ReadAt<'a>,
    wal: Option<ReadAt<'a>>,
    page_size: usize,
    usable: usize,
    pages: u32,
    /// Where in the log the newest copy of a page stands.
    logged: HashMap<u32, u64>,
}

/// A row as it is stored, read as far as is wanted.
pub struct Payload<'a, 'b> {
    database: &'b Database<'a>,
    local: &'b [u8],
    length: usize,
    overflow: u32,
}

impl<'a> Database<'a> {
    /// The database in a file of `size` bytes, with the write-ahead log of `size` bytes beside it where there is one.
    pub fn open(main: ReadAt<'a>, size: u64, wal: Option<(ReadAt<'a>, u64)>) -> io::Result<Self> {
        let mut head = [0; 100];
        main(0, &mut head)?;
        if !head.starts_with(b"SQLite format 3\0") {
            return Err(bad("it is no SQLite database"));
        }
        let page_size = match be16(&head, 16)? {
            1 => 65_536,
            size if size >= 512 && size.is_power_of_two() => size,
            _ => return Err(bad("its pages have no possible size")),
        };
        let usable = page_size.saturating_sub(head.get(20).copied().unwrap_or(0).into());
        if usable < 480 {
            return Err(bad("its pages have no room"));
        }
        let pages = u32::try_from(size / page_size as u64).map_err(|_| bad("it is too large"))?;
        let mut database = Self { main, wal: wal.map(|wal| wal.0), page_size, usable, pages, logged: HashMap::new() };
        if let Some((read, size)) = wal {
            database.read_log(read, size)?;
        }
        Ok(database)
    }

    /// Takes over the frames of the log that belong to finished transactions, up to the first that was not written whole.
    fn read_log(&mut self, read: ReadAt<'a>, size: u64) -> io::Result<()> {
        let mut head = [0; 32];
        if size < 32 {
            return Ok(());
        }
        read(0, &mut head)?;
        let little = match be32(&head, 0)? {
            0x377f_0682 => true,
            0x377f_0683 => false,
            // As SQLite does: what is no log is not used.
            _ => return Ok(()),
        };
        let mut sum = checksum((0, 0), head.get(..24).unwrap_or_default(), little);
        if sum != (be32(&head, 24)?, be32(&head, 28)?) || be32(&head, 8)? as usize != self.page_size {
            return Ok(());
        }
        let mut frame = vec![0; 24 + self.page_size];
        let mut pending: Vec<(u32, u64)> = Vec::new();
        let mut at = 32;
        while at + frame.len() as u64 <= size {
            read(at, &mut frame)?;
            let (number, pages) = (be32(&frame, 0)?, be32(&frame, 4)?);
            if frame.get(8..16) != head.get(16..24) || number == 0 {
                break;
            }
            sum = checksum(sum, frame.get(..8).unwrap_or_default(), little);
            sum = checksum(sum, frame.get(24..).unwrap_or_default(), little);
            if sum != (be32(&frame, 16)?, be32(&frame, 20)?) {
                break;
            }
            pending.push((number, at + 24));
            if pages > 0 {
                self.logged.extend(pending.drain(..));
                self.pages = pages;
            }
            at += frame.len() as u64;
        }
        Ok(())
    }

    fn page(&self, number: u32) -> io::Result<Vec<u8>> {
        if number == 0 || number > self.pages {
            return Err(bad("a page is beyond its end"));
        }
        let mut page = vec![0; self.page_size];
        match (self.logged.get(&number), self.wal) {
            (Some(at), Some(wal)) => wal(*at, &mut page)?,
            _ => (self.main)(u64::from(number - 1) * self.page_size as u64, &mut page)?,
        }
        page.truncate(self.usable);
        Ok(page)
    }

    /// The first page of a table; `None` where there is no such table.
    pub fn table(&self, name: &str) -> io::Result<Option<u32>> {
        let mut found = None;
        self.rows(1, &mut |_, row| {
            let bytes = row.first(row.len())?;
            let columns = columns(&bytes)?;
            let text = |at: usize| columns.get(at).and_then(|(_, range)| bytes.get(range.clone()));
            if text(0) == Some(b"table") && text(1) == Some(name.as_bytes()) {
                found = columns
                    .get(3)
                    .and_then(|(kind, range)| integer(*kind, bytes.get(range.clone())?))
                    .and_then(|root| u32::try_from(root).ok());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Visits every row of the table that begins at a page, with its number.
    pub fn rows(&self, root: u32, each: &mut dyn FnMut(i64, Payload<'a, '_>) -> io::Result<()>) -> io::Result<()> {
        let mut visited = 0;
        let mut left = vec![(root, 0)];
        while let Some((number, depth)) = left.pop() {
            visited += 1;
            if depth > DEEPEST || visited > self.pages {
                return Err(bad("its pages lead round in a circle"));
            }
            let page = self.page(number)?;
            let start = if number == 1 { 100 } else { 0 };
            let cells = be16(&page, start + 3)?;
            match page.get(start) {
                Some(5) => {
                    let mut below = vec![(be32(&page, start + 8)?, depth + 1)];
                    for cell in (0..cells).rev() {
                        let at = be16(&page, start + 12 + 2 * cell)?;
                        below.push((be32(&page, at)?, depth + 1));
                    }
                    left.extend(below);
                }
                Some(13) => {
                    for cell in 0..cells {
                        let at = be16(&page, start + 8 + 2 * cell)?;
                        let (length, at) = varint(&page, at)?;
                        let (row, at) = varint(&page, at)?;
                        each(row, self.payload(&page, at, length)?)?;
                    }
                }
                _ => return Err(bad("a page is of no kind that tables have")),
            }
        }
        Ok(())
    }

    fn payload<'b>(&'b self, page: &'b [u8], at: usize, length: i64) -> io::Result<Payload<'a, 'b>> {
        let length = usize::try_from(length).map_err(|_| bad("a row has no possible length"))?;
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = if length <= most {
            length
        } else {
            let kept = least + (length - least) % (self.usable - 4);
            if kept <= most { kept } else { least }
        };
        let bytes = at.checked_add(local).and_then(|end| page.get(at..end)).ok_or_else(|| bad("a row leaves its page"))?;
        let overflow = if local < length { be32(page, at + local)? } else { 0 };
        Ok(Payload { database: self, local: bytes, length, overflow })
    }
}

impl Payload<'_, '_> {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Its first bytes: `wanted` of them, or all there are.
    pub fn first(&self, wanted: usize) -> io::Result<Vec<u8>> {
        let wanted = wanted.min(self.length);
        let mut bytes: Vec<u8> = self.local.iter().take(wanted).copied().collect();
        let mut next = self.overflow;
        // Each page adds to it, so a circle ends too.
        while bytes.len() < wanted {
            let page = self.database.page(next)?;
            next = be32(&page, 0)?;
            bytes.extend(page.iter().skip(4).take(wanted - bytes.len()));
        }
        Ok(bytes)
    }
}

/// The serial type and the place of each column of a row.
pub fn columns(row: &[u8]) -> io::Result<Vec<(i64, std::ops::Range<usize>)>> {
    let (head, mut at) = varint(row, 0)?;
    let head = usize::try_from(head).ok().filter(|head| *head <= row.len()).ok_or_else(|| bad("a row's head is longer than it"))?;
    let mut columns = Vec::new();
    let mut value = head;
    while at < head {
        let kind;
        (kind, at) = varint(row, at)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).unwrap_or(0),
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).unwrap_or(usize::MAX),
            _ => return Err(bad("a column is of no kind")),
        };
        let end = value.checked_add(length).ok_or_else(|| bad("a column is too long"))?;
        columns.push((kind, value..end));
        value = end;
    }
    Ok(columns)
}

fn integer(kind: i64, bytes: &[u8]) -> Option<i64> {
    match kind {
        8 => Some(0),
        9 => Some(1),
        1..=6 => {
            let sign = if bytes.first()? & 0x80 == 0 { 0 } else { -1 };
            Some(bytes.iter().fold(sign, |number: i64, byte| (number << 8) | i64::from(*byte)))
        }
        _ => None,
    }
}

fn varint(bytes: &[u8], at: usize) -> io::Result<(i64, usize)> {
    let mut value: u64 = 0;
    for step in 0..9 {
        let byte = *at.checked_add(step).and_then(|at| bytes.get(at)).ok_or_else(|| bad("a number leaves its page"))?;
        if step == 8 {
            value = (value << 8) | u64::from(byte);
        } else {
            value = (value << 7) | u64::from(byte & 0x7f);
        }
        if byte & 0x80 == 0 || step == 8 {
            return Ok((value.cast_signed(), at + step + 1));
        }
    }
    Err(bad("a number does not end"))
}

fn be16(bytes: &[u8], at: usize) -> io::Result<usize> {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>()).ok_or_else(|| bad("it is cut off"))?;
    Ok(u16::from_be_bytes(*number).into())
}

fn be32(bytes: &[u8], at: usize) -> io::Result<u32> {
    let number = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(|| bad("it is cut off"))?;
    Ok(u32::from_be_bytes(*number))
}

/// The running sum over the log.
fn checksum(start: (u32, u32), bytes: &[u8], little: bool) -> (u32, u32) {
    let word = |word: &[u8; 4]| if little { u32::from_le_bytes(*word) } else { u32::from_be_bytes(*word) };
    let (pairs, _) = bytes.as_chunks::<8>();
    pairs.iter().fold(start, |(a, b), pair| {
        let (words, _) = pair.as_chunks::<4>();
        let [first, second] = words else { return (a, b) };
        let a = a.wrapping_add(word(first)).wrapping_add(b);
        (a, b.wrapping_add(word(second)).wrapping_add(a))
    })
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
