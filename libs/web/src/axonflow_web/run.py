"""What the three ``__main__.py`` share: run the service's coroutine and end with a sentence, not a traceback."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any, NoReturn

from axonflow_settings import SettingsError

from axonflow_web.refusals import StartRefused

EXIT_FAILED = 1
EXIT_INTERRUPTED = 128 + signal.SIGTERM


def run_service(
    main: Callable[[], Coroutine[Any, Any, None]], *, refusals: tuple[type[Exception], ...] = ()
) -> NoReturn:
    """Run ``main`` to its end and leave the process.

    Exit code 0 after a drain, 1 when the service refuses to start, fails or cannot close in time, 143 when it is
    told to end while it still starts. Settings faults are printed one a line on stderr.

    Args:
        main: loads settings, migrates and serves.
        refusals: further exceptions whose text is a sentence for the operator, such as a failed migration.
    """
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_until_told(main))
    except SettingsError as error:
        _tell(*error.faults)
        sys.exit(EXIT_FAILED)
    except asyncio.CancelledError as error:
        _tell(*(str(reason) for reason in error.args))  # said by serve() when closing took too long
        sys.exit(EXIT_FAILED if error.args else EXIT_INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        if not isinstance(error, (StartRefused, *refusals)):
            raise
        _tell(str(error))
        sys.exit(EXIT_FAILED)
    sys.exit(0)


async def _until_told(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Let SIGTERM end a start too: process 1 of a container has no default action for it."""
    task = asyncio.ensure_future(main())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # serve() takes it over
    await task


def _tell(*sentences: str) -> None:
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    uvloop: ModuleType | None = None
    with contextlib.suppress(ImportError):
        import uvloop
    return None if uvloop is None else uvloop.new_event_loop
