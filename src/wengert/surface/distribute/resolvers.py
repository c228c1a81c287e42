"""Who knows which machines there are: from what a program says, from ``TF_CONFIG``, from Slurm's variables.

They tell; nothing connects by them. `wengert run --processes` and ``wengert launch`` do.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Hashable, Mapping
from typing import Any

from wengert.execute import processes
from wengert.train.cluster import ClusterSpec

__all__ = [
    "ClusterResolver",
    "GCEClusterResolver",
    "KubernetesClusterResolver",
    "SimpleClusterResolver",
    "SlurmClusterResolver",
    "TFConfigClusterResolver",
    "TPUClusterResolver",
]


class ClusterResolver:
    """What all of them have."""

    task_type: str | None = None
    """The job that this process is a task of."""
    task_id: int | None = None
    """Which task of it this process is."""
    environment = ""
    rpc_layer: str | None = None
    """What addresses begin with."""

    def cluster_spec(self) -> ClusterSpec:
        """Return the machines."""
        raise NotImplementedError(f"{type(self).__name__} must override cluster_spec().")

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        """Return the address of a task, empty where no task was chosen."""
        task_type = self.task_type if task_type is None else task_type
        task_id = self.task_id if task_id is None else task_id
        if task_type is None or task_id is None:
            return ""
        return _address(self.cluster_spec().task_address(task_type, task_id), self.rpc_layer if rpc_layer is None else rpc_layer)

    def num_accelerators(
        self, task_type: str | None = None, task_id: int | None = None, config_proto: Hashable = None
    ) -> dict[str, int]:
        """Return how many accelerators a task has, by their types: none."""
        return {}


def _address(address: str, layer: str | None) -> str:
    return f"{layer}://{address}" if layer else address


class SimpleClusterResolver(ClusterResolver):
    """Knows what it is told.

    >>> SimpleClusterResolver(ClusterSpec({"worker": ["one:2222"]})).master("worker", 0, rpc_layer="grpc")
    'grpc://one:2222'
    """

    def __init__(
        self, cluster_spec: ClusterSpec, master: str = "", task_type: str | None = None, task_id: int | None = None,
        environment: str = "", num_accelerators: Mapping[str, int] | None = None, rpc_layer: str | None = None,
    ) -> None:  # fmt: skip
        """Take it.

        Raises:
            TypeError: for what is no `ClusterSpec`.
        """
        if not isinstance(cluster_spec, ClusterSpec):
            raise TypeError("cluster_spec must be a `tf.train.ClusterSpec`.")
        self._spec, self._master = cluster_spec, master
        self.task_type, self.task_id, self.environment, self.rpc_layer = task_type, task_id, environment, rpc_layer
        self._accelerators = dict(num_accelerators or {})

    def cluster_spec(self) -> ClusterSpec:
        """Return the machines."""
        return self._spec

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        """Return the address of a task, that of the master where none is given."""
        if task_type is not None and task_id is not None:
            return super().master(task_type, task_id, rpc_layer)
        return _address(self._master, rpc_layer or self.rpc_layer)

    def num_accelerators(
        self, task_type: str | None = None, task_id: int | None = None, config_proto: Hashable = None
    ) -> dict[str, int]:
        """Return what it was told."""
        return self._accelerators


class ProcessResolver(SimpleClusterResolver):
    """Knows the processes that `wengert run` belongs to: each is a worker, the first of them the chief."""

    def __init__(self) -> None:
        """Ask for them."""
        workers = [f"process{i}:0" for i in range(processes.count())]
        super().__init__(ClusterSpec({"worker": workers}), task_type="worker", task_id=processes.index())


class TFConfigClusterResolver(ClusterResolver):
    """Knows what the variable ``TF_CONFIG`` says, as JSON: ``{"cluster": {"worker": [...]}, "task": {"type":, "index":}}``."""

    def __init__(
        self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None,
        environment: str | None = None,
    ) -> None:  # fmt: skip
        """Take what holds in place of what it says."""
        said = self._said()
        task = said.get("task", {})
        self.task_type = task.get("type") if task_type is None else str(task_type)
        number = task.get("index") if task_id is None else task_id
        self.task_id = None if number is None else int(number)
        self.rpc_layer = said.get("rpc_layer") if rpc_layer is None else rpc_layer
        self.environment = said.get("environment", "") if environment is None else environment

    @staticmethod
    def _said() -> dict[str, Any]:
        return dict(json.loads(os.environ.get("TF_CONFIG", "{}")))

    def cluster_spec(self) -> ClusterSpec:
        """Return the machines."""
        return ClusterSpec(self._said().get("cluster", {}))

    def master(self, task_type: str | None = None, task_id: int | None = None, rpc_layer: str | None = None) -> str:
        """Return the address of a task, empty where there is but one machine."""
        spec = self.cluster_spec()
        if not spec or (len(spec.jobs) == 1 and spec.num_tasks(spec.jobs[0]) == 1):
            return ""
        return super().master(task_type, task_id, rpc_layer)


class SlurmClusterResolver(ClusterResolver):
    """Knows what Slurm says of a job's step: the nodes, and how many tasks each has."""

    def __init__(
        self, jobs: Mapping[str, int] | None = None, port_base: int = 8888, gpus_per_node: int | None = None,
        gpus_per_task: int | None = None, tasks_per_node: int | Mapping[str, int] | None = None, auto_set_gpu: bool = True,
        rpc_layer: str | None = "grpc",
    ) -> None:  # fmt: skip
        """Take how many tasks each job has (all are workers by default); what concerns GPUs is accepted.

        Raises:
            RuntimeError: where a variable of Slurm's is missing, or there are fewer tasks than asked for.
        """
        self._rank, self._port, self.rpc_layer = int(_slurm("PROCID")), port_base, rpc_layer
        if isinstance(tasks_per_node, Mapping):
            counted = dict(tasks_per_node)
        else:
            nodes = _nodes(_slurm("STEP_NODELIST"))
            counts = itertools.repeat(tasks_per_node) if tasks_per_node else _counts(_slurm("STEP_TASKS_PER_NODE"))
            counted = dict(zip(nodes, counts, strict=False))
        self._nodes = dict(sorted(counted.items()))
        self._jobs = dict(jobs) if jobs else {"worker": int(_slurm("STEP_NUM_TASKS"))}
        if sum(self._jobs.values()) > sum(self._nodes.values()):
            raise RuntimeError("Requested more tasks than Slurm has assigned.")
        first = 0
        for job, count in self._jobs.items():
            if first <= self._rank < first + count:
                self.task_type, self.task_id = job, self._rank - first
            first += count

    def cluster_spec(self) -> ClusterSpec:
        """Return the machines: the tasks of the jobs, one after another, over the nodes."""
        places = iter(f"{node}:{self._port + i}" for node, count in self._nodes.items() for i in range(count))
        return ClusterSpec({job: list(itertools.islice(places, count)) for job, count in self._jobs.items()})

    def get_task_info(self) -> tuple[str | None, int | None]:
        """Return the job and the number of this task."""
        return self.task_type, self.task_id


