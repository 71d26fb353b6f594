"""Threads that begin together."""

import threading
from collections.abc import Callable


def at_once(work: Callable[[int], None], threads: int) -> None:
    """Calls `work(0)`, `work(1)` ... in threads that begin together; raises what one raises."""

    def run(place: int) -> None:
        gate.wait()
        try:
            work(place)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    gate, errors = threading.Barrier(threads), list[Exception]()
    started = [threading.Thread(target=run, args=(place,)) for place in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if errors:
        raise errors[0]
