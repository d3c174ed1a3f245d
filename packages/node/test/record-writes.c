/*
 * Records what a program writes to one file and makes durable of it, in order, for store-power-loss.test.ts.
 * Preloaded (LD_PRELOAD) into it. RECORD_FILE is the file that is watched, RECORD_LOG where the record goes.
 * What the program says on its standard output is recorded, too: it says what it believes to be durable.
 *
 * A record is a kind (1 byte), an offset and a length (8 bytes each, little endian), and the bytes:
 * 'w' written, 'd' written and durable (O_DSYNC), 's' everything before is durable, 't' length set to the offset,
 * 'a' said on standard output.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;

static void put(const void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    ssize_t written = syscall(SYS_write, log_fd, (const char *)bytes + done, length - done);
    if (written < 0) abort();
    done += written;
  }
}

static void record(char kind, uint64_t offset, const struct iovec *parts, int count) {
  uint64_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  char head[17] = {kind};
  memcpy(head + 1, &offset, 8);
  memcpy(head + 9, &length, 8);
  if (log_fd < 0) log_fd = open(getenv("RECORD_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd < 0) abort();
  put(head, sizeof head);
  for (int i = 0; i < count; i++) put(parts[i].iov_base, parts[i].iov_len);
}

static int is_watched(int fd) {
  struct stat mine, watched;
  const char *path = getenv("RECORD_FILE");
  if (path == NULL || fd <= 2 || fstat(fd, &mine) != 0 || stat(path, &watched) != 0) return 0;
  return mine.st_dev == watched.st_dev && mine.st_ino == watched.st_ino;
}

static ssize_t recorded(int fd, off64_t offset, const struct iovec *parts, int count, ssize_t written) {
  if (written > 0) record(fcntl(fd, F_GETFL) & O_DSYNC ? 'd' : 'w', offset, parts, count);
  return written;
}

/* The order in the record is the order in which the calls ended: one at a time. */
#define WATCHED(fd, call, note)                                   \
  if (!is_watched(fd)) return call;                               \
  pthread_mutex_lock(&order);                                     \
  __typeof__(call) result = call;                                 \
  note;                                                           \
  pthread_mutex_unlock(&order);                                   \
  return result;
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  struct iovec part = {(void *)bytes, length};
  WATCHED(fd, REAL(pwrite64)(fd, bytes, length, offset), recorded(fd, offset, &part, 1, result))
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  WATCHED(fd, REAL(writev)(fd, parts, count),
          recorded(fd, lseek64(fd, 0, SEEK_CUR) - result, parts, count, result))
}

ssize_t write(int fd, const void *bytes, size_t length) {
  struct iovec part = {(void *)bytes, length};
  if (fd == STDOUT_FILENO) {
    pthread_mutex_lock(&order);
    record('a', 0, &part, 1);
    pthread_mutex_unlock(&order);
  }
  WATCHED(fd, REAL(write)(fd, bytes, length),
          recorded(fd, lseek64(fd, 0, SEEK_CUR) - result, &part, 1, result))
}

int fdatasync(int fd) {
  WATCHED(fd, REAL(fdatasync)(fd), if (result == 0) record('s', 0, NULL, 0))
}

int fsync(int fd) {
  WATCHED(fd, REAL(fsync)(fd), if (result == 0) record('s', 0, NULL, 0))
}

int ftruncate64(int fd, off64_t length) {
  WATCHED(fd, REAL(ftruncate64)(fd, length), if (result == 0) record('t', length, NULL, 0))
}

int ftruncate(int fd, off_t length) {
  WATCHED(fd, REAL(ftruncate)(fd, length), if (result == 0) record('t', length, NULL, 0))
}

/* A store that is written through its map would not be seen here. */
void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
  if (fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED) && is_watched(fd)) abort();
  return REAL(mmap64)(at, length, protection, flags, fd, offset);
}
