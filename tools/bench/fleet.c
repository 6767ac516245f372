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
 * A fleet of simulated guest agents: N unix sockets served by one process.
 *
 * usage: fleet DIR COUNT REPLIES [HANG_EVERY [DUMP]]
 *
 * Serves DIR/0.sock .. DIR/<COUNT-1>.sock, each for one client at a time, as
 * a QEMU chardev does. Commands are answered strictly in order with the bytes
 * of a real agent, from REPLIES: a line is "<command> <TAB> <reply>", or
 * "guest-file-read <path> <TAB> <file>" for what <file> here holds. Every
 * HANG_EVERY-th socket takes a client and never answers. DUMP gets the bytes
 * that the client of socket 0 sent last, from its last 0xFF on, and then a
 * line "#<handle> <path>" for each file that it has open.
 *
 * It answers fixed bytes and knows no JSON beyond strings and brackets: it is
 * there to be cheap, not to check the client. "ready" on stdout says that all
 * sockets listen; at SIGTERM it prints how many commands it answered and the
 * CPU it used, as JSON.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { IN_SIZE = 8192, OUT_SIZE = 1 << 20, HANDLES = 32, REPLIES = 64,
       MAX_FILE = 65536 };

struct span { const char *at; size_t len; };
struct reply { struct span key, text; };
struct command { struct span execute, id, sync_id, handle, path, count; };
struct guest {
    int listener, client;
    bool hangs;
    long opened;                        /* handles given out so far */
    const struct reply *file[HANDLES];  /* by handle; NULL when closed */
    size_t position[HANDLES];
    size_t in_len;
    char in[IN_SIZE];
};

static const char READ_FILE[] = "guest-file-read ";
static struct reply replies[REPLIES];
static size_t n_replies;
static char out[OUT_SIZE];
static size_t out_len;
static long answered;
static char dump[IN_SIZE];
static size_t dump_len;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

#define LITERAL(s) ((struct span){ s, sizeof(s) - 1 })

static bool same(struct span a, struct span b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* --- what to answer ---------------------------------------------------- */

static struct span load_file(const char *path)
{
    char *content = malloc(MAX_FILE);
    FILE *file = fopen(path, "r");

    if (!file)
        die(path);
    struct span loaded = { content, fread(content, 1, MAX_FILE, file) };
    fclose(file);
    return loaded;
}

static void load_replies(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (!file)
        die(path);
    while ((len = getline(&line, &size, file)) > 1) {
        char *tab = memchr(line, '\t', len);
        if (!tab || n_replies == REPLIES) {
            fprintf(stderr, "%s: line %zu is no reply\n", path, n_replies + 1);
            exit(1);
        }
        line[--len] = '\0';
        replies[n_replies].key = (struct span){ line, tab - line };
        replies[n_replies].text = (struct span){ tab + 1, line + len - tab - 1 };
        if (!strncmp(line, READ_FILE, strlen(READ_FILE)))
            replies[n_replies].text = load_file(tab + 1);
        n_replies++;
        line = NULL;                    /* kept: the spans point into it */
    }
    fclose(file);
}

static const struct reply *find_reply(struct span key)
{
    for (size_t i = 0; i < n_replies; i++)
        if (same(replies[i].key, key))
            return &replies[i];
    return NULL;
}

static const struct reply *find_file(struct span path)
{
    char key[256];
    int len = snprintf(key, sizeof(key), "%s%.*s", READ_FILE,
                       (int)path.len, path.at);

    if (len >= (int)sizeof(key))
        return NULL;
    return find_reply((struct span){ key, len });
}

static void put(struct span text)
{
    if (out_len + text.len > OUT_SIZE) {
        fprintf(stderr, "fleet: answers to one read are over %d bytes\n",
                OUT_SIZE);
        exit(1);
    }
    memcpy(out + out_len, text.at, text.len);
    out_len += text.len;
}

/* One reply line; a request's id is echoed as the last member. */
static void answer(struct span text, struct span id)
{
    if (id.len) {
        text.len--;
        put(text);
        put(LITERAL(", \"id\": "));
        put(id);
        put(LITERAL("}"));
    } else {
        put(text);
    }
    put(LITERAL("\n"));
    answered++;
}

static void answer_number(struct span number, struct span id)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "{\"return\": %.*s}",
                       (int)number.len, number.at);

    answer((struct span){ text, len }, id);
}

static void answer_open(struct guest *g, const struct command *c)
{
    const struct reply *file = find_file(c->path);
    char number[24];

    if (!file) {
        answer(LITERAL("{\"error\": {\"class\": \"GenericError\", \"desc\": "
                       "\"failed to open file\"}}"), c->id);
        return;
    }
    g->file[g->opened % HANDLES] = file;
    g->position[g->opened % HANDLES] = 0;
    int len = snprintf(number, sizeof(number), "%ld", 1000 + g->opened++);
    answer_number((struct span){ number, len }, c->id);
}

