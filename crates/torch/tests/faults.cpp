// Lets one call of a program fail, or a signal come in the middle of it: a library for LD_PRELOAD, compiled by the
// tests of the program (crates/cli/tests/it/ends/faults.rs).
//
// Counted are the calls that change what is under FAULT_UNDER, an absolute path: open with O_CREAT, write, fsync,
// rename, mkdir; or, where FAULT_THREADS is set, the threads that are made; or, where FAULT_MEMORY is set, what asks for at
// least so many bytes of memory, from the first thread on that the program makes: what libraries ask for before they are
// loaded is nothing that the program could mend; or, where FAULT_CLOCK is set, the questions for the time, from then on too.
// The one of the number FAULT_AT fails with
// the error FAULT_ERRNO, or is made after the signal FAULT_SIGNAL was sent. A byte for each goes to the file FAULT_COUNT.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

// How long a call waits after its signal, so that the program's handler comes first.
constexpr useconds_t kPause = 100 * 1000;

std::atomic<long> calls{0};

long number(const char* name) {
  const char* text = getenv(name);
  return text == nullptr ? 0 : atol(text);
}

// Counts a call, and tells whether it fails.
bool fails() {
  const long call = ++calls;
  if (const char* file = getenv("FAULT_COUNT")) {
    // Past the functions below.
    const long fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
      syscall(SYS_write, fd, ".", 1);
      syscall(SYS_close, fd);
    }
  }
  if (call != number("FAULT_AT")) return false;
  if (const long signal = number("FAULT_SIGNAL")) {
    kill(getpid(), static_cast<int>(signal));
    usleep(kPause);
    return false;
  }
  errno = static_cast<int>(number("FAULT_ERRNO"));
  return true;
}

std::atomic<bool> has_begun{false};

// Counts a call for memory that is large enough, and tells whether it fails.
bool fails_for(size_t bytes) {
  static const size_t least = static_cast<size_t>(number("FAULT_MEMORY"));
  return least != 0 && bytes >= least && has_begun && fails();
}

bool is_under(const char* path) {
  const char* under = getenv("FAULT_UNDER");
  return under != nullptr && strncmp(path, under, strlen(under)) == 0;
}

bool fails_at(const char* path) { return is_under(path) && fails(); }

bool fails_at(int fd) {
  if (getenv("FAULT_UNDER") == nullptr) return false;
  char link[64];
  char path[PATH_MAX + 1];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, PATH_MAX);
  if (length < 0) return false;
  path[length] = '\0';
  return fails_at(path);
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

mode_t mode_of(int flags, va_list rest) { return (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0; }

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  static auto* const original = next<int(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return (flags & O_CREAT) != 0 && fails_at(path) ? -1 : original(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  static auto* const original = next<int(const char*, int, ...)>("open64");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return (flags & O_CREAT) != 0 && fails_at(path) ? -1 : original(path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t count) {
  static auto* const original = next<ssize_t(int, const void*, size_t)>("write");
  return fails_at(fd) ? -1 : original(fd, bytes, count);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static auto* const original = next<ssize_t(int, const iovec*, int)>("writev");
  return fails_at(fd) ? -1 : original(fd, parts, count);
}

int fsync(int fd) {
  static auto* const original = next<int(int)>("fsync");
  return fails_at(fd) ? -1 : original(fd);
}

int rename(const char* from, const char* to) {
  static auto* const original = next<int(const char*, const char*)>("rename");
  return fails_at(to) ? -1 : original(from, to);
}

int mkdir(const char* path, mode_t mode) {
  static auto* const original = next<int(const char*, mode_t)>("mkdir");
  return fails_at(path) ? -1 : original(path, mode);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*begin)(void*), void* argument) {
  static auto* const original =
      next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  has_begun = true;
  if (getenv("FAULT_THREADS") != nullptr && fails()) return errno;
  return original(thread, attributes, begin, argument);
}

int clock_gettime(clockid_t clock, timespec* time) {
  static auto* const original = next<int(clockid_t, timespec*)>("clock_gettime");
  static const bool counts = getenv("FAULT_CLOCK") != nullptr;
  return counts && has_begun && fails() ? -1 : original(clock, time);
}

// The C library's own names for these: looking them up would need memory.
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) { return fails_for(bytes) ? nullptr : __libc_malloc(bytes); }

void* calloc(size_t count, size_t bytes) {
  return fails_for(count * bytes) ? nullptr : __libc_calloc(count, bytes);
}

void* realloc(void* memory, size_t bytes) { return fails_for(bytes) ? nullptr : __libc_realloc(memory, bytes); }

void* aligned_alloc(size_t alignment, size_t bytes) {
  return fails_for(bytes) ? nullptr : __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  if (fails_for(bytes)) return errno;
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"
