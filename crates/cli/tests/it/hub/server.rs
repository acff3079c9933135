//! A server that speaks as much of the Hub's API as the program uses.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::http::{Request, Response};
use super::storage::{Storage, sha256};
use crate::support::Bench;

pub(super) const TOKEN: &str = "hf_of_the_test";

pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What goes wrong with requests whose line has this in it, as often as said.
pub(super) struct Fault {
    pub(super) line: &'static str,
    pub(super) times: usize,
    pub(super) what: What,
}

pub(super) enum What {
    Status(u16),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// Other bytes come, as many.
    Swap,
}

#[derive(Default)]
pub(super) struct Repository {
    pub(super) private: bool,
    /// The commit of each branch.
    pub(super) branches: BTreeMap<String, String>,
    pub(super) commits: BTreeMap<String, Files>,
    pub(super) messages: Vec<String>,
}

impl Repository {
    fn commit(&mut self, branch: &str, files: Files, message: &str) -> String {
        let sha = sha256(format!("{branch} {}", self.messages.len()).as_bytes())[..40].to_owned();
        self.branches.insert(branch.to_owned(), sha.clone());
        self.commits.insert(sha.clone(), files);
        self.messages.push(message.to_owned());
        sha
    }

    pub(super) fn files(&self, revision: &str) -> &Files {
        &self.commits[self.branches.get(revision).map_or(revision, String::as_str)]
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) faults: Vec<Fault>,
    /// `METHOD PATH` of every request, and the token if it had one.
    pub(super) requests: Vec<(String, Option<String>)>,
    storage: Storage,
    address: String,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { address: format!("http://{address}"), ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), state) = (stream, Arc::clone(&shared)) else { return };
                std::thread::spawn(move || {
                    let Some(request) = Request::read(&stream) else { return };
                    let response = locked(&state).answer_or_fail(&request);
                    response.write(&mut stream, request.method == "HEAD");
                });
            }
        });
        Self { address, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Makes a model of a folder's files.
    pub(super) fn add(&self, id: &str, branch: &str, folder: &Path) -> String {
        let mut files = Files::new();
        collect(folder, "", &mut files);
        self.state().repositories.entry(id.to_owned()).or_default().commit(branch, files, "a folder")
    }

    pub(super) fn fail(&self, line: &'static str, times: usize, what: What) {
        self.state().faults.push(Fault { line, times, what });
    }

    /// The program with this server for its Hub, its cache in the bench's `cache`, and no token.
    pub(super) fn command(&self, bench: &Bench, line: &str) -> Command {
        let mut command = bench.command(line);
        self.point(bench, &mut command);
        command
    }

    /// Makes this server the Hub of a command.
    pub(super) fn point(&self, bench: &Bench, command: &mut Command) {
        for name in ["HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"] {
            command.env_remove(name);
        }
        for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(name);
        }
        command.env("HF_HOME", bench.path("cache")).env("HF_ENDPOINT", format!("http://{}", self.address));
    }
}

