//! HTTP answers, as an engine or whoever sits on its socket sends them.

use std::borrow::Cow;

use crate::fact::Reason;

/// The most headers an answer may have.
const MOST_HEADERS: usize = 64;
/// The most a body may hold, in bytes.
const MOST_BODY: usize = 8 * 1024 * 1024;
/// The most that is kept of an engine's own words, in characters.
const MOST_MESSAGE: usize = 200;

/// The body of a whole answer, from its status line to the end of the connection: `None` for 404.
///
/// Errors where the answer is no 200, is cut short or too long, or is not HTTP/1.0 or 1.1 at all.
pub fn body(raw: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Reason> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let start = match answer.parse(raw) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) if raw.is_empty() => return Err(Reason::Unreachable),
        Ok(httparse::Status::Partial) => return Err(Reason::malformed("the answer ends inside its headers")),
        Err(error) => return Err(Reason::malformed(format!("not an HTTP answer: {error}"))),
    };
    let body = framed(raw.get(start..).unwrap_or_default(), answer.headers)?;
    match answer.code.unwrap_or_default() {
        200 => Ok(Some(body)),
        404 => Ok(None),
        401 | 403 => Err(Reason::Denied),
        code @ (100..=199 | 300..=399) => Err(Reason::malformed(format!("status {code}, which is not an answer"))),
        code => Err(Reason::unsupported(format!("the engine answers {code}: {}", message(&body)))),
    }
}

/// The body by its framing: chunks, a length, or the end of the connection.
fn framed<'a>(body: &'a [u8], headers: &[httparse::Header<'_>]) -> Result<Cow<'a, [u8]>, Reason> {
    let values = |name: &'static str| {
        headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.trim_ascii())
    };
    let mut encodings = values("transfer-encoding");
    let body = match (encodings.next(), encodings.next()) {
        (None, _) => Cow::Borrowed(body),
        (Some(encoding), None) if encoding.eq_ignore_ascii_case(b"chunked") => Cow::Owned(unchunked(body)?),
        _ => return Err(Reason::malformed("a transfer encoding that is not understood")),
    };
    if body.len() > MOST_BODY {
        return Err(Reason::TooLarge);
    }
    for length in values("content-length") {
        let promised: Option<usize> = std::str::from_utf8(length)
            .ok()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok());
        if promised != Some(body.len()) {
            let promised = String::from_utf8_lossy(length);
            return Err(Reason::malformed(format!("{} bytes came where {promised:.20} were promised", body.len())));
        }
    }
    Ok(body)
}

fn unchunked(mut rest: &[u8]) -> Result<Vec<u8>, Reason> {
    let cut = || Reason::malformed("the answer ends inside a chunk");
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(chunk)) => chunk,
            Ok(httparse::Status::Partial) => return Err(cut()),
            Err(_) => return Err(Reason::malformed("a chunk without its size")),
        };
        rest = rest.get(start..).unwrap_or_default();
        if size == 0 {
            return Ok(body);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > MOST_BODY.saturating_sub(body.len()) {
            return Err(Reason::TooLarge);
        }
        body.extend_from_slice(rest.get(..size).ok_or_else(cut)?);
        rest = rest.get(size..).and_then(|rest| rest.strip_prefix(b"\r\n")).ok_or_else(cut)?;
    }
}

/// What an engine says of its own failure: JSON with a `message`, or plain text.
fn message(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Failure {
        message: String,
    }
    let text = match serde_json::from_slice(body) {
        Ok(Failure { message }) => message,
        Err(_) => String::from_utf8_lossy(body.get(..4 * MOST_MESSAGE).unwrap_or(body)).into_owned(),
    };
    text.trim().chars().take(MOST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Result<Option<String>, Reason> {
        body(raw.as_bytes()).map(|body| body.map(|body| String::from_utf8(body.into_owned()).unwrap()))
    }

    fn malformed(raw: &str) -> bool {
        matches!(read(raw), Err(Reason::Malformed(_)))
    }

    #[test]
    fn a_body_by_length_by_end_and_by_chunks() {
        let ok = Ok(Some("{}".to_owned()));
        assert_eq!(read("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"), ok);
        assert_eq!(read("HTTP/1.0 200 OK\r\nServer: Docker/20.10\r\n\r\n{}"), ok);
        assert_eq!(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n"), ok);
        assert_eq!(read("HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"no such container\"}"), Ok(None));
    }

    #[test]
    fn a_body_cut_short_or_drawn_out_is_not_believed() {
        assert!(malformed("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n{}"));
        assert!(malformed("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n{}"));
        assert!(malformed("HTTP/1.0 200 OK\r\nContent-Length: +2\r\n\r\n{}"));
        assert!(malformed("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"));
        assert!(malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"));
        assert!(malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"));
        assert!(malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}"));
        assert!(malformed("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}"));
        assert_eq!(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n{}"), Err(Reason::TooLarge));
        let long = format!("HTTP/1.0 200 OK\r\n\r\n{}", " ".repeat(MOST_BODY + 1));
        assert_eq!(read(&long), Err(Reason::TooLarge));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        assert_eq!(read(""), Err(Reason::Unreachable));
        for raw in [
            "HTTP/1.0 200 OK\r\nServer: D",
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/2.0 200 OK\r\n\r\n{}",
            "HTTP/1.1 101 UPGRADED\r\n\r\n",
            "HTTP/1.1 301 Moved\r\nLocation: http://x/\r\n\r\n",
        ] {
            assert!(malformed(raw), "{raw:?}");
        }
        let many = format!("HTTP/1.0 200 OK\r\n{}\r\n{{}}", "a: b\r\n".repeat(MOST_HEADERS + 1));
        assert!(malformed(&many));
    }

    #[test]
    fn a_failing_engine_is_quoted_in_short() {
        let Err(Reason::Unsupported(said)) = read("HTTP/1.0 503 No\r\n\r\n{\"message\":\"this node is not a swarm manager\"}") else {
            panic!()
        };
        assert_eq!(said.raw(), "the engine answers 503: this node is not a swarm manager");
        let Err(Reason::Unsupported(said)) = read(&format!("HTTP/1.0 500 No\r\n\r\n{}", "ü".repeat(100_000))) else { panic!() };
        assert!(said.raw().chars().count() < 240);
        assert_eq!(read("HTTP/1.0 403 No\r\n\r\nauthorization denied"), Err(Reason::Denied));
    }
}
