use super::*;

const PAGE: usize = 512;

/// A row: its head, then a text and a blob or whatever the columns are.
fn record(columns: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let kinds: Vec<u8> = columns.iter().flat_map(|(kind, _)| varint_of(*kind)).collect();
    let mut row = varint_of(kinds.len() as u64 + 1);
    row.extend(kinds);
    row.extend(columns.iter().flat_map(|(_, value)| value.clone()));
    row
}

fn varint_of(value: u64) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    let mut rest = value >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

fn text(text: &str) -> (u64, Vec<u8>) {
    (13 + 2 * text.len() as u64, text.as_bytes().to_vec())
}

/// A leaf of a table with the given cells, which are put at its end.
fn leaf(start: usize, cells: &[Vec<u8>]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    page[start] = 13;
    page[start + 3..start + 5].copy_from_slice(&(cells.len() as u16).to_be_bytes());
    let mut end = PAGE;
    for (index, cell) in cells.iter().enumerate() {
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(cell);
        let at = start + 8 + 2 * index;
        page[at..at + 2].copy_from_slice(&(end as u16).to_be_bytes());
    }
    page
}

fn cell(number: u64, row: &[u8]) -> Vec<u8> {
    [varint_of(row.len() as u64), varint_of(number), row.to_vec()].concat()
}

/// A table `Packages` on page 2, whose second row goes on on pages 3 and 4.
fn database() -> Vec<u8> {
    let schema = record(&[text("table"), text("Packages"), text("Packages"), (1, vec![2]), text("CREATE TABLE Packages")]);
    let mut first = leaf(100, &[cell(1, &schema)]);
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..18].copy_from_slice(&(PAGE as u16).to_be_bytes());
    let blob: Vec<u8> = (0..1200_u32).map(|at| at as u8).collect();
    let long = record(&[(0, vec![]), (12 + 2 * 1200, blob)]);
    // What stays on the page is counted as the file format says.
    let least = (PAGE - 12) * 32 / 255 - 23;
    let kept = least + (long.len() - least) % (PAGE - 4);
    let local = if kept <= PAGE - 35 { kept } else { least };
    let mut cut = [varint_of(long.len() as u64), varint_of(2), long[..local].to_vec()].concat();
    cut.extend(3_u32.to_be_bytes());
    let second = leaf(0, &[cell(1, &record(&[(0, vec![]), (12 + 2 * 5, b"hello".to_vec())])), cut]);
    let mut pages = [first, second].concat();
    let rest: Vec<&[u8]> = long[local..].chunks(PAGE - 4).collect();
    for (index, part) in rest.iter().enumerate() {
        let next = if index + 1 < rest.len() { index as u32 + 4 } else { 0 };
        let mut page = next.to_be_bytes().to_vec();
        page.extend(*part);
        page.resize(PAGE, 0);
        pages.extend(page);
    }
    pages
}

type Rows = Vec<(i64, Vec<u8>)>;

fn read(main: &[u8], wal: Option<&[u8]>) -> io::Result<Option<Rows>> {
    fn at(bytes: &[u8], offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = bytes.get(offset as usize..offset as usize + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(from);
        Ok(())
    }
    let main_at = |offset: u64, buffer: &mut [u8]| at(main, offset, buffer);
    let wal_at = |offset: u64, buffer: &mut [u8]| at(wal.unwrap_or_default(), offset, buffer);
    let database = Database::open(&main_at, main.len() as u64, wal.map(|wal| (&wal_at as _, wal.len() as u64)))?;
    let Some(root) = database.table("Packages")? else { return Ok(None) };
    let mut rows = Vec::new();
    database.rows(root, &mut |number, row| {
        let bytes = row.first(row.len())?;
        let (_, range) = columns(&bytes)?.pop().ok_or(io::ErrorKind::InvalidData)?;
        rows.push((number, bytes.get(range).map(<[u8]>::to_vec).unwrap_or_default()));
        assert_eq!(row.first(3)?, bytes[..3]);
        Ok(())
    })?;
    Ok(Some(rows))
}

#[test]
fn rows_are_read_over_their_pages() {
    let rows = read(&database(), None).unwrap().unwrap();
    assert_eq!(rows[0], (1, b"hello".to_vec()));
    assert_eq!((rows[1].0, rows[1].1.len(), rows[1].1[1199]), (2, 1200, 1199_u32 as u8));
    assert!(read(b"SQLite format 4\0", None).is_err());
}

#[test]
fn nothing_cut_off_or_altered_panics_or_hides_rows() {
    let whole = database();
    for end in 0..whole.len() {
        assert!(read(&whole[..end], None).is_err(), "{end}");
    }
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut altered = whole.clone();
            altered[at] = value;
            let _ = read(&altered, None);
        }
    }
    // A chain that leads round.
    let mut circle = whole.clone();
    circle[2 * PAGE..2 * PAGE + 4].copy_from_slice(&3_u32.to_be_bytes());
    let _ = read(&circle, None);
    let mut tree = whole;
    tree[PAGE] = 5;
    tree[PAGE + 8..PAGE + 12].copy_from_slice(&2_u32.to_be_bytes());
    assert!(read(&tree, None).is_err());
}

/// A log with the given pages: number, pages after the transaction that it ends, content.
fn log(frames: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut log = Vec::new();
    for word in [0x377f_0682_u32, 3_007_000, PAGE as u32, 0, 7, 9] {
        log.extend(word.to_be_bytes());
    }
    let mut sum = checksum((0, 0), &log, true);
    log.extend(sum.0.to_be_bytes());
    log.extend(sum.1.to_be_bytes());
    for (number, pages, content) in frames {
        let head = [number.to_be_bytes(), pages.to_be_bytes()].concat();
        sum = checksum(checksum(sum, &head, true), content, true);
        log.extend(head);
        for word in [7, 9, sum.0, sum.1] {
            log.extend(word.to_be_bytes());
        }
        log.extend(content);
    }
    log
}

#[test]
fn finished_transactions_of_the_log_count_and_others_do_not() {
    let main = database();
    let page = |word: &str| leaf(0, &[cell(7, &record(&[(0, vec![]), (12 + 2 * word.len() as u64, word.as_bytes().to_vec())]))]);
    let of = |log: &[u8]| read(&main, Some(log)).unwrap().unwrap().into_iter().map(|(_, blob)| blob).next().unwrap();
    let finished = log(&[(2, 5, page("new")), (2, 0, page("unfinished"))]);
    assert_eq!(of(&finished), b"new");
    assert_eq!(of(&log(&[(2, 0, page("unfinished"))])), b"hello");
    assert_eq!(of(b""), b"hello");
    for end in 0..finished.len() {
        let whole = end >= 32 + 24 + PAGE;
        assert_eq!(of(&finished[..end]), if whole { &b"new"[..] } else { b"hello" }, "{end}");
    }
    let mut torn = finished;
    torn[32 + 24 + 100] ^= 1;
    assert_eq!(of(&torn), b"hello");
}
