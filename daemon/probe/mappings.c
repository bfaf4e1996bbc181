/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "daemon/probe/mappings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/perf_event.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/base/cleanup.h"
#include "daemon/base/loop.h"

#define BUFFER_PAGES                                                                               \
	16 /* 64 KiB: some 500 mappings; within perf_event_mlock_kb (516) of each CPU */

struct cpu_stream {
	struct mappings *owner;
	int fd; /* -1: CPU offline */
	struct perf_event_mmap_page *page;
	struct loop_source *source;
};

struct mappings {
	struct loop *loop;
	unsigned cpus;
	size_t page_size;
	mapping_fn fn;
	void *data;
	uint64_t lost;
	struct cpu_stream *streams;
};

/* perf_event.h, PERF_RECORD_MMAP2 */
struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, size, offset;
	uint32_t major, minor;
	uint64_t ino, generation;
	uint32_t prot, flags;
	char path[];
};

struct lost_record {
	struct perf_event_header header;
	uint64_t id, lost;
};

static int stream_open(unsigned cpu)
{
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(attr),
	    .config = PERF_COUNT_SW_DUMMY,
	    .mmap = 1,
	    .mmap2 = 1,
	    .watermark = 1,
	    .wakeup_watermark = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static void mmap2_seen(struct mappings *m, const struct mmap2_record *r, size_t size)
{
	struct mapping mapping;

	if (size <= sizeof(*r) || !memchr(r->path, '\0', size - sizeof(*r)) || !r->ino)
		return;
	mapping = (struct mapping){
	    .pid = (pid_t)r->pid,
	    .address = r->address,
	    .size = r->size,
	    .offset = r->offset,
	    .key = {(uint64_t)r->major << 32 | r->minor, r->ino, r->generation},
	    .path = r->path,
	};
	m->fn(m->data, &mapping);
}

static void record_seen(struct mappings *m, const struct perf_event_header *header)
{
	if (header->type == PERF_RECORD_MMAP2)
		mmap2_seen(m, (const struct mmap2_record *)header, header->size);
	else if (header->type == PERF_RECORD_LOST && header->size >= sizeof(struct lost_record))
		m->lost += ((const struct lost_record *)header)->lost;
}

/* Copies bytes out of the ring, which may wrap in the middle of a record. */
static void ring_copy(const struct cpu_stream *s, uint64_t at, void *to, size_t size)
{
	const uint8_t *ring = (const uint8_t *)s->page + s->owner->page_size;
	size_t room = BUFFER_PAGES * s->owner->page_size, from = at % room;
	size_t first = MIN(size, room - from);

	memcpy(to, ring + from, first);
	memcpy((uint8_t *)to + first, ring, size - first);
}

static void stream_drain(void *data, int fd, uint32_t events)
{
	struct cpu_stream *s = data;
	static union {
		struct perf_event_header header;
		uint8_t bytes[UINT16_MAX + 1];
	} record; /* large, and the loop has one thread */
	uint64_t head = __atomic_load_n(&s->page->data_head, __ATOMIC_ACQUIRE),
		 tail = s->page->data_tail;

	(void)fd;
	(void)events;
	while (tail + sizeof(record.header) <= head) {
		ring_copy(s, tail, &record.header, sizeof(record.header));
		if (record.header.size < sizeof(record.header) || tail + record.header.size > head)
			break;
		ring_copy(s, tail, record.bytes, record.header.size);
		tail += record.header.size;
		record_seen(s->owner, &record.header);
	}
	__atomic_store_n(&s->page->data_tail, tail, __ATOMIC_RELEASE);
}

static void stream_close(struct cpu_stream *s)
{
	loop_remove(s->owner->loop, s->source);
	s->source = NULL;
	if (s->page)
		munmap(s->page, (BUFFER_PAGES + 1) * s->owner->page_size);
	s->page = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int stream_start(struct cpu_stream *s, unsigned cpu)
{
	void *page;

	s->fd = stream_open(cpu);
	if (s->fd < 0)
		return -errno;
	page = mmap(NULL, (BUFFER_PAGES + 1) * s->owner->page_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED, s->fd, 0);
	if (page == MAP_FAILED) {
		int r = -errno;

		stream_close(s);
		return r;
	}
	s->page = page;
	s->source = loop_add_fd(s->owner->loop, s->fd, EPOLLIN, stream_drain, s);
	if (!s->source) {
		stream_close(s);
		return -ENOMEM;
	}
	return 0;
}

int mappings_new(struct loop *loop, unsigned cpus, mapping_fn fn, void *data,
		 struct mappings **ret_mappings)
{
	struct mappings *m = calloc(1, sizeof(*m));
	unsigned started = 0;
	int r = 0;

	if (!m)
		return -ENOMEM;
	*m = (struct mappings){.loop = loop, .cpus = cpus, .fn = fn, .data = data};
	m->page_size = (size_t)sysconf(_SC_PAGESIZE);
	m->streams = calloc(cpus, sizeof(*m->streams));
	for (unsigned cpu = 0; m->streams && cpu < cpus; cpu++) {
		m->streams[cpu] = (struct cpu_stream){.owner = m, .fd = -1};
		r = stream_start(&m->streams[cpu], cpu);
		started += r == 0;
	}
	if (!started) {
		mappings_free(m);
		return r ? r : -ENOMEM;
	}
	*ret_mappings = m;
	return 0;
}

void mappings_free(struct mappings *m)
{
	if (!m)
		return;
	for (unsigned cpu = 0; m->streams && cpu < m->cpus; cpu++)
		stream_close(&m->streams[cpu]);
	free(m->streams);
	free(m);
}

uint64_t mappings_lost(struct mappings *m)
{
	uint64_t lost = m->lost;

	m->lost = 0;
	return lost;
}

void mappings_restart(struct mappings *m, unsigned cpu)
{
	if (cpu >= m->cpus)
		return;
	stream_close(&m->streams[cpu]);
	stream_start(&m->streams[cpu], cpu);
}
