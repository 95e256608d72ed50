/*
 * An Ethernet switch in userspace that treats packets badly, from a seed: what the queueing discipline netem does where the
 * kernel has it.
 *
 *   tapSwitch SEED NAMESPACE...
 *
 * Makes a TAP device eth0 in each of the named network namespaces and carries frames between them; says {"ready":true}. Then it
 * reads lines on its standard input, and answers each with a line of JSON:
 *
 *   set DELAY_MS JITTER_MS REORDER_PERMILLE DUPLICATE_PERMILLE LOSS_PERMILLE
 *   count
 *
 * A frame is late by delay, give or take up to jitter, so that frames overtake each other; a reordered one is not late at all.
 * Of a duplicated frame each copy is late by its own amount. At the end of its input it ends, and the devices go with it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX 16
#define FRAME_MAX 2048
#define WAITING_MAX 65536
/* Frames taken from one port before the others have their turn. */
#define BURST_MAX 64

struct frame {
  uint64_t at_ns, number;
  int port, length;
  unsigned char bytes[FRAME_MAX];
};

static int ports, taps[PORTS_MAX];
static unsigned char homes[PORTS_MAX][6];

/* Frames on their way: a binary heap, the one due next on top. */
static struct frame *waiting[WAITING_MAX];
static int waits;
static uint64_t numbered;

static uint64_t delay_ms, jitter_ms, reorder_permille, duplicate_permille, loss_permille;
static unsigned long carried, reordered, duplicated, lost, overtaken;
/* The highest number of a frame that each port was handed, for counting who was overtaken. */
static uint64_t newest[PORTS_MAX];

static uint64_t state;

/* xorshift64 */
static uint64_t draw(uint64_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (state >> 11) % below;
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int before(const struct frame *one, const struct frame *other) {
  return one->at_ns != other->at_ns ? one->at_ns < other->at_ns : one->number < other->number;
}

static void push(struct frame *frame) {
  int at = waits++;
  for (; at > 0 && before(frame, waiting[(at - 1) / 2]); at = (at - 1) / 2) waiting[at] = waiting[(at - 1) / 2];
  waiting[at] = frame;
}

static struct frame *pop(void) {
  struct frame *first = waiting[0], *last = waiting[--waits];
  int at = 0;
  for (int child; (child = 2 * at + 1) < waits; at = child) {
    if (child + 1 < waits && before(waiting[child + 1], waiting[child])) child++;
    if (!before(waiting[child], last)) break;
    waiting[at] = waiting[child];
  }
  waiting[at] = last;
  return first;
}

static void hand_over(struct frame *frame) {
  /* A device that is down takes nothing: to the sender that is a lost frame, as on a cable. */
  if (write(taps[frame->port], frame->bytes, (size_t)frame->length) >= 0) carried++;
  if (frame->number < newest[frame->port]) overtaken++;
  else newest[frame->port] = frame->number;
  free(frame);
}

static void send_late(int port, const unsigned char *bytes, int length, uint64_t now) {
  if (draw(1000) < loss_permille) {
    lost++;
    return;
  }
  int copies = 1;
  if (draw(1000) < duplicate_permille) {
    copies = 2;
    duplicated++;
  }
  for (; copies > 0; copies--) {
    if (waits == WAITING_MAX) {
      lost++;
      continue;
    }
    uint64_t late_us = 0;
    if (draw(1000) < reorder_permille) reordered++;
    else {
      late_us = (delay_ms + jitter_ms) * 1000;
      if (jitter_ms > 0) late_us -= draw(2 * jitter_ms * 1000 + 1);
    }
    struct frame *frame = malloc(sizeof *frame);
    if (frame == NULL) exit(1);
    frame->at_ns = now + late_us * 1000;
    frame->number = ++numbered;
    frame->port = port;
    frame->length = length;
    memcpy(frame->bytes, bytes, (size_t)length);
    push(frame);
  }
}

/* Learns where a sender is, and sends on: to where the addressee is known to be, else to everybody. */
static void take(int from, const unsigned char *bytes, int length, uint64_t now) {
  memcpy(homes[from], bytes + 6, 6);
  if ((bytes[0] & 1) == 0)
    for (int to = 0; to < ports; to++)
      if (memcmp(homes[to], bytes, 6) == 0) {
        if (to != from) send_late(to, bytes, length, now);
        return;
      }
  for (int to = 0; to < ports; to++)
    if (to != from) send_late(to, bytes, length, now);
}

static void obey(const char *line) {
  unsigned long delay, jitter, reorder, duplicate, loss;
  if (sscanf(line, "set %lu %lu %lu %lu %lu", &delay, &jitter, &reorder, &duplicate, &loss) == 5 && jitter <= delay) {
    delay_ms = delay;
    jitter_ms = jitter;
    reorder_permille = reorder;
    duplicate_permille = duplicate;
    loss_permille = loss;
    puts("{\"set\":true}");
  } else if (strcmp(line, "count") == 0)
    printf("{\"carried\":%lu,\"reordered\":%lu,\"overtaken\":%lu,\"duplicated\":%lu,\"lost\":%lu}\n", carried, reordered,
           overtaken, duplicated, lost);
  else puts("{\"set\":false}");
  fflush(stdout);
}

/* Reads what there is on standard input; 0: it has ended. */
static int listen_to_input(void) {
  static char text[4096];
  static size_t length;
  ssize_t got = read(0, text + length, sizeof text - 1 - length);
  if (got <= 0) return got < 0 && errno == EINTR;
  length += (size_t)got;
  text[length] = 0;
  char *line = text;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = 0;
    obey(line);
  }
  length = strlen(line);
  memmove(text, line, length + 1);
  return 1;
}

