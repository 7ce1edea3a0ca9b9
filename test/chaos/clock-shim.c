/*
 * Preloaded into a process of a test (LD_PRELOAD), it moves the wall clock by the seconds that stand in the file named by
 * CLOCK_FILE, from one moment to the next, as someone does who sets the time. The monotonic clock goes on as it was.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
  const char* path = getenv("CLOCK_FILE");
  if (path == NULL) return 0;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[32] = {0};
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  return size > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  int result = ((int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime"))(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval* now, void* zone) {
  int result = ((int (*)(struct timeval*, void*))dlsym(RTLD_NEXT, "gettimeofday"))(now, zone);
  if (result == 0) now->tv_sec += shift();
  return result;
}

time_t time(time_t* result) {
  time_t now = ((time_t(*)(time_t*))dlsym(RTLD_NEXT, "time"))(NULL) + shift();
  if (result != NULL) *result = now;
  return now;
}
