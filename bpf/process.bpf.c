/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Life cycle: fork, exec and exit keep `processes` current, in the kernel, and tell the daemon.
 *
 * A forked worker is sampled from its first instruction (it inherits its parent's configuration);
 * an exec of a known static interpreter too (by its inode). A shared libpython is seen by the
 * daemon (PERF_RECORD_MMAP2) and configured from there. Raw tracepoints: no syscall pays for them.
 */
#include "bpf/maps.h"
#include "bpf/settings.h"

/* Ticks that these programs could not serve, and records that found the ring full: the daemon then
 * rescans /proc. */
__u64 events_lost = 0;

static __always_inline void header_of(struct record_header *h, __u16 kind, __u32 size)
{
	h->kind = kind;
	h->size = size;
	h->cpu = bpf_get_smp_processor_id();
	h->time_ns = bpf_ktime_get_ns();
}

static __always_inline void event_send(void *record, __u64 size)
{
	if (bpf_ringbuf_output(&events, record, size, 0))
		__sync_fetch_and_add(&events_lost, 1);
}

static __always_inline __u32 uid_of_current(void)
{
	return (__u32)bpf_get_current_uid_gid();
}

/* Clears what an earlier process with this pid may have left. */
static __always_inline void process_forget(__u32 tgid)
{
	bpf_map_delete_elem(&processes, &tgid);
}

/* The process, or its image before an exec, is over: its counters are final. */
static __always_inline void process_over(__u32 tgid, __u32 exit_code)
{
	struct py_process *p = bpf_map_lookup_elem(&processes, &tgid);
	struct exit_record r = {};

	if (!p)
		return;
	header_of(&r.header, RECORD_EXIT, sizeof(r));
	r.generation = p->generation;
	r.pid = tgid;
	r.exit_code = exit_code;
	r.ticks = p->ticks;
	r.session = p->session;
	process_forget(tgid);
	event_send(&r, sizeof(r));
}

static __always_inline void fork_tell(struct task_struct *child, const struct py_process *p,
				      __u32 pid)
{
	struct fork_record r = {};

	header_of(&r.header, RECORD_FORK, sizeof(r));
	r.generation = p->generation;
	r.family = p->family;
	r.start_time_ns = BPF_CORE_READ(child, start_boottime);
	r.cgroup = bpf_get_current_cgroup_id();
	r.pid = pid;
	r.ppid = bpf_get_current_pid_tgid() >> 32;
	r.uid = uid_of_current();
	bpf_get_current_comm(r.comm, sizeof(r.comm));
	event_send(&r, sizeof(r));
}

SEC("raw_tp/sched_process_fork")
int process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx->args[1];
	__u32 parent = bpf_get_current_pid_tgid() >> 32, pid = BPF_CORE_READ(child, tgid);
	struct py_process *p;

	if (pid != (__u32)BPF_CORE_READ(child, pid))
		return 0; /* a thread */
	p = bpf_map_lookup_elem(&processes, &parent);
	if (!p) {
		process_forget(pid);
		return 0;
	}
	/* The child does not run yet: nobody sees the copy before it is put right. */
	if (bpf_map_update_elem(&processes, &pid, p, BPF_ANY)) {
		__sync_fetch_and_add(&events_lost, 1);
		return 0;
	}
	p = bpf_map_lookup_elem(&processes, &pid);
	if (!p)
		return 0;
	p->generation = bpf_ktime_get_ns();
	__builtin_memset(&p->ticks, 0, sizeof(p->ticks));
	__builtin_memset(&p->session, 0, sizeof(p->session));
	__builtin_memset(&p->memory, 0, sizeof(p->memory));
	fork_tell(child, p, pid);
	return 0;
}

static __always_inline void file_key_read(struct file_key *key, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	key->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	key->ino = BPF_CORE_READ(inode, i_ino);
	key->size = BPF_CORE_READ(inode, i_size);
	key->generation = BPF_CORE_READ(inode, i_generation);
	key->pad = 0;
}

static __always_inline __u64 address_at(__u64 start, __u64 relative)
{
	return relative ? start + relative : 0;
}

/* A known interpreter: its addresses follow from where the kernel mapped it. */
static __always_inline int process_place(struct scratch *s, const struct py_image *image,
					 __u64 start, __u32 tgid)
{
	struct py_process *p = &s->process;

	__builtin_memset(p, 0, sizeof(*p));
	p->generation = s->exec.record.generation;
	p->family = p->generation;
	p->layout = image->layout;
	p->state = image->state;
	p->at.interp_head = address_at(start, image->at.interp_head);
	p->at.tss_key = address_at(start, image->at.tss_key);
	p->at.code_type = address_at(start, image->at.code_type);
	p->at.gil = address_at(start, image->at.gil);
	p->at.text_start = start + image->at.text_start; /* 0 is a valid distance here */
	p->at.text_end = address_at(start, image->at.text_end);
	return bpf_map_update_elem(&processes, &tgid, p, BPF_ANY) == 0;
}

static __always_inline __u32 argv_read(struct scratch *s, struct mm_struct *mm)
{
	__u64 start = BPF_CORE_READ(mm, arg_start), end = BPF_CORE_READ(mm, arg_end);
	__u64 size = end - start;

	if (end <= start)
		return 0;
	if (size > ARGV_MAX)
		size = ARGV_MAX;
	asm volatile("" : "+r"(size));
	if (size > ARGV_MAX || bpf_probe_read_user(s->exec.argv, size, (void *)start))
		return 0;
	return size;
}

static __always_inline void exec_fill(struct scratch *s, struct task_struct *task,
				      struct linux_binprm *bprm)
{
	struct exec_record *r = &s->exec.record;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	r->generation = bpf_ktime_get_ns();
	r->start_time_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	r->cgroup = bpf_get_current_cgroup_id();
	file_key_read(&r->image, BPF_CORE_READ(bprm, file));
	r->start_code = BPF_CORE_READ(mm, start_code);
	r->pid = bpf_get_current_pid_tgid() >> 32;
	r->ppid = BPF_CORE_READ(task, real_parent, tgid);
	r->uid = uid_of_current();
	r->argv_bytes = argv_read(s, mm);
	r->configured = 0;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
}

SEC("raw_tp/sched_process_exec")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 seat = SCRATCH_TRACEPOINT * cpus + bpf_get_smp_processor_id();
	struct py_image *image;
	struct scratch *s;
	__u64 size;

	process_over(tgid, 0);
	s = bpf_map_lookup_elem(&scratches, &seat);
	if (!s || !scratch_take(s)) {
		__sync_fetch_and_add(&events_lost, 1);
		return 0;
	}
	exec_fill(s, task, (struct linux_binprm *)ctx->args[2]);
	image = bpf_map_lookup_elem(&images, &s->exec.record.image);
	if (image && image->state != PY_NOT_PYTHON)
		s->exec.record.configured =
		    process_place(s, image, s->exec.record.start_code, tgid);
	size = s->exec.record.argv_bytes;
	asm volatile("" : "+r"(size));
	if (size > ARGV_MAX)
		size = ARGV_MAX;
	size += sizeof(s->exec.record);
	header_of(&s->exec.record.header, RECORD_EXEC, size);
	event_send(&s->exec, size);
	scratch_leave(s);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];

	/* `live` was decremented before (kernel/exit.c, do_exit): 0 means that this was the last
	 * thread. */
	if (BPF_CORE_READ(task, signal, live.counter) <= 0)
		process_over(bpf_get_current_pid_tgid() >> 32, BPF_CORE_READ(task, exit_code));
	return 0;
}