/// Every file under a folder, by its path from there.
pub(super) fn collect(folder: &Path, prefix: &str, files: &mut Files) {
    for name in crate::support::names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files);
        } else {
            files.insert(format!("{prefix}{name}"), std::fs::read(path).unwrap());
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_large(path: &str) -> bool {
    path.ends_with(".safetensors")
}

impl State {
    fn answer_or_fail(&mut self, request: &Request) -> Response {
        let line = format!("{} {}", request.method, request.path);
        self.requests.push((line.clone(), request.token.clone()));
        let fault = self.faults.iter_mut().find(|fault| fault.times > 0 && line.contains(fault.line));
        let Some(fault) = fault else { return self.answer(request) };
        fault.times -= 1;
        match fault.what {
            What::Status(status) => Response::refusal(status, "", "out of order"),
            What::Cut(length) => Response { cut: Some(length), ..self.answer(request) },
            What::Swap => {
                let mut response = self.answer(request);
                response.body.reverse();
                response
            }
        }
    }

    fn answer(&mut self, request: &Request) -> Response {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let is_known = request.token.as_deref() == Some(TOKEN);
        match (&*request.method, &*parts) {
            ("GET", ["api", "whoami-v2"]) if is_known => Response::json(json!({ "name": "me" })),
            ("POST", ["api", "repos", "create"]) if is_known => self.create(&body(request)),
            ("GET", ["v1", "chunks", ..]) => Response::new(404, ""),
            ("POST", ["v1", "xorbs", "default", hash]) => {
                self.storage.add_xorb(hash, &request.body);
                Response::json(json!({ "was_inserted": true }))
            }
            ("POST", ["v1", "shards"]) => {
                self.storage.add_shard(&request.body);
                Response::json(json!({ "result": 1 }))
            }
            ("POST" | "GET" | "PUT", ["v1" | "v2", ..]) => Response::new(404, ""),
            (_, ["api", "models", owner, name, rest @ ..]) => {
                self.in_repository(&format!("{owner}/{name}"), is_known, request, rest)
            }
            (_, [owner, name, rest @ ..]) => {
                let name = name.strip_suffix(".git").unwrap_or(name);
                self.in_repository(&format!("{owner}/{name}"), is_known, request, rest)
            }
            _ => Response::refusal(401, "", "Invalid username or password."),
        }
    }

    fn create(&mut self, body: &Value) -> Response {
        let (owner, name) = (body["organization"].as_str().unwrap_or("me"), body["name"].as_str().unwrap());
        let id = format!("{owner}/{name}");
        if self.repositories.contains_key(&id) {
            return Response::refusal(409, "", "You already created this model repo");
        }
        let mut repository = Repository { private: body["private"] == true, ..Repository::default() };
        let attributes = Files::from([(".gitattributes".to_owned(), b"*.safetensors filter=lfs\n".to_vec())]);
        repository.commit("main", attributes, "initial commit");
        self.repositories.insert(id.clone(), repository);
        Response::json(json!({ "url": format!("{}/{id}", self.address) }))
    }

    fn in_repository(&mut self, id: &str, is_known: bool, request: &Request, rest: &[&str]) -> Response {
        let Self { repositories, storage, address, .. } = self;
        let repository = repositories.get_mut(id).filter(|repository| !repository.private || is_known);
        let Some(repository) = repository else {
            return match is_known {
                true => Response::refusal(404, "RepoNotFound", "Repository not found"),
                false => Response::refusal(401, "RepoNotFound", "Invalid username or password."),
            };
        };
        if request.method == "POST" && !is_known {
            return Response::refusal(401, "", "Invalid username or password.");
        }
        // Revisions have slashes, which the client writes as %2F; here they are decoded.
        let revision = |from: usize| rest[from..].join("/");
        match (&*request.method, rest) {
            ("GET", []) => Response::json(json!({ "id": id })),
            ("POST", ["branch", ..]) => {
                let (branch, start) = (revision(1), repository.branches["main"].clone());
                if repository.branches.contains_key(&branch) {
                    return Response::refusal(409, "", "Reference already exists");
                }
                repository.branches.insert(branch, start);
                Response::json(json!({}))
            }
            ("POST", ["preupload", ..]) => {
                let body = body(request);
                let mode = |path: &str| if is_large(path) { "lfs" } else { "regular" };
                let files = body["files"].as_array().unwrap().iter().map(|file| {
                    json!({ "path": file["path"], "uploadMode": mode(file["path"].as_str().unwrap()) })
                });
                Response::json(json!({ "files": files.collect::<Vec<_>>() }))
            }
            ("POST", ["info", "lfs", "objects", "batch"]) => {
                Response::json(json!({ "transfer": "xet", "objects": [] }))
            }
            ("GET", ["xet-write-token", ..]) if is_known => {
                let token = json!({ "accessToken": "t", "exp": 4_000_000_000_u64, "casUrl": address });
                Response::json(token)
            }
            ("POST", ["commit", ..]) => commit(repository, storage, &revision(1), &request.body, address),
            ("GET", ["revision", ..]) => match repository.found(&revision(1)) {
                Some((sha, _)) => Response::json(json!({ "id": id, "sha": sha })),
                None => Response::refusal(404, "RevisionNotFound", "Invalid rev id"),
            },
            ("GET", ["tree", ..]) => repository.tree(&rest[1..], request.query.contains("recursive=true")),
            ("GET" | "HEAD", ["resolve", ..]) => repository.resolve(&rest[1..]),
            _ => Response::new(404, ""),
        }
    }
}

impl Repository {
    fn found(&self, revision: &str) -> Option<(&str, &Files)> {
        let sha = self.branches.get(revision).map_or(revision, String::as_str);
        let (sha, files) = self.commits.get_key_value(sha)?;
        Some((sha, files))
    }

    /// The revision that the parts begin with, and the rest of them.
    fn split(&self, parts: &[&str]) -> Option<(&str, &Files, String)> {
        (1..=parts.len()).find_map(|length| {
            let (sha, files) = self.found(&parts[..length].join("/"))?;
            Some((sha, files, parts[length..].join("/")))
        })
    }

    fn tree(&self, parts: &[&str], is_recursive: bool) -> Response {
        let Some((_, files, folder)) = self.split(parts) else {
            return Response::refusal(404, "RevisionNotFound", "Invalid rev id");
        };
        let prefix = if folder.is_empty() { folder } else { format!("{folder}/") };
        let inside = files.iter().filter(|(path, _)| path.starts_with(&prefix));
        let shown = inside.clone().filter(|(path, _)| is_recursive || !path[prefix.len()..].contains('/'));
        let entries = shown
            .map(|(path, bytes)| json!({ "type": "file", "oid": "0", "size": bytes.len(), "path": path }));
        match inside.count() {
            0 => Response::refusal(404, "EntryNotFound", "no such folder"),
            _ => Response::json(entries.collect()),
        }
    }

    fn resolve(&self, parts: &[&str]) -> Response {
        let Some((sha, files, path)) = self.split(parts) else {
            return Response::refusal(404, "RevisionNotFound", "Invalid rev id");
        };
        let Some(bytes) = files.get(&path) else {
            let mut response = Response::refusal(404, "EntryNotFound", "Entry not found");
            response.headers.push(("X-Repo-Commit", sha.to_owned()));
            return response;
        };
        let hash = sha256(bytes);
        let etag = if is_large(&path) { &hash } else { &hash[..40] };
        let mut response = Response::new(200, bytes.clone());
        response.headers = vec![("ETag", format!("\"{etag}\"")), ("X-Repo-Commit", sha.to_owned())];
        response
    }
}

/// A commit as lines of JSON.
fn commit(
    repository: &mut Repository,
    storage: &Storage,
    branch: &str,
    body: &[u8],
    address: &str,
) -> Response {
    let Some((_, files)) = repository.found(branch) else {
        return Response::refusal(404, "RevisionNotFound", "Invalid rev id");
    };
    let (mut files, mut message) = (files.clone(), String::new());
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        let value = &line["value"];
        let path = || value["path"].as_str().unwrap().to_owned();
        match line["key"].as_str().unwrap() {
            "header" => message = value["summary"].as_str().unwrap().to_owned(),
            "file" => {
                let content = STANDARD.decode(value["content"].as_str().unwrap()).unwrap();
                assert!(!is_large(&path()), "a large file is not sent with the commit");
                files.insert(path(), content);
            }
            "lfsFile" => match storage.files.get(value["oid"].as_str().unwrap()) {
                Some(bytes) => drop(files.insert(path(), bytes.clone())),
                None => return Response::refusal(400, "", "the large file was not uploaded"),
            },
            "deletedFile" => drop(files.remove(&path())),
            key => panic!("{key}"),
        }
    }
    let sha = repository.commit(branch, files, &message);
    Response::json(json!({ "commitOid": sha, "commitUrl": format!("{address}/commit/{sha}") }))
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}
