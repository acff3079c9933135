//! The program that downloads the wheels; here are its tests, against a server that misbehaves.

/// Run by the environment's Python, which knows proxies, certificates and https.
pub(super) const PROGRAM: &str = include_str!("download.py");

#[cfg(test)]
mod tests {
    use super::PROGRAM;
    use std::fs;
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::path::Path;
    use std::process::Command;
    use std::thread;

    const BODY: &[u8] = b"The whole of a wheel, which is not long.";
    /// Of `BODY`, by `sha256sum`.
    const SHA256: &str = "3007015df38ecea114e1161486f726a629e8e450c1a59f6e6a6215677af4daa3";

    /// How the server answers one request.
    #[derive(Clone, Copy)]
    enum Answer {
        /// With what was asked for, but the connection ends after so many bytes.
        Truncated(usize),
        /// With what was asked for.
        Range,
        /// With the whole file, whatever was asked for.
        Whole,
        /// With as many bytes, and others.
        Wrong,
        Status(&'static str),
    }

    /// Serves one answer after another, and gives back the first byte that each request asked for.
    fn serve(answers: Vec<Answer>) -> (String, thread::JoinHandle<Vec<usize>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/files/a%2Bb.whl?x=y", listener.local_addr().unwrap());
        let requested = thread::spawn(move || {
            let answer = |answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
                let range = head.iter().find_map(|line| line.strip_prefix("Range: bytes="));
                let first = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
                let (status, from, until) = match answer {
                    Answer::Range => ("206 Partial Content", first, BODY.len()),
                    Answer::Truncated(bytes) => ("206 Partial Content", first, first + bytes),
                    Answer::Whole | Answer::Wrong => ("200 OK", 0, BODY.len()),
                    Answer::Status(status) => (status, BODY.len(), BODY.len()),
                };
                let last = BODY.len() - 1;
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n", BODY.len() - from).unwrap();
                write!(stream, "Content-Range: bytes {from}-{last}/{}\r\n", BODY.len()).unwrap();
                write!(stream, "Connection: close\r\n\r\n").unwrap();
                let body = &BODY[from..until];
                match answer {
                    Answer::Wrong => stream.write_all(&vec![b'?'; body.len()]).unwrap(),
                    _ => stream.write_all(body).unwrap(),
                }
                first
            };
            answers.into_iter().map(answer).collect()
        });
        (url, requested)
    }

    /// Exit code of the program, and what the server was asked for.
    fn download(folder: &Path, answers: &[Answer]) -> (Option<i32>, Vec<usize>) {
        let (url, requested) = serve(answers.to_vec());
        let list = folder.join("wheels.json");
        fs::write(&list, format!(r#"[{{ "url": "{url}", "sha256": "{SHA256}" }}]"#)).unwrap();
        let mut python = Command::new("python3");
        python.args(["-c", PROGRAM]).arg(&list).arg(folder).env("NO_PROXY", "127.0.0.1");
        let code = python.output().unwrap().status.code();
        // Answers that were not called for would be waited with for ever.
        while !requested.is_finished() {
            drop(TcpStream::connect(url.split('/').nth(2).unwrap()));
        }
        (code, requested.join().unwrap())
    }

    fn file(folder: &Path) -> Option<Vec<u8>> {
        fs::read(folder.join("a+b.whl")).ok()
    }

    #[test]
    fn a_cut_download_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let (code, requested) =
            download(folder, &[Answer::Truncated(7), Answer::Truncated(3), Answer::Range]);
        assert_eq!((code, requested), (Some(0), vec![0, 7, 10]));
        assert_eq!(file(folder).as_deref(), Some(BODY));
        assert!(!folder.join("a+b.whl.part").exists());
        assert_eq!(download(folder, &[]), (Some(0), vec![]), "nothing is asked for twice");
    }

    #[test]
    fn the_part_of_an_earlier_run_is_continued() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a+b.whl.part"), &BODY[..9]).unwrap();
        assert_eq!(download(folder.path(), &[Answer::Range]), (Some(0), vec![9]));
        assert_eq!(file(folder.path()).as_deref(), Some(BODY));
    }

    #[test]
    fn a_server_that_ignores_the_range_is_read_from_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a+b.whl.part"), "other").unwrap();
        assert_eq!(download(folder.path(), &[Answer::Whole]), (Some(0), vec![5]));
        assert_eq!(file(folder.path()).as_deref(), Some(BODY));
    }

    #[test]
    fn a_part_that_is_no_beginning_of_the_file_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a+b.whl.part"), "other").unwrap();
        let (code, requested) = download(folder.path(), &[Answer::Range, Answer::Range]);
        assert_eq!((code, requested), (Some(0), vec![5, 0]), "the hash tells");
        fs::remove_file(folder.path().join("a+b.whl")).unwrap();
        fs::write(folder.path().join("a+b.whl.part"), [0; 100]).unwrap();
        let (code, requested) = download(folder.path(), &[Answer::Status("416 Too Far"), Answer::Range]);
        assert_eq!((code, requested), (Some(0), vec![100, 0]), "the server tells");
        assert_eq!(file(folder.path()).as_deref(), Some(BODY));
    }

    #[test]
    fn a_file_with_another_hash_is_never_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (code, requested) = download(folder.path(), &[Answer::Wrong, Answer::Wrong]);
        assert_eq!((code, requested), (Some(3), vec![0, 0]));
        assert_eq!(file(folder.path()), None);
    }

    #[test]
    fn what_needs_a_login_is_left_to_pip() {
        let folder = tempfile::tempdir().unwrap();
        let (code, _) = download(folder.path(), &[Answer::Status("401 Unauthorized")]);
        assert_eq!(code, Some(super::super::install::TRY_PIP));
    }
}
