"""Mended here because waiting for upstream would cost every local run minutes; nothing relies on it being mended."""

from __future__ import annotations

from typing import Any

EXIT_POLL_SECONDS = 0.02
TRIGGER_POLL_SECONDS = 0.2


def apply() -> None:
    """Apply all patches. To be called before the executor forks its workers."""
    notice_the_end_of_a_task_at_once()
    exchange_triggers_often()


def notice_the_end_of_a_task_at_once() -> None:
    """Don't let a worker sleep for seconds after its task has ended.

    A task's supervisor (Airflow 3.3) waits in `select` on the task's channels. When the last channel closes it asks
    whether the process has ended, but a process closes its channels a moment before it can be waited for. When the
    supervisor is the faster one it goes back to `select`, now with no channel that could wake it, and sleeps for
    `[workers] min_heartbeat_interval` (5 s) while the executor slot stays taken.
    """
    from airflow.sdk.execution_time.supervisor import WatchedSubprocess

    service = WatchedSubprocess._service_subprocess

    def service_without_oversleeping(self: Any, max_wait_time: float, *args: Any, **kwargs: Any) -> Any:
        if not self._open_sockets:
            max_wait_time = min(max_wait_time, EXIT_POLL_SECONDS)
        return service(self, max_wait_time, *args, **kwargs)

    WatchedSubprocess._service_subprocess = service_without_oversleeping  # type: ignore[method-assign]


def exchange_triggers_often() -> None:
    """Let the triggerer's two processes talk five times a second instead of once.

    A trigger that ends at once takes three of their rounds: the process that runs triggers sleeps a second between
    asking for new ones and telling what has ended (Airflow 3.3). The models of a build stand in a dozen levels, one
    behind the other.
    """
    import anyio
    from airflow.jobs import triggerer_job_runner

    class Anyio:
        def __getattr__(self, name: str) -> Any:
            return getattr(anyio, name)

        @staticmethod
        def move_on_after(delay: float) -> Any:
            return anyio.move_on_after(min(delay, TRIGGER_POLL_SECONDS))

    vars(triggerer_job_runner)["anyio"] = Anyio()
