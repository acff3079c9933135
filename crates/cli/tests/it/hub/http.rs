//! As much of HTTP/1.1 as a client of the Hub speaks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

pub(super) struct Request {
    pub(super) method: String,
    /// Decoded, without the query.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) token: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// None where the client has gone.
    pub(super) fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let mut parts = line.split_whitespace();
        let (method, target) = (parts.next()?.to_owned(), parts.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (decoded(path), query.to_owned());
        let (mut length, mut is_chunked, mut token) = (0, false, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim().split_once(':') else { break };
            match (&*name.to_ascii_lowercase(), value.trim()) {
                ("content-length", value) => length = value.parse().unwrap(),
                ("transfer-encoding", value) => is_chunked = value == "chunked",
                ("authorization", value) => token = value.strip_prefix("Bearer ").map(str::to_owned),
                _ => {}
            }
        }
        let body = if is_chunked { chunks(&mut reader)? } else { exactly(&mut reader, length)? };
        Some(Self { method, path, query, token, body })
    }
}

fn exactly(reader: &mut impl Read, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        body.extend(exactly(reader, length)?);
        reader.read_line(&mut String::new()).ok()?;
        if length == 0 {
            return Some(body);
        }
    }
}

fn decoded(path: &str) -> String {
    let mut bytes = path.bytes();
    let mut text = Vec::new();
    while let Some(byte) = bytes.next() {
        let escape = (byte == b'%').then(|| [bytes.next().unwrap(), bytes.next().unwrap()]);
        text.push(
            escape.map_or(byte, |digits| {
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }),
        );
    }
    String::from_utf8(text).unwrap()
}

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// How much of the body is sent before the connection is cut.
    pub(super) cut: Option<usize>,
}

impl Response {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), cut: None }
    }

    #[allow(clippy::needless_pass_by_value, reason = "the value is made in the call")]
    pub(super) fn json(value: serde_json::Value) -> Self {
        Self::new(200, value.to_string())
    }

    /// A refusal as the Hub words it.
    pub(super) fn refusal(status: u16, code: &str, message: &str) -> Self {
        let mut response = Self::new(status, format!("{{\"error\": \"{message}\"}}"));
        response.headers = vec![("X-Error-Code", code.to_owned()), ("X-Error-Message", message.to_owned())];
        response
    }

    pub(super) fn write(&self, stream: &mut TcpStream, is_head: bool) {
        let mut text = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", self.status);
        text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let body = if is_head { &[] } else { &self.body[..self.cut.unwrap_or(self.body.len())] };
        // The client may have gone.
        let _ = stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.write_all(body))
            .and_then(|()| stream.flush());
    }
}
