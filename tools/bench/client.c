/*
 * Licensed under the Apache License, Version 2.0 (the "License"); you may
 * not use this file except in compliance with the License. You may obtain
 * a copy of the License at
 *
 *      http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
 * WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
 * License for the specific language governing permissions and limitations
 * under the License.
 *
 * The limit: as little work a sample as a client can do.
 *
 * usage: client DIR COUNT ROUNDS INTERVAL GROUP TEMPLATE [PATH ...]
 *
 * Sends TEMPLATE, the bytes of one sample, to DIR/0.sock ..
 * DIR/<COUNT-1>.sock in one write each and reads until the marked sync reply
 * and one reply line for every other command are there. It looks at nothing
 * in them. In TEMPLATE, $SYNC stands for the sync id and $H0, $H1 .. for the
 * handles of the PATHs, which are opened once at the start. GROUP guests are
 * woken a tick, ticks are spread over INTERVAL seconds; with 0 all guests are
 * asked at once and the next round follows at once.
 *
 * One round before the measured ones warms up. Prints JSON: CPU by getrusage
 * and wall time over the measured rounds, and resident memory at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct guest {
    int fd;
    bool marked;        /* the 0xFF of this sample's sync reply was seen */
    int lines_left;     /* 0: no sample in flight */
    size_t len;
    char *request;
};

static struct guest *guests;
static long count, n_done, n_missed;
static int lines;       /* reply lines a sample, the sync's included */
static char in[1 << 20];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static char *read_template(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t len;

    if (!file)
        die(path);
    len = fread(in, 1, 65536, file);
    in[len] = '\0';
    fclose(file);
    for (size_t i = 0; i < len; i++)
        lines += in[i] == '\n';
    return strdup(in);
}

static long open_handle(int fd, const char *path)
{
    char command[512];
    int len = snprintf(command, sizeof(command), "{\"execute\":"
                       "\"guest-file-open\",\"arguments\":"
                       "{\"path\":\"%s\"}}\n", path);
    ssize_t n;
    long handle;

    if (write(fd, command, len) != len)
        die("write");
    n = read(fd, command, sizeof(command) - 1);
    if (n <= 0)
        die("read");
    command[n] = '\0';
    if (sscanf(command, "{\"return\": %ld", &handle) != 1) {
        fprintf(stderr, "client: guest-file-open %s: %s\n", path, command);
        exit(1);
    }
    return handle;
}

static void connect_guest(struct guest *g, const char *dir, long number)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%ld.sock", dir,
             number);
    g->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (g->fd < 0 ||
        connect(g->fd, (struct sockaddr *)&address, sizeof(address)))
        die(address.sun_path);
}

/* Fill the template in once: the guest's handles and its random sync id. */
static void make_request(struct guest *g, const char *template, char **paths,
                         int n_paths)
{
    long handles[16];
    unsigned long id;
    FILE *file = open_memstream(&g->request, &g->len);

    if (getrandom(&id, sizeof(id), 0) != sizeof(id))
        die("getrandom");
    for (int i = 0; i < n_paths && i < 16; i++)
        handles[i] = open_handle(g->fd, paths[i]);
    for (const char *p = template; *p; p++) {
        if (!strncmp(p, "$SYNC", 5)) {
            fprintf(file, "%lu", id >> 1);
            p += 4;
        } else if (*p == '$') {
            fprintf(file, "%ld", handles[atoi(p + 2)]);
            p += 2;
        } else {
            fputc(*p, file);
        }
    }
    fclose(file);
}

static void start_sample(struct guest *g)
{
    if (g->lines_left) {
        n_missed++;                     /* still busy with the last one */
        return;
    }
    g->marked = false;
    g->lines_left = lines;
    if (write(g->fd, g->request, g->len) != (ssize_t)g->len)
        die("write");
}

static void read_replies(struct guest *g)
{
    ssize_t n = read(g->fd, in, sizeof(in));
    char *p = in;

    if (n <= 0)
        die("read");
    if (!g->marked) {
        p = memrchr(in, 0xff, n);
        if (!p)
            return;
        g->marked = true;
    }
    while (p < in + n && (p = memchr(p, '\n', in + n - p))) {
        p++;
        g->lines_left--;
    }
    n_done += g->lines_left == 0;
}

static double cpu_ms(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static double wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static long rss_kib(void)
{
    long size, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2)
        die("/proc/self/statm");
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Ask every guest `rounds` times; return when the last one has answered. */
static void run(int poller, int timer, long rounds, long interval_ms,
                long group)
{
    long started = 0, total = rounds * count;
    struct epoll_event events[256];
    struct itimerspec spec = { 0 };

    if (interval_ms == 0) {
        spec.it_value.tv_nsec = 1;
        group = count;
    } else {
        long tick_ns = interval_ms * 1000000 / ((count + group - 1) / group);
        spec.it_interval.tv_sec = tick_ns / 1000000000;
        spec.it_interval.tv_nsec = tick_ns % 1000000000;
        spec.it_value = spec.it_interval;
    }
    n_done = n_missed = 0;
    timerfd_settime(timer, 0, &spec, NULL);
    while (n_done + n_missed < total) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct guest *g = events[i].data.ptr;
            unsigned long ticks;
            if (g) {
                read_replies(g);
                continue;
            }
            if (read(timer, &ticks, sizeof(ticks)) < 0)
                die("timer");
            for (long k = 0; k < group * (long)ticks && started < total; k++)
                start_sample(&guests[started++ % count]);
        }
        if (interval_ms == 0 && n_done == started && started < total)
            timerfd_settime(timer, 0, &spec, NULL);
    }
}

int main(int argc, char **argv)
{
    struct epoll_event event = { .events = EPOLLIN };
    int poller = epoll_create1(0);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);

    if (argc < 7) {
        fprintf(stderr, "usage: client DIR COUNT ROUNDS INTERVAL GROUP"
                " TEMPLATE [PATH ...]\n");
        return 2;
    }
    long rounds = atol(argv[3]), interval = atof(argv[4]) * 1000;
    long group = atol(argv[5]);
    char *template = read_template(argv[6]);
    count = atol(argv[2]);
    guests = calloc(count, sizeof(*guests));
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
    for (long i = 0; i < count; i++) {
        connect_guest(&guests[i], argv[1], i);
        make_request(&guests[i], template, argv + 7, argc - 7);
        event.data.ptr = &guests[i];
        epoll_ctl(poller, EPOLL_CTL_ADD, guests[i].fd, &event);
    }
    run(poller, timer, 1, interval, group);
    double cpu = cpu_ms(), wall = wall_ms();
    run(poller, timer, rounds, interval, group);
    printf("{\"samples\": %ld, \"failed\": %ld, \"cpu_ms\": %.3f, "
           "\"wall_ms\": %.3f, \"rss_kib\": %ld}\n", n_done, n_missed,
           cpu_ms() - cpu, wall_ms() - wall, rss_kib());
    return 0;
}
