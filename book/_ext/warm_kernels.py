"""Kernels that begin with the pages' libraries imported: one process imports them, and forks itself for each page.

To import torch, its optimizers' compiler and the libraries of figures takes a processor fourteen seconds, more than many a
page computes; with twenty pages it is a third of the build. ``with warm_kernels():`` starts the process that imports them
once, and has Jupyter's kernels be forks of it, here and in processes forked from here. A kernel is otherwise as ever: its own
process and process group, folder and environment, ended by its manager. Where processes cannot fork, or the system is one on
which a fork of a process with loaded frameworks may crash, kernels begin as usual.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

import page_reads

# None of the package's modules, which would count as read by every page; they take less than a second. Its first line is
# an exception: it says how torch's threads wait, before torch is imported.
IMPORTED = (
    "ipykernel.kernelapp",
    "aae_core",
    "torch",
    "safetensors.torch",
    "tqdm.auto",
    "matplotlib.pyplot",
    "seaborn",
    "sklearn.decomposition",
    "sklearn.linear_model",
    "torch._dynamo",  # which an optimizer imports at its first step
)
PATIENCE = 120  # seconds to wait for the imports, on a machine that is busy


class ForkedKernel(psutil.Process):
    """A kernel's process, with what Jupyter asks of a :class:`subprocess.Popen`."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """None while it runs; its end has no code here, for it is another process's child."""
        try:
            return None if self.is_running() and self.status() != psutil.STATUS_ZOMBIE else 0
        except psutil.NoSuchProcess:  # it ended between the two questions
            return 0


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by asking the process at :attr:`address` to fork."""

    address = ""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """The connection of a kernel that was forked, with the arguments, folder and environment that it was asked for."""
        asked = {"argv": cmd[cmd.index("-f") :], "cwd": str(kwargs.get("cwd") or Path.cwd()), "env": kwargs["env"]}
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(self.address)
            line.sendall(json.dumps(asked).encode())
            line.shutdown(socket.SHUT_WR)
            pid = int(line.makefile().read())
        self.process, self.pid, self.pgid, self.cwd = ForkedKernel(pid), pid, pid, asked["cwd"]
        return self.connection_info


@contextmanager
def warm_kernels(imported: Sequence[str] = IMPORTED) -> Iterator[None]:
    """While it lasts, kernels are forks of one process that has imported those modules."""
    if sys.platform != "linux":
        yield
        return
    factory = KernelProvisionerFactory.instance()
    usual = factory.default_provisioner_name, WarmProvisioner.address
    with TemporaryDirectory() as folder:
        address = str(Path(folder) / "kernels")
        server = subprocess.Popen([sys.executable, __file__, address, *imported], stdout=subprocess.PIPE, text=True)
        try:
            if server.stdout.readline().strip() == "ready":  # else its traceback is on the terminal: kernels begin cold
                WarmProvisioner.address = address
                entry = EntryPoint("warm", f"{__name__}:{WarmProvisioner.__name__}", factory.GROUP_NAME)
                factory.provisioners["warm"] = entry
                factory.default_provisioner_name = "warm"
            yield
        finally:
            factory.default_provisioner_name, WarmProvisioner.address = usual
            server.kill()
            server.wait()
            server.stdout.close()


def become_kernel(argv: list[str], cwd: str, env: dict[str, str]) -> None:
    """Goes on as an IPython kernel, which ends this process."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env, JPY_PARENT_PID=str(os.getppid()))  # with whom it ends
    nowhere = os.open(os.devnull, os.O_RDWR)
    for end in (0, 1):
        os.dup2(nowhere, end)
    if page_reads.reads is not None:
        page_reads.reads.trees.clear()  # that it was forked, and what libraries started, is not the page's doing
    page_reads.run_kernel(argv)


def serve(address: str, imported: Sequence[str]) -> None:
    """Imports, then forks a kernel for each request that comes to `address`, until its parent ends."""
    parent = os.getppid()
    sys.path.pop(0)  # this file's folder, which a kernel does not have either
    page_reads.listen()
    os.environ["MPLBACKEND"] = (
        "module://matplotlib_inline.backend_inline"  # as a kernel has it when it imports matplotlib
    )
    for name in imported:
        importlib.import_module(name)
    gc.freeze()  # what is shared is not copied by the collector
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended kernels leave nothing behind
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        door.settimeout(1)
        print("ready", flush=True)
        while os.getppid() == parent:
            with suppress(TimeoutError):
                line, _ = door.accept()
                with line:
                    line.settimeout(PATIENCE)
                    asked = json.load(line.makefile())
                    pid = os.fork()
                    if pid == 0:
                        line.close()
                        door.close()
                        become_kernel(**asked)
                        os._exit(0)
                    line.sendall(str(pid).encode())


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
