/*
 * Preloaded into a process of a test (LD_PRELOAD), it makes one call of the C library go wrong, under one folder:
 *
 *   FAULT_PROCESS  the fault is for a process that has this word among its arguments, e.g. `worker`
 *   FAULT_FOLDER   only files below it
 *   FAULT_AT       the how-manieth call, from 1
 *   FAULT_KIND     kill | short | the number of an errno
 *   FAULT_ONCE     a file that does not exist; made when the fault happens, so that it happens once in a run
 *
 * Counted are, for `kill` and errors: writes, renames, links, syncs, truncations, new folders, opening and removing of files; for
 * `short` writes alone. `kill` ends the process before the call, as a loss of power would, with SIGKILL.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[4096];
static size_t folder_length;
static char once[4096];
static long at;
static int number; /* errno; 0 for kill, -1 for short */
static int active;
static atomic_long calls;

static int has_argument(const char* word) {
  char text[65536];
  int file = syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY, 0);
  if (file < 0) return 0;
  ssize_t size = syscall(SYS_read, file, text, sizeof text - 1);
  syscall(SYS_close, file);
  if (size <= 0) return 0;
  text[size] = 0;
  for (char* part = text; part < text + size; part += strlen(part) + 1) {
    if (strcmp(part, word) == 0) return 1;
  }
  return 0;
}

__attribute__((constructor)) static void begin(void) {
  const char* process = getenv("FAULT_PROCESS");
  const char* below = getenv("FAULT_FOLDER");
  const char* when = getenv("FAULT_AT");
  const char* kind = getenv("FAULT_KIND");
  const char* marker = getenv("FAULT_ONCE");
  if (!process || !below || !when || !kind || !marker || !has_argument(process)) return;
  snprintf(folder, sizeof folder, "%s/", below);
  folder_length = strlen(folder);
  snprintf(once, sizeof once, "%s", marker);
  at = atol(when);
  number = strcmp(kind, "kill") == 0 ? 0 : strcmp(kind, "short") == 0 ? -1 : atoi(kind);
  active = 1;
}

static int is_below(const char* path) { return path != NULL && strncmp(path, folder, folder_length) == 0; }

static int is_file_below(int file) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t size = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (size <= 0) return 0;
  path[size] = 0;
  return is_below(path);
}

/* Whether this call is the one. */
static int strikes(void) {
  if (atomic_fetch_add(&calls, 1) + 1 != at) return 0;
  int file = syscall(SYS_openat, AT_FDCWD, once, O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (file < 0) return 0;
  syscall(SYS_close, file);
  if (number == 0) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
  }
  return 1;
}

static int fails(int relevant) {
  if (!active || number < 0 || !relevant || !strikes()) return 0;
  errno = number;
  return 1;
}

/* How many of `size` bytes are to be written. */
static size_t allowed(int file, size_t size) {
  if (!active || number >= 0 || size < 2 || !is_file_below(file) || !strikes()) return size;
  return size / 2;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FILE_FAILS(file) (active && number >= 0 && fails(is_file_below(file)))
#define PATH_FAILS(path) (active && number >= 0 && fails(is_below(path)))
/* what never says that it was interrupted */
#define NAME_FAILS(path) (active && number != EINTR && number >= 0 && fails(is_below(path)))

ssize_t write(int file, const void* data, size_t size) {
  if (FILE_FAILS(file)) return -1;
  return REAL(write)(file, data, allowed(file, size));
}

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  if (FILE_FAILS(file)) return -1;
  return REAL(pwrite)(file, data, allowed(file, size), offset);
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) {
  if (FILE_FAILS(file)) return -1;
  return REAL(pwrite64)(file, data, allowed(file, size), offset);
}

ssize_t writev(int file, const struct iovec* parts, int count) {
  if (FILE_FAILS(file)) return -1;
  return REAL(writev)(file, parts, count);
}

int fsync(int file) { return FILE_FAILS(file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return FILE_FAILS(file) ? -1 : REAL(fdatasync)(file); }
int ftruncate(int file, off_t size) { return FILE_FAILS(file) ? -1 : REAL(ftruncate)(file, size); }
int ftruncate64(int file, off64_t size) { return FILE_FAILS(file) ? -1 : REAL(ftruncate64)(file, size); }
int syncfs(int file) { return FILE_FAILS(file) ? -1 : REAL(syncfs)(file); }

int rename(const char* from, const char* to) { return NAME_FAILS(to) ? -1 : REAL(rename)(from, to); }
int link(const char* from, const char* to) { return NAME_FAILS(to) ? -1 : REAL(link)(from, to); }
int unlink(const char* path) { return NAME_FAILS(path) ? -1 : REAL(unlink)(path); }
int mkdir(const char* path, mode_t mode) { return NAME_FAILS(path) ? -1 : REAL(mkdir)(path, mode); }

int unlinkat(int in, const char* path, int flags) {
  if (active && number != EINTR && number >= 0 && fails(is_below(path) || is_file_below(in))) return -1;
  return REAL(unlinkat)(in, path, flags);
}

#define OPEN(name)                                              \
  int name(const char* path, int flags, ...) {                  \
    va_list rest;                                               \
    va_start(rest, flags);                                      \
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; \
    va_end(rest);                                               \
    if (PATH_FAILS(path)) return -1;                            \
    return REAL(name)(path, flags, mode);                       \
  }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                           \
  int name(int folder_file, const char* path, int flags, ...) { \
    va_list rest;                                               \
    va_start(rest, flags);                                      \
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; \
    va_end(rest);                                               \
    if (PATH_FAILS(path)) return -1;                            \
    return REAL(name)(folder_file, path, flags, mode);          \
  }
OPEN_AT(openat)
OPEN_AT(openat64)
