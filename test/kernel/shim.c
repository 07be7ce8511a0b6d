/*
 * Loaded before libc (LD_PRELOAD) into a process that runs the journal. It counts the calls that change a file system below one
 * folder, over all threads and all processes that share its page; at the call number `at` it kills the process, fails the call, or
 * lets a write take only half of what it was given. The page is a mapped file (WJ_SHIM), so the test can arm and read it at any time:
 * shim.ts knows the same layout.
 *
 * Node's libuv, fs-native-extensions (syscall(SYS_renameat2)) and LevelDB reach the kernel through the functions below. What LevelDB
 * prints to its own LOG with stdio does not pass here; nobody reads that file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
  WRITE = 1,
  CREATE = 2,
  SYNC = 4,
  RENAME = 8,
  LINK = 16,
  REMOVE = 32,
  FOLDER = 64,
  MODE = 128,
  SIZE = 256,
  ATTRIBUTE = 512,
  COPY = 1024,
  OPEN = 2048,
  READ = 4096,
};

enum act { KILL_BEFORE = 1, KILL_AFTER = 2, FAIL_ONCE = 3, FAIL_ON = 4, SHORT_ONCE = 5, SHORT_THEN_FAIL = 6 };

struct page {
  uint64_t count;    /* calls so far */
  uint64_t at;       /* 0: never */
  uint32_t act;
  uint32_t error;    /* an errno */
  uint32_t mask;     /* kinds that count */
  uint32_t struck;   /* how often it struck */
  char what[480];    /* the call it first struck, and its path */
  char under[1536];  /* only what is below this folder counts */
  char boot[2048];   /* read in place of the kernel's boot id; a machine that was started anew has another */
};

enum verdict { PASS, FAIL, SHORT, DIE_AFTER };

static struct page *page;

__attribute__((constructor)) static void attach(void) {
  const char *name = getenv("WJ_SHIM");
  if (name == NULL) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped != MAP_FAILED) page = mapped;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int starts(const char *text, const char *prefix, size_t length) {
  return strncmp(text, prefix, length) == 0 && (text[length] == '/' || text[length] == '\0');
}

static const char *path_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length < 0) return NULL;
  buffer[length] = '\0';
  return buffer;
}

/* Names in a pinned folder are given as /proc/self/fd/N/name. */
static const char *resolved(const char *path, char *buffer) {
  static const char pinned[] = "/proc/self/fd/";
  if (path == NULL || strncmp(path, pinned, sizeof pinned - 1) != 0) return path;
  char *rest;
  long fd = strtol(path + sizeof pinned - 1, &rest, 10);
  if (path_of((int)fd, buffer) == NULL) return path;
  size_t length = strlen(buffer);
  snprintf(buffer + length, PATH_MAX - length, "%s", rest);
  return buffer;
}

static enum verdict judge(enum kind kind, const char *call, const char *path) {
  char buffer[PATH_MAX];
  if (page == NULL || (page->mask & kind) == 0 || page->under[0] == '\0') return PASS;
  const char *where = resolved(path, buffer);
  if (where == NULL || !starts(where, page->under, strlen(page->under))) return PASS;
  uint64_t number = __atomic_add_fetch(&page->count, 1, __ATOMIC_SEQ_CST);
  uint64_t at = __atomic_load_n(&page->at, __ATOMIC_SEQ_CST);
  enum act act = page->act;
  int lasting = act == FAIL_ON || act == SHORT_THEN_FAIL;
  if (at == 0 || number < at || (number > at && !lasting)) return PASS;
  if (act == SHORT_ONCE && kind != WRITE) return PASS;
  if (__atomic_fetch_add(&page->struck, 1, __ATOMIC_SEQ_CST) == 0)
    snprintf(page->what, sizeof page->what, "%s %.400s", call, where + strlen(page->under));
  switch (act) {
    case KILL_BEFORE:
      die();
      return FAIL;
    case KILL_AFTER:
      return DIE_AFTER;
    case SHORT_ONCE:
      return SHORT;
    case SHORT_THEN_FAIL:
      if (number == at && kind == WRITE) return SHORT;
      break;
    default:
      break;
  }
  errno = (int)page->error;
  return FAIL;
}

static enum verdict judge_fd(enum kind kind, const char *call, int fd) {
  char buffer[PATH_MAX];
  if (page == NULL || (page->mask & kind) == 0) return PASS;
  int saved = errno;
  const char *path = path_of(fd, buffer);
  errno = saved;
  return path == NULL ? PASS : judge(kind, call, path);
}

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

#define CALL(type, judged, expression)  \
  do {                                  \
    enum verdict said = (judged);       \
    if (said == FAIL) return (type)-1;  \
    type result = (expression);         \
    if (said == DIE_AFTER) die();       \
    return result;                      \
  } while (0)

