"""A place that gets full on demand: a small tmpfs where that may be mounted,
else a limit on the size of the server's files."""
import os
import resource
import subprocess

from lib import harness

KIB = 1024


class SmallDisk:
    """A folder with little room."""

    def __init__(self, size=1024 * KIB):
        self.size, self.folder = size, harness.scratch('disk')
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size},mode=0700', 'none',
                               self.folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.mounted = done.returncode == 0
        self.filler = os.path.join(self.folder, 'filler')
        self.registry = None

    def fill(self):
        """No byte more can be written."""
        if not self.mounted:
            self.limit(0)
            return
        fd = os.open(self.filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for piece in (4096, 1):
            try:
                while os.write(fd, b'x' * piece):
                    pass
            except OSError:
                pass
        os.close(fd)

    def clear(self):
        if not self.mounted:
            self.limit(resource.RLIM_INFINITY)
        elif os.path.exists(self.filler):
            os.unlink(self.filler)

    def limit(self, size):
        """Nothing may be written beyond the first bytes of a file."""
        hard = resource.prlimit(self.registry.pid(), resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.registry.pid(), resource.RLIMIT_FSIZE, (size, hard))

    def close(self):
        if self.mounted:
            subprocess.run(['umount', '-l', self.folder], check=False)
            self.mounted = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