static int open_tap(const char *namespace) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int home = open(path, O_RDONLY);
  if (home < 0 || setns(home, CLONE_NEWNET) != 0) {
    perror(path);
    return -1;
  }
  close(home);
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strcpy(request.ifr_name, "eth0");
  if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0) {
    perror("/dev/net/tun");
    return -1;
  }
  return tap;
}

int main(int count, char **words) {
  ports = count - 2;
  if (ports < 2 || ports > PORTS_MAX) {
    fprintf(stderr, "usage: tapSwitch SEED NAMESPACE... (2 to %d)\n", PORTS_MAX);
    return 2;
  }
  /* Never 0, of which xorshift makes nothing but 0. */
  state = strtoull(words[1], NULL, 10) * 2654435769u + 1;
  for (int port = 0; port < ports; port++)
    if ((taps[port] = open_tap(words[2 + port])) < 0) return 1;
  puts("{\"ready\":true}");
  fflush(stdout);
  for (;;) {
    uint64_t now = now_ns();
    while (waits > 0 && waiting[0]->at_ns <= now) hand_over(pop());
    struct timespec rest = {0}, *until = NULL;
    if (waits > 0) {
      rest.tv_sec = (time_t)((waiting[0]->at_ns - now) / 1000000000u);
      rest.tv_nsec = (long)((waiting[0]->at_ns - now) % 1000000000u);
      until = &rest;
    }
    struct pollfd polled[PORTS_MAX + 1];
    for (int port = 0; port < ports; port++) polled[port] = (struct pollfd){.fd = taps[port], .events = POLLIN};
    polled[ports] = (struct pollfd){.fd = 0, .events = POLLIN};
    if (ppoll(polled, (nfds_t)ports + 1, until, NULL) < 0 && errno != EINTR) return 1;
    now = now_ns();
    for (int port = 0; port < ports; port++) {
      if ((polled[port].revents & POLLIN) == 0) continue;
      unsigned char bytes[FRAME_MAX];
      ssize_t length;
      for (int i = 0; i < BURST_MAX && (length = read(taps[port], bytes, sizeof bytes)) >= 14; i++)
        take(port, bytes, (int)length, now);
    }
    if (polled[ports].revents != 0 && !listen_to_input()) return 0;
  }
}
