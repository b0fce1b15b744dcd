/* Preloaded into a program, this notes what it does to the files below a directory, and what it brings to the disk.

   FILES_BELOW names the directory, FILES_LOG the file that is noted in. A record is a line: what, the inode's number,
   one or two names, an offset, and bytes in hexadecimal digits, with tabs between. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static int log_number = -2;
static const char *below;

#define NEXT(type, name) static type (*next)(); if (!next) next = (type (*)())dlsym(RTLD_NEXT, name)

static int watching(void) {
    if (log_number == -2) {
        const char *name = getenv("FILES_LOG");
        below = getenv("FILES_BELOW");
        log_number = name && below ? (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    }
    return log_number >= 0;
}

static int full_name(int folder, const char *name, char *into) {
    char start[PATH_MAX / 2], link[64];
    ssize_t length = 0;
    if (name[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(start, sizeof start)) return 0;
            length = (ssize_t)strlen(start);
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            length = readlink(link, start, sizeof start - 1);
        }
        if (length < 0) return 0;
    }
    start[length] = 0;
    if (!*name) snprintf(into, PATH_MAX, "%s", start);
    else if (name[0] == '/') snprintf(into, PATH_MAX, "%s", name);
    else snprintf(into, PATH_MAX, "%s/%s", start, name);
    return watching() && !strncmp(into, below, strlen(below));
}

static int name_of(int number, char *into) { return full_name(number, "", into); }

static unsigned long inode_of(int number) {
    struct stat about;
    return fstat(number, &about) ? 0 : (unsigned long)about.st_ino;
}

static unsigned long inode_named(const char *name) {
    struct stat about;
    return lstat(name, &about) ? 0 : (unsigned long)about.st_ino;
}

static void note(const char *what, unsigned long inode, const char *name, const char *other, long long offset,
                 const unsigned char *bytes, size_t count) {
    size_t size = 2 * PATH_MAX + 128 + 2 * count;
    char *line = malloc(size);
    int length = snprintf(line, size, "%s\t%lu\t%s\t%s\t%lld\t", what, inode, name, other, offset);
    for (size_t i = 0; i < count; i++) length += sprintf(line + length, "%02x", bytes[i]);
    line[length++] = '\n';
    if (syscall(SYS_write, log_number, line, length) != length) abort();
    free(line);
}

#define BEGIN int saved; pthread_mutex_lock(&one_at_a_time)
#define END saved = errno; pthread_mutex_unlock(&one_at_a_time); errno = saved; return result

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char full[PATH_MAX];
    int watched = full_name(folder, name, full), there = 1, result;
    BEGIN;
    if (watched) there = inode_named(full) != 0;
    result = (int)syscall(SYS_openat, folder, name, flags, mode);
    if (watched && result >= 0 && !there) note("create", inode_of(result), full, "", 0, NULL, 0);
    if (watched && result >= 0 && there && (flags & O_TRUNC)) note("truncate", inode_of(result), full, "", 0, NULL, 0);
    END;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *name, int flags, ...) { MODE return opened(folder, name, flags, mode); }
int openat64(int folder, const char *name, int flags, ...) { MODE return opened(folder, name, flags | O_LARGEFILE, mode); }

ssize_t write(int number, const void *bytes, size_t count) {
    char full[PATH_MAX];
    int watched = number > 2 && number != log_number && name_of(number, full);
    ssize_t result;
    BEGIN;
    long long offset = watched ? lseek(number, 0, SEEK_CUR) : 0;
    result = syscall(SYS_write, number, bytes, count);
    if (watched && result > 0) note("write", inode_of(number), full, "", offset, bytes, (size_t)result);
    END;
}

int ftruncate(int number, off_t length) {
    char full[PATH_MAX];
    int watched = name_of(number, full), result;
    BEGIN;
    result = (int)syscall(SYS_ftruncate, number, length);
    if (watched && !result) note("truncate", inode_of(number), full, "", length, NULL, 0);
    END;
}
int ftruncate64(int number, off64_t length) { return ftruncate(number, length); }

static int synced(int number, long call) {
    char full[PATH_MAX];
    int watched = name_of(number, full), result;
    BEGIN;
    result = (int)syscall(call, number);
    if (watched && !result) note("sync", inode_of(number), full, "", 0, NULL, 0);
    END;
}
int fsync(int number) { return synced(number, SYS_fsync); }
int fdatasync(int number) { return synced(number, SYS_fdatasync); }
void sync(void) { syscall(SYS_sync); if (watching()) note("sync all", 0, "", "", 0, NULL, 0); }

#define TWO(what, call) \
    char first[PATH_MAX], second[PATH_MAX]; \
    int watched = full_name(from_folder, from, first) & full_name(to_folder, to, second), result; \
    BEGIN; \
    unsigned long inode = watched ? inode_named(first) : 0; \
    result = (int)(call); \
    if (watched && !result) note(what, inode, first, second, 0, NULL, 0); \
    END
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    TWO("rename", syscall(SYS_renameat2, from_folder, from, to_folder, to, 0));
}
int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    TWO("link", syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *name, int flags) {
    char full[PATH_MAX];
    int watched = full_name(folder, name, full), result;
    BEGIN;
    unsigned long inode = watched ? inode_named(full) : 0;
    result = (int)syscall(SYS_unlinkat, folder, name, flags);
    if (watched && !result) note("unlink", inode, full, "", 0, NULL, 0);
    END;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int folder, const char *name, mode_t mode) {
    char full[PATH_MAX];
    int watched = full_name(folder, name, full), result;
    BEGIN;
    result = (int)syscall(SYS_mkdirat, folder, name, mode);
    if (watched && !result) note("directory", inode_named(full), full, "", 0, NULL, 0);
    END;
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }
