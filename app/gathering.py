"""Threads that ask for the same kind of work at the same time have it done together, by one of them.

Promise: nobody waits for company: who finds nobody at work begins at once, and those who come meanwhile are the next gathering. Each gets
its own answer or its own error. Knows nothing of the work.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Seat(Generic[Item, Answer]):
    """One who asks: woken to lead the next gathering, or with an answer or an error."""

    __slots__ = ("answer", "error", "item", "settled", "turn", "weight")

    def __init__(self, item: Item, weight: int) -> None:
        self.item, self.weight = item, weight
        self.turn = threading.Event()
        self.settled = False
        self.answer: Answer
        self.error: BaseException | None = None


class Gathering(Generic[Item, Answer]):
    """Shared by the threads of a process. `work` is given items of one key, and answers each in its place with an answer or an error."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Answer | Exception]], *, most: int) -> None:
        """`most` is the weight that goes together, but for one item that is heavier."""
        self._work, self._most = work, most
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, deque[_Seat[Item, Answer]]] = {}

    def take(self, key: Hashable, item: Item, weight: int) -> Answer:
        """The answer for one item; raises what the work says of it."""
        seat: _Seat[Item, Answer] = _Seat(item, weight)
        with self._lock:
            queue = self._waiting.get(key)
            if queue is None:
                self._waiting[key] = deque([seat])
            else:
                queue.append(seat)
        if queue is not None:
            seat.turn.wait()
        if not seat.settled:
            self._lead(key)
        if seat.error is not None:
            raise seat.error
        return seat.answer

    def _lead(self, key: Hashable) -> None:
        """Does the work of those who stand first; the next one in the queue leads the next."""
        with self._lock:
            queue = self._waiting[key]
            together = [queue[0]]
            weight = queue[0].weight
            for seat in list(queue)[1:]:
                weight += seat.weight
                if weight > self._most:
                    break
                together.append(seat)
        try:
            answers = self._work([seat.item for seat in together])
            for seat, answer in zip(together, answers, strict=True):
                if isinstance(answer, Exception):
                    seat.error = answer
                else:
                    seat.answer = answer
        except BaseException as error:  # also an interrupt: whoever waits in these seats must be woken with it
            for seat in together:
                seat.error = error
        finally:
            with self._lock:
                for seat in together:
                    queue.popleft()
                    seat.settled = True
                if queue:
                    queue[0].turn.set()
                else:
                    del self._waiting[key]
            for seat in together:
                seat.turn.set()