def _slurm(name: str) -> str:
    found = os.environ.get(f"SLURM_{name}")
    if found is None:
        raise RuntimeError(f"{name} not found in environment. Not running inside a SLURM step?")
    return found


def _nodes(text: str) -> list[str]:
    """Return the names in a list of Slurm's.

    >>> _nodes("n[1-2],m5,o[08-10,12]")
    ['n1', 'n2', 'm5', 'o08', 'o09', 'o10', 'o12']
    """
    found = []
    for part in re.findall(r"(?:[^,\[\]]|\[[^\]]*\])+", text):
        pieces = re.split(r"\[([^\]]*)\]", part)
        choices = [_numbers(piece) if i % 2 else [piece] for i, piece in enumerate(pieces)]
        found += ["".join(choice) for choice in itertools.product(*choices)]
    return found


def _numbers(text: str) -> list[str]:
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += [str(n).zfill(len(first)) for n in range(int(first), int(last or first) + 1)]
    return found


def _counts(text: str) -> list[int]:
    """Return how many tasks the nodes have.

    >>> _counts("3(x2),1")
    [3, 3, 1]
    """
    found = []
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", text):
        found += [int(count)] * int(times or 1)
    return found


class _Refused(ClusterResolver):
    """A resolver of a cluster that is not asked."""

    where = ""

    def __init__(self, *arguments: Hashable, **keywords: Hashable) -> None:
        """Refuse.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"distribute.cluster_resolver.{type(self).__name__}: {self.where} is not asked here. `wengert run --processes` "
            "takes the number of the process and the address of the first one."
        )


class GCEClusterResolver(_Refused):
    """Refused."""

    where = "Google's Compute Engine"


class KubernetesClusterResolver(_Refused):
    """Refused."""

    where = "Kubernetes' server"


class TPUClusterResolver(_Refused):
    """Refused."""

    where = "a service of TPUs"