static void encode(char *to, struct span from)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < from.len; i += 3) {
        unsigned n = 0;
        for (size_t k = 0; k < 3; k++)
            n = n << 8 | (i + k < from.len ? (unsigned char)from.at[i + k] : 0);
        *to++ = digits[n >> 18];
        *to++ = digits[n >> 12 & 63];
        *to++ = i + 1 < from.len ? digits[n >> 6 & 63] : '=';
        *to++ = i + 2 < from.len ? digits[n & 63] : '=';
    }
    *to = '\0';
}

/* As fread() does it: the end is seen only by a read that goes past it. */
static void answer_read(struct guest *g, long slot, const struct command *c)
{
    static char base64[MAX_FILE * 4 / 3 + 8], text[sizeof(base64) + 128];
    struct span rest = g->file[slot]->text;
    size_t count = c->count.len ? strtoul(c->count.at, NULL, 10) : 4096;

    rest.at += g->position[slot];
    rest.len -= g->position[slot];
    bool ends = rest.len < count;
    if (!ends)
        rest.len = count;
    g->position[slot] += rest.len;
    encode(base64, rest);
    int len = snprintf(text, sizeof(text), "{\"return\": {\"count\": %zu, "
                       "\"buf-b64\": \"%s\", \"eof\": %s}}", rest.len,
                       base64, ends ? "true" : "false");
    answer((struct span){ text, len }, c->id);
}

/* guest-file-seek to the start, -read and -close. */
static void answer_file(struct guest *g, const struct command *c)
{
    long slot = c->handle.len ? strtol(c->handle.at, NULL, 10) - 1000 : -1;

    if (slot < 0 || slot < g->opened - HANDLES || slot >= g->opened ||
        !g->file[slot % HANDLES]) {
        answer(LITERAL("{\"error\": {\"class\": \"GenericError\", \"desc\": "
                       "\"handle has not been found\"}}"), c->id);
        return;
    }
    slot %= HANDLES;
    if (same(c->execute, LITERAL("guest-file-seek"))) {
        g->position[slot] = 0;
        answer(LITERAL("{\"return\": {\"position\": 0, \"eof\": false}}"),
               c->id);
    } else if (same(c->execute, LITERAL("guest-file-close"))) {
        g->file[slot] = NULL;
        answer(LITERAL("{\"return\": {}}"), c->id);
    } else {
        answer_read(g, slot, c);
    }
}

static void run_command(struct guest *g, const struct command *c)
{
    const struct reply *known;

    if (same(c->execute, LITERAL("guest-sync-delimited"))) {
        put(LITERAL("\xff"));
        answer_number(c->sync_id, c->id);
    } else if (same(c->execute, LITERAL("guest-file-open"))) {
        answer_open(g, c);
    } else if (same(c->execute, LITERAL("guest-file-seek")) ||
               same(c->execute, LITERAL("guest-file-read")) ||
               same(c->execute, LITERAL("guest-file-close"))) {
        answer_file(g, c);
    } else if ((known = find_reply(c->execute))) {
        answer(known->text, c->id);
    } else {
        answer(LITERAL("{\"error\": {\"class\": \"CommandNotFound\", "
                       "\"desc\": \"The command has not been found\"}}"),
               c->id);
    }
}

/* --- finding the commands ---------------------------------------------- */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && strchr(" \t\r\n", *p) && *p)
        p++;
    return p;
}

/* The closing quote of the string that opens at p, or end. */
static const char *string_end(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p < end ? p : end;
}

/* Remember the value of a member that we look at. */
static void note(struct command *c, int depth, struct span key,
                 const char *value, const char *end)
{
    const char *stop = value;
    struct span *into = NULL;

    if (depth == 1 && same(key, LITERAL("execute")))
        into = &c->execute;
    else if (same(key, LITERAL("id")))
        into = depth == 1 ? &c->id : &c->sync_id;
    else if (depth == 2 && same(key, LITERAL("handle")))
        into = &c->handle;
    else if (depth == 2 && same(key, LITERAL("path")))
        into = &c->path;
    else if (depth == 2 && same(key, LITERAL("count")))
        into = &c->count;
    if (!into || value == end)
        return;
    if (*value == '"' && into != &c->id) {
        stop = string_end(value, end);
        value++;
    } else {
        while (stop < end && !strchr(",}] \t\r\n", *stop))
            stop++;
    }
    *into = (struct span){ value, stop - value };
}

