use std::io::{BufRead, BufReader, Chain, Cursor, ErrorKind, Read};
use std::path::Path;

use electra_store::{FOREIGN_HEAD, Foreign};

use crate::Error;

/// Bytes that are asked of the operating system at a time.
const BUFFER: usize = 256 << 10;

/// A stream behind its decoder, and the decoder's name if there is one.
type Decoded = (Box<dyn BufRead + Send>, Option<&'static str>);

/// Puts the decoder in front of `source` that its first bytes ask for; names play no part, so that standard
/// input works as well. A name only tells that an (all but) empty compressed file was cut off.
pub(crate) fn decompressed(path: &Path, mut source: impl Read + Send + 'static) -> Result<Decoded, Error> {
    let mut head = Vec::with_capacity(FOREIGN_HEAD);
    source
        .by_ref()
        .take(FOREIGN_HEAD as u64)
        .read_to_end(&mut head)
        .map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let compression = match head[..] {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        // A skippable frame, as parallel writers put in front.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some("zstd"),
        _ => None,
    };
    let cut_off = |compression| Err(Error::Truncated { path: path.to_owned(), compression });
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") if head.len() < 2 => return cut_off("gzip"),
        Some("zst") if head.len() < 4 => return cut_off("zstd"),
        _ => {}
    }

    let whole = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(source));
    let mut decoder = match compression {
        Some("gzip") => gzip(path, whole)?,
        Some(_) => zstd(path, whole)?,
        None => Box::new(whole),
    };
    // What is packed may be foreign, too, such as a tar archive.
    let head = decoder.fill_buf().map_err(|source| failed(path, compression, source))?;
    if let Some(foreign) = Foreign::of(head) {
        let what = foreign.message("text, plain or in gzip or zstd");
        return Err(Error::Foreign { path: path.to_owned(), what });
    }
    Ok((decoder, compression))
}

/// What reading from a decoder met.
pub(crate) fn failed(path: &Path, compression: Option<&'static str>, source: std::io::Error) -> Error {
    match (source.kind(), compression) {
        (ErrorKind::UnexpectedEof, Some(compression)) => {
            Error::Truncated { path: path.to_owned(), compression }
        }
        _ => Error::Io { path: path.to_owned(), source },
    }
}

type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

#[cfg(feature = "gzip")]
fn gzip<R: Read + Send + 'static>(_path: &Path, whole: Whole<R>) -> Result<Box<dyn BufRead + Send>, Error> {
    let members = Members { decoder: Some(flate2::bufread::GzDecoder::new(whole)) };
    Ok(Box::new(BufReader::with_capacity(BUFFER, members)))
}

/// The members of a gzip file, and zeros behind them, with which tapes and disk images are padded.
#[cfg(feature = "gzip")]
struct Members<R: BufRead> {
    /// `None` at the end.
    decoder: Option<flate2::bufread::GzDecoder<R>>,
}

#[cfg(feature = "gzip")]
impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(decoder) = self.decoder.take() else { break };
            let mut source = decoder.into_inner();
            let padded = skip_zeros(&mut source)?;
            if source.fill_buf()?.is_empty() {
                break;
            }
            if padded {
                return Err(std::io::Error::other(
                    "expected the end of the gzip data, found more behind zeros",
                ));
            }
            self.decoder = Some(flate2::bufread::GzDecoder::new(source));
        }
        Ok(0)
    }
}

/// Whether there were any.
#[cfg(feature = "gzip")]
fn skip_zeros(source: &mut impl BufRead) -> std::io::Result<bool> {
    let mut any = false;
    loop {
        let buffer = source.fill_buf()?;
        let zeros = buffer.iter().take_while(|&&byte| byte == 0).count();
        if zeros == 0 {
            return Ok(any);
        }
        any = true;
        source.consume(zeros);
    }
}

#[cfg(not(feature = "gzip"))]
fn gzip<R: Read + Send + 'static>(path: &Path, _whole: Whole<R>) -> Result<Box<dyn BufRead + Send>, Error> {
    Err(Error::MissingFeature { path: path.to_owned(), feature: "gzip" })
}

#[cfg(feature = "zstd")]
fn zstd<R: Read + Send + 'static>(path: &Path, whole: Whole<R>) -> Result<Box<dyn BufRead + Send>, Error> {
    let open = || -> std::io::Result<_> {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(whole)?;
        // `zstd --long=31` writes windows that the library refuses by default.
        decoder.window_log_max(31)?;
        Ok(Box::new(BufReader::with_capacity(BUFFER, decoder)))
    };
    open().map_or_else(
        |source| Err(Error::Io { path: path.to_owned(), source }),
        |reader| Ok(reader as Box<dyn BufRead + Send>),
    )
}

#[cfg(not(feature = "zstd"))]
fn zstd<R: Read + Send + 'static>(path: &Path, _whole: Whole<R>) -> Result<Box<dyn BufRead + Send>, Error> {
    Err(Error::MissingFeature { path: path.to_owned(), feature: "zstd" })
}
