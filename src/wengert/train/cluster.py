"""Which machines there are, as TensorFlow's programs say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["ClusterSpec"]

Tasks = Sequence[str] | Mapping[int, str]
"""The addresses of tasks, in order or by their numbers."""


class ClusterSpec:
    """Jobs by their names, and the addresses of their tasks.

    >>> cluster = ClusterSpec({"worker": ["one:2222", "two:2222"]})
    >>> cluster.num_tasks("worker"), cluster.task_address("worker", 1)
    (2, 'two:2222')
    """

    def __init__(self, cluster: Mapping[str, Tasks] | ClusterSpec) -> None:
        """Take them.

        Raises:
            TypeError: for addresses that are no strings, and for what is neither a list nor a dict of them.
        """
        given = cluster.as_dict() if isinstance(cluster, ClusterSpec) else cluster
        if not isinstance(given, Mapping):
            raise TypeError(f"`cluster` must be a dictionary mapping jobs to the addresses of their tasks, not {cluster!r}")
        self._jobs = {job: _tasks(job, tasks) for job, tasks in given.items()}

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    def __hash__(self) -> int:
        return hash(tuple(self._jobs))

    def __repr__(self) -> str:
        return f"ClusterSpec({{{', '.join(f'{job!r}: {tasks!r}' for job, tasks in self.as_dict().items())}}})"

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def as_dict(self) -> dict[str, list[str] | dict[int, str]]:
        """Return the addresses by job: a list of them where they are numbered from 0 without a gap, else a dict."""
        return {
            job: [tasks[i] for i in range(len(tasks))] if sorted(tasks) == list(range(len(tasks))) else dict(tasks)
            for job, tasks in self._jobs.items()
        }

    def num_tasks(self, job_name: str) -> int:
        """Return how many tasks a job has.

        Raises:
            ValueError: if there is none of that name.
        """
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """Return the numbers of a job's tasks.

        Raises:
            ValueError: if there is none of that name.
        """
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """Return the address of a task.

        Raises:
            ValueError: if there is none.
        """
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """Return the addresses of a job's tasks by number, None where there is none.

        Raises:
            ValueError: if there is no job of that name.
        """
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]

    def _job(self, name: str) -> dict[int, str]:
        if name not in self._jobs:
            raise ValueError(f"No such job in cluster: {name!r}")
        return self._jobs[name]


def _tasks(job: str, tasks: Tasks) -> dict[int, str]:
    if isinstance(tasks, str) or not isinstance(tasks, Mapping | Sequence):
        raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary from integers to strings.")
    numbered = dict(tasks) if isinstance(tasks, Mapping) else dict(enumerate(tasks))
    for number, address in numbered.items():
        if not isinstance(number, int) or not isinstance(address, str):
            raise TypeError(f"The addresses of job {job!r} must be strings, by whole numbers, not {number!r}: {address!r}")
    return numbered
