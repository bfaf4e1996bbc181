# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A file system that never answers one process: a FUSE server of two files, `program` and `page`.

    silent_fs.py FOLDER PROGRAM PID

The requests of that process and its threads, and whoever reads the page (another daemon would bring it into the
target's memory), are kept until a line "resume" comes; others are answered at once. "kept" tells how many. It is a process of its own: whoever starts a program from it holds its GIL meanwhile."""
import contextlib
import ctypes
import errno
import os
import re
import stat
import struct
import subprocess
import sys
import threading

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, INTERRUPT, BATCH_FORGET = (
    1, 2, 3, 14, 15, 17, 18, 25, 26, 36, 42)  # linux/fuse.h
IN_HEADER = struct.Struct("<IIQQIIII")  # length, opcode, unique, node, uid, gid, pid, padding
ROOT, PROGRAM, PAGE = 1, 2, 3
NAMES = {b"program": PROGRAM, b"page": PAGE}
FOREVER = 10 ** 6  # seconds that the kernel may keep names and attributes
MS_NOSUID, MNT_DETACH = 2, 2
libc = ctypes.CDLL(None, use_errno=True)


def process_of(thread):
    with contextlib.suppress(OSError), open("/proc/%d/status" % thread) as file:
        return int(re.search(r"Tgid:\s*(\d+)", file.read()).group(1))
    return None


class Server:
    def __init__(self, folder, program, silent_to):
        self.folder = str(folder)
        self.silent_to = silent_to
        with open(program, "rb") as file:
            self.content = {PROGRAM: file.read(), PAGE: bytes(4096)}
        self.kept, self.lock = [], threading.Lock()
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = "fd=%d,rootmode=40000,user_id=%d,group_id=0,allow_other" % (self.device, os.geteuid())
        if libc.mount(b"silent", self.folder.encode(), b"fuse", MS_NOSUID, options.encode()) < 0:
            raise OSError(ctypes.get_errno(), "mount")
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        """Whatever still waits gets an error."""
        libc.umount2(self.folder.encode(), MNT_DETACH)
        os.close(self.device)

    def resume(self):
        with self.lock:
            self.silent_to = None
            kept, self.kept = self.kept, []
        for request in kept:
            self.answer(request)

    def serve(self):
        while True:
            try:
                request = os.read(self.device, 1 << 18)
            except OSError:  # unmounted
                return
            _, opcode, _, node, _, _, pid, _ = IN_HEADER.unpack_from(request)
            with self.lock:
                keep = self.silent_to and ((opcode, node) == (READ, PAGE) or process_of(pid) == self.silent_to)
                if keep:
                    self.kept.append(request)
            if not keep:
                self.answer(request)

    def answer(self, request):
        _, opcode, unique, node, _, _, _, _ = IN_HEADER.unpack_from(request)
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return
        result = self.result(opcode, node, request[IN_HEADER.size:])
        error, data = (-result, b"") if isinstance(result, int) else (0, result)
        with contextlib.suppress(OSError):  # whoever asked is gone
            os.write(self.device, struct.pack("<IiQ", 16 + len(data), error, unique) + data)

    def result(self, opcode, node, body):
        """The answer's bytes, or an errno."""
        if opcode == INIT:
            return struct.pack("<IIIIHHIIHHI28x", 7, 31, 1 << 17, 0, 16, 12, 1 << 17, 1, 32, 0, 0)
        if opcode == LOOKUP:
            found = NAMES.get(body.rstrip(b"\0"))
            return struct.pack("<QQQQII", found, 0, FOREVER, FOREVER, 0, 0) + self.attributes(found) if found \
                else errno.ENOENT
        if opcode == GETATTR:
            return struct.pack("<QII", FOREVER, 0, 0) + self.attributes(node)
        if opcode == OPEN:
            return struct.pack("<QII", 0, 0, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.content[node][offset:offset + size]
        return b"" if opcode in (RELEASE, FLUSH) else errno.ENOSYS

    def attributes(self, node):
        size = len(self.content.get(node, b""))
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o755
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


class SilentFs:
    """The server's process, as tests see it."""

    def __init__(self, folder, program, silent_to):
        self.folder = str(folder)
        self.process = subprocess.Popen([sys.executable, __file__, self.folder, program, str(silent_to)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)
        assert self.process.stdout.readline() == "ready\n"

    def path(self, name):
        return os.path.join(self.folder, name)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def kept(self):
        return self.ask("kept")

    def resume(self):
        self.ask("resume")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def main():
    server = Server(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    print("ready", flush=True)
    for line in sys.stdin:
        if line == "resume\n":
            server.resume()
        print(len(server.kept), flush=True)
    server.close()


if __name__ == "__main__":
    main()