/* The end of the object that opens at p, or NULL if there is more to come. */
static const char *scan(const char *p, const char *end, struct command *c)
{
    int depth = 0;

    memset(c, 0, sizeof(*c));
    for (; p < end; p++) {
        if (*p == '"') {
            const char *stop = string_end(p, end);
            const char *next = skip_blanks(stop + 1, end);
            if (stop == end)
                return NULL;
            if (next < end && *next == ':') {
                struct span key = { p + 1, stop - p - 1 };
                note(c, depth, key, skip_blanks(next + 1, end), end);
                stop = next;
            }
            p = stop;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if ((*p == '}' || *p == ']') && --depth <= 0) {
            return p + 1;
        }
    }
    return NULL;
}

/* Answer every whole command in the input; keep the rest for later. */
static void run_input(struct guest *g)
{
    const char *end = g->in + g->in_len;
    const char *mark = memrchr(g->in, 0xff, g->in_len);
    const char *p = skip_blanks(mark ? mark + 1 : g->in, end);
    const char *next;
    struct command c;

    if (mark)                           /* 0xFF voids all that came before */
        answer(LITERAL("{\"error\": {\"class\": \"GenericError\", \"desc\": "
                       "\"JSON parse error, stray '\\uFFFD'\"}}"),
               (struct span){ NULL, 0 });
    while (p < end && (next = scan(p, end, &c))) {
        run_command(g, &c);
        p = skip_blanks(next, end);
    }
    g->in_len = end - p;
    memmove(g->in, p, g->in_len);
}

/* --- sockets ------------------------------------------------------------ */

static int poller;

static void watch(int fd, uint32_t events, struct guest *g)
{
    struct epoll_event event = { .events = events, .data.ptr = g };

    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl");
}

static void start_guest(struct guest *g, const char *dir, long number)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%ld.sock", dir,
             number);
    unlink(address.sun_path);
    g->client = -1;
    g->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (g->listener < 0 ||
        bind(g->listener, (struct sockaddr *)&address, sizeof(address)) ||
        listen(g->listener, 1))
        die(address.sun_path);
    watch(g->listener, EPOLLIN, g);
}

/* One client at a time: the next one waits in the listener's queue. */
static void take_client(struct guest *g)
{
    g->client = accept4(g->listener, NULL, NULL, SOCK_NONBLOCK);
    if (g->client < 0)
        return;
    epoll_ctl(poller, EPOLL_CTL_DEL, g->listener, NULL);
    watch(g->client, g->hangs ? EPOLLRDHUP : EPOLLIN, g);
}

static void drop_client(struct guest *g)
{
    close(g->client);
    g->client = -1;
    g->in_len = 0;
    watch(g->listener, EPOLLIN, g);
}

/* The kernel's buffer takes a batch whole, so a client that makes us wait
 * here has stopped reading. */
static bool send_out(int fd)
{
    for (size_t sent = 0; sent < out_len;) {
        struct pollfd writable = { .fd = fd, .events = POLLOUT };
        ssize_t n = send(fd, out + sent, out_len - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += n;
        else if (n < 0 && errno == EAGAIN) {
            if (poll(&writable, 1, 1000) < 1)
                return false;
        } else
            return false;
    }
    return true;
}

static void serve(struct guest *g, bool dumped)
{
    ssize_t n = recv(g->client, g->in + g->in_len, IN_SIZE - g->in_len, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || g->hangs) {
        drop_client(g);
        return;
    }
    if (dumped) {
        const char *fresh = g->in + g->in_len;
        const char *mark = memrchr(fresh, 0xff, n);
        size_t len = mark ? fresh + n - mark : n;
        if (mark)
            dump_len = 0;
        if (dump_len + len <= IN_SIZE) {
            memcpy(dump + dump_len, mark ? mark : fresh, len);
            dump_len += len;
        }
    }
    g->in_len += n;
    out_len = 0;
    run_input(g);
    if (g->in_len == IN_SIZE || !send_out(g->client))
        drop_client(g);
}

static void write_dump(const struct guest *g, const char *path)
{
    FILE *file = fopen(path, "w");

    if (!file)
        die(path);
    fwrite(dump, 1, dump_len, file);
    for (long n = 0; n < g->opened; n++) {
        const struct reply *read = g->file[n % HANDLES];
        if (n >= g->opened - HANDLES && read)
            fprintf(file, "#%ld %.*s\n", 1000 + n,
                    (int)(read->key.len - strlen(READ_FILE)),
                    read->key.at + strlen(READ_FILE));
    }
    fclose(file);
}

static void report(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    printf("{\"answered\": %ld, \"cpu_ms\": %.3f}\n", answered,
           (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: fleet DIR COUNT REPLIES"
                " [HANG_EVERY [DUMP]]\n");
        return 2;
    }
    long count = atol(argv[2]);
    long hang_every = argc > 4 ? atol(argv[4]) : 0;
    struct guest *guests = calloc(count, sizeof(*guests));
    struct epoll_event events[256];
    sigset_t stop;

    load_replies(argv[3]);
    poller = epoll_create1(0);
    for (long i = 0; i < count; i++) {
        guests[i].hangs = hang_every && i % hang_every == hang_every - 1;
        start_guest(&guests[i], argv[1], i);
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    watch(signalfd(-1, &stop, 0), EPOLLIN, NULL);
    puts("ready");
    fflush(stdout);

    for (;;) {
        int n = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct guest *g = events[i].data.ptr;
            if (!g) {
                report();
                if (argc > 5)
                    write_dump(guests, argv[5]);
                return 0;
            }
            if (g->client < 0)
                take_client(g);
            else
                serve(g, g == guests);
        }
    }
}