/* The kernel never takes nothing of something. */
#define WRITING(judged, count, expression)                   \
  do {                                                       \
    enum verdict said = (judged);                            \
    if (said == FAIL) return -1;                             \
    if (said == SHORT && (count) > 1) (count) = (count) / 2; \
    ssize_t result = (expression);                           \
    if (said == DIE_AFTER) die();                            \
    return result;                                           \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t count) {
  WRITING(judge_fd(WRITE, "write", fd), count, REAL(write)(fd, bytes, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  WRITING(judge_fd(WRITE, "pwrite", fd), count, REAL(pwrite)(fd, bytes, count, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  WRITING(judge_fd(WRITE, "pwrite", fd), count, REAL(pwrite64)(fd, bytes, count, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  WRITING(judge_fd(WRITE, "writev", fd), count, REAL(writev)(fd, parts, count));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  WRITING(judge_fd(WRITE, "pwritev", fd), count, REAL(pwritev)(fd, parts, count, at));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  WRITING(judge_fd(WRITE, "pwritev", fd), count, REAL(pwritev64)(fd, parts, count, at));
}

ssize_t read(int fd, void *bytes, size_t count) {
  CALL(ssize_t, judge_fd(READ, "read", fd), REAL(read)(fd, bytes, count));
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
  CALL(ssize_t, judge_fd(READ, "pread", fd), REAL(pread)(fd, bytes, count, at));
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at) {
  CALL(ssize_t, judge_fd(READ, "pread", fd), REAL(pread64)(fd, bytes, count, at));
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
  CALL(ssize_t, judge_fd(COPY, "copy_file_range", out), REAL(copy_file_range)(in, from, out, to, count, flags));
}

ssize_t sendfile(int out, int in, off_t *from, size_t count);

ssize_t sendfile64(int out, int in, off64_t *from, size_t count) {
  CALL(ssize_t, judge_fd(COPY, "sendfile", out), ((__typeof__(&sendfile))real("sendfile64"))(out, in, from, count));
}

int fsync(int fd) { CALL(int, judge_fd(SYNC, "fsync", fd), REAL(fsync)(fd)); }

int fdatasync(int fd) { CALL(int, judge_fd(SYNC, "fdatasync", fd), REAL(fdatasync)(fd)); }

int ftruncate(int fd, off_t size) { CALL(int, judge_fd(SIZE, "ftruncate", fd), REAL(ftruncate)(fd, size)); }

int ftruncate64(int fd, off64_t size) { CALL(int, judge_fd(SIZE, "ftruncate", fd), REAL(ftruncate64)(fd, size)); }

int rename(const char *from, const char *to) { CALL(int, judge(RENAME, "rename", to), REAL(rename)(from, to)); }

int link(const char *from, const char *to) { CALL(int, judge(LINK, "link", to), REAL(link)(from, to)); }

int symlink(const char *target, const char *at) { CALL(int, judge(LINK, "symlink", at), REAL(symlink)(target, at)); }

int unlink(const char *path) { CALL(int, judge(REMOVE, "unlink", path), REAL(unlink)(path)); }

int rmdir(const char *path) { CALL(int, judge(REMOVE, "rmdir", path), REAL(rmdir)(path)); }

int mkdir(const char *path, mode_t mode) { CALL(int, judge(FOLDER, "mkdir", path), REAL(mkdir)(path, mode)); }

int chmod(const char *path, mode_t mode) { CALL(int, judge(MODE, "chmod", path), REAL(chmod)(path, mode)); }

int fchmod(int fd, mode_t mode) { CALL(int, judge_fd(MODE, "fchmod", fd), REAL(fchmod)(fd, mode)); }

int fchown(int fd, uid_t uid, gid_t gid) { CALL(int, judge_fd(MODE, "fchown", fd), REAL(fchown)(fd, uid, gid)); }

int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);

int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
  CALL(int, judge_fd(ATTRIBUTE, "fsetxattr", fd), REAL(fsetxattr)(fd, name, value, size, flags));
}

/* What has no wrapper in an older libc: renameat2 (the exchange) and copy_file_range. */
long syscall(long number, ...) {
  va_list list;
  long a[6];
  va_start(list, number);
  for (int index = 0; index < 6; index += 1) a[index] = va_arg(list, long);
  va_end(list);
  enum verdict said = PASS;
  if (number == SYS_renameat2) said = judge(RENAME, "renameat2", (const char *)a[3]);
  if (number == SYS_copy_file_range) said = judge_fd(COPY, "copy_file_range", (int)a[2]);
  if (said == FAIL) return -1;
  long result = REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (said == DIE_AFTER) die();
  return result;
}

static enum verdict judge_open(const char **path, int flags) {
  if (page == NULL) return PASS;
  if (page->boot[0] != '\0' && strcmp(*path, "/proc/sys/kernel/random/boot_id") == 0) *path = page->boot;
  int changes = (flags & (O_CREAT | O_TRUNC)) != 0;
  return judge(changes ? CREATE : OPEN, changes ? "create" : "open", *path);
}

#define OPENING(name)                                                                    \
  int name(const char *path, int flags, ...) {                                           \
    va_list list;                                                                        \
    va_start(list, flags);                                                               \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;       \
    va_end(list);                                                                        \
    CALL(int, judge_open(&path, flags), REAL(name)(path, flags, mode));                  \
  }

OPENING(open)
OPENING(open64)
