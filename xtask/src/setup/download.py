"""Downloads files so that a download cut off at any moment goes on where it stopped.

Arguments: a JSON file with a list of {"url", "sha256"} (the hash may be null), and the folder for the files.
A file is `NAME.part` until it is whole and its hash is right. Proxies and certificates are urllib's.
Exit codes: 0 done, 3 gave up, 4 pip may succeed where this did not, 28 disk full, 130 interrupted.
"""

import errno
import hashlib
import http.client
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ATTEMPTS = 7  # in a row without a single new byte; about two minutes with the waits
TIMEOUT = 30  # seconds without a byte
CHUNK = 1 << 18

GAVE_UP, TRY_PIP, DISK_FULL, INTERRUPTED = 3, 4, 28, 130


class Progress:
    """One line that moves on a terminal; elsewhere a line for every tenth, if not too many at once."""

    def __init__(self, name, start, total):
        self.name, self.start, self.total = name, start, total
        self.began = self.shown = time.monotonic()
        self.tenth = 10 * start // total if total else 0
        self.moving = sys.stderr.isatty()

    def update(self, size):
        now = time.monotonic()
        tenth = 10 * size // self.total if self.total else 0
        whole = size == self.total
        if self.moving:
            if whole or now - self.shown >= 0.2:
                self.shown = now
                say(f"\r\033[K{self.line(size, now)}", end="\n" if whole else "")
        elif (whole and size >= 1e7) or (tenth > self.tenth and now - self.shown >= 2):
            self.shown, self.tenth = now, tenth
            say(self.line(size, now))

    def line(self, size, now):
        rate = (size - self.start) / max(now - self.began, 1e-3)
        text = f"  {self.name.split('-')[0]} {size / 1e6:.0f}"
        if self.total:
            text += f" of {self.total / 1e6:.0f} MB, {100 * size // self.total} %"
        else:
            text += " MB"
        text += f", {rate / 1e6:.1f} MB/s"
        if self.total and rate > 0 and size < self.total:
            left = int((self.total - size) / rate)
            text += f", {left // 60}:{left % 60:02} left"
        return text


def say(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def is_right(path, sha256):
    if sha256 is None:
        return True
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest() == sha256


def fetch(url, part):
    """Asks for what `part` lacks and appends it. Returns whether the file is whole."""
    have = size_of(part)
    headers = {"User-Agent": "electra-setup", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer:
        # A server that ignores the range sends the file from its beginning.
        goes_on = have and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        start = have if goes_on else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        progress = Progress(os.path.basename(part), start, total)
        size = start
        with open(part, "ab" if goes_on else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                size += len(chunk)
                progress.update(size)
    return total is None or size == total


def is_for_pip(error):
    """Whether pip, with its own login, proxy and certificates, may get what urllib cannot."""
    if isinstance(error, urllib.error.HTTPError):
        return 400 <= error.code < 500 and error.code not in (408, 416, 429)
    return isinstance(getattr(error, "reason", error), ssl.SSLCertVerificationError)


def download(url, sha256, folder):
    name = os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path))
    path = os.path.join(folder, name)
    part = path + ".part"
    if os.path.exists(path) and is_right(path, sha256):
        return
    if size_of(part):
        say(f"  {name.split('-')[0]} goes on at {size_of(part) / 1e6:.0f} MB")
    failures, wrong, reached = 0, 0, size_of(part) > 0
    while True:
        before, reason = size_of(part), "the connection was cut"
        try:
            if fetch(url, part):
                if is_right(part, sha256):
                    os.replace(part, path)
                    return
                os.remove(part)
                wrong += 1
                reason = "the file came with another hash than the index names"
                if wrong == 2:
                    say(f"  {name}: {reason}, twice")
                    sys.exit(GAVE_UP)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            if error.__class__ is OSError and error.errno in (errno.ENOSPC, errno.EDQUOT):
                sys.exit(DISK_FULL)
            if isinstance(error, (PermissionError, FileNotFoundError, IsADirectoryError)):
                raise
            if is_for_pip(error):
                say(f"  {name}: {error}")
                sys.exit(TRY_PIP)
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                # The part is no beginning of this file.
                os.remove(part)
            reason = str(error) or error.__class__.__name__
        came = size_of(part) > before
        reached = reached or came
        failures = 1 if came else failures + 1
        if failures >= ATTEMPTS or (not reached and failures >= 3):
            say(f"  {name}: {reason}")
            sys.exit(GAVE_UP if reached else TRY_PIP)
        wait = 2 ** (failures - 1)
        say(f"  {name.split('-')[0]}: {reason}; again in {wait} s")
        time.sleep(wait)


def main():
    wheels, folder = sys.argv[1:]
    with open(wheels, encoding="utf-8") as file:
        wheels = json.load(file)
    for wheel in wheels:
        download(wheel["url"], wheel["sha256"], folder)


try:
    main()
except KeyboardInterrupt:
    sys.exit(INTERRUPTED)
