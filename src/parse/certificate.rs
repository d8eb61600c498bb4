//! When certificates in PEM files begin to be valid. Nothing else of them is read.

use chrono::NaiveDateTime;

/// Seconds since the epoch from which each certificate in a PEM file is valid, in order. Errors with what is wrong.
pub fn not_before(pem: &[u8]) -> Result<Vec<i64>, &'static str> {
    let text = std::str::from_utf8(pem).map_err(|_| "not a PEM file")?;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN CERTIFICATE-----") {
        let (body, after) = begun.split_once("-----END CERTIFICATE-----").ok_or("a certificate without its end")?;
        let der = base64(body).ok_or("not base64")?;
        found.push(begin(&der).ok_or("not a certificate")?);
        rest = after;
    }
    if found.is_empty() { Err("no certificate") } else { Ok(found) }
}

/// The start of `Certificate.tbsCertificate.validity` (RFC 5280).
fn begin(der: &[u8]) -> Option<i64> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let inside = |bytes| element(bytes).filter(|(tag, ..)| *tag == SEQUENCE).map(|(_, inside, _)| inside);
    let mut fields = inside(inside(der)?)?;
    if let Some((VERSION, _, rest)) = element(fields) {
        fields = rest;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        (_, _, fields) = element(fields)?;
    }
    let (tag, time, _) = element(inside(fields)?)?;
    let time = std::str::from_utf8(time).ok()?;
    let time = match tag {
        // Two digits of the year: 50 and later are of the last century.
        UTC_TIME => format!("{}{time}", if time.get(..2)? >= "50" { "19" } else { "20" }),
        GENERALIZED_TIME => time.to_owned(),
        _ => return None,
    };
    Some(NaiveDateTime::parse_from_str(&time, "%Y%m%d%H%M%SZ").ok()?.and_utc().timestamp())
}

/// Tag, content and what follows of the first DER element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).take_while(|byte| *byte != b'=');
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0);
    for digit in digits {
        bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|letter| *letter == digit)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUb7FmOZgbjeWx3+sIf80GVu8EmY4wCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIc3dhcm0tY2EwHhcNMjYxMTI0MTIxMTMwWhcNNDYxMTE5MTIx
MTMwWjATMREwDwYDVQQDDAhzd2FybS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABOezUu7ahKf/ulffraM+9Rmov1HQ2kpXameKoMefm0lhkS01S1YJ+vZeSQhr
aVTm0qO1dBIJr70tOkI13yjxxAKjUzBRMB0GA1UdDgQWBBRm4paSise66rb67oQU
MwYwYa09XTAfBgNVHSMEGDAWgBRm4paSise66rb67oQUMwYwYa09XTAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIE0DyfyX0sy3EvqvPjEdfvp/u4d/
Fl1r5GQ2ls0LJ3FgAiBH9e1CNtgxuW8ygPVjMng4tWTy74DccVBPnAQCwrVt8g==
-----END CERTIFICATE-----
";

    #[test]
    fn the_start_is_read_and_nothing_is_guessed() {
        assert_eq!(not_before(ROOT.as_bytes()), Ok(vec![1_795_522_290]));
        assert_eq!(not_before(format!("# two\n{ROOT}{ROOT}").as_bytes()), Ok(vec![1_795_522_290; 2]));
        assert_eq!(not_before(b""), Err("no certificate"));
        assert_eq!(not_before(b"-----BEGIN CERTIFICATE-----\nMIIB"), Err("a certificate without its end"));
        for cut in [40, 80, 120, 160] {
            let cut = ROOT.get(..cut).unwrap();
            assert!(not_before(format!("{cut}\n-----END CERTIFICATE-----\n").as_bytes()).is_err());
        }
        assert!(not_before(b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----").is_err());
        assert_eq!(not_before(b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----"), Err("not base64"));
    }
}
