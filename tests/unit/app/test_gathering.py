"""Threads whose work is done together each get their own answer, and nobody waits for company."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from app.gathering import Gathering


class Slow:
    """Work that begins when it is told to."""

    def __init__(self) -> None:
        self.go, self.began = threading.Event(), threading.Event()
        self.done: list[list[Any]] = []

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        self.began.set()
        self.go.wait(10)
        self.done.append(list(items))
        return [ValueError(item) if item == "bad" else f"did {item}" for item in items]


def ask(gathering: Gathering[Any, Any], *asked: tuple[str, Any, int]) -> tuple[list[threading.Thread], dict[Any, Any]]:
    told: dict[Any, Any] = {}

    def one(key: str, item: Any, weight: int) -> None:
        try:
            told[item] = gathering.take(key, item, weight)
        except Exception as error:
            told[item] = error

    threads = [threading.Thread(target=one, args=each) for each in asked]
    for thread in threads:
        thread.start()
    return threads, told


def waiting(gathering: Gathering[Any, Any], key: str, count: int) -> None:
    for _ in range(1_000):
        with gathering._lock:
            if len(gathering._waiting.get(key, ())) == count:
                return
        threading.Event().wait(0.005)
    raise AssertionError("they did not come")


def test_who_comes_while_another_works_is_of_the_next_gathering() -> None:
    work = Slow()
    gathering = Gathering(work, most=5)
    first, told = ask(gathering, ("a", 1, 1))
    assert work.began.wait(10)
    others: list[threading.Thread] = []
    for place, item in enumerate((2, "bad", 3, 4), 2):
        more, answers = ask(gathering, ("a", item, 2))
        others += more
        told_of = answers
        told[item] = told_of
        waiting(gathering, "a", place)
    elsewhere, alone = ask(gathering, ("b", 9, 1))
    waiting(gathering, "b", 1)
    work.go.set()
    for thread in (*first, *others, *elsewhere):
        thread.join(10)
    assert sorted(work.done, key=str) == [[1], [2, "bad"], [3, 4], [9]]
    assert (told[1], told[2][2], told[3][3], told[4][4], alone[9]) == ("did 1", "did 2", "did 3", "did 4", "did 9")
    assert isinstance(told["bad"]["bad"], ValueError)
    assert gathering._waiting == {}


def test_an_item_heavier_than_the_bound_goes_alone() -> None:
    done: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        done.append(len(items))
        return list(items)

    assert Gathering(work, most=1).take("a", 7, 1_000) == 7
    assert done == [1]


def test_what_the_work_raises_everybody_hears_and_the_next_begin_anew() -> None:
    fail = True

    def work(items: Sequence[int]) -> list[int]:
        if fail:
            raise OSError("away")
        return list(items)

    gathering = Gathering(work, most=10)
    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            gathering.take("a", 1, 1)
    fail = False
    assert gathering.take("a", 2, 1) == 2


@pytest.mark.slow
def test_a_hundred_threads_are_all_answered_once() -> None:
    lock, seen = threading.Lock(), list[int]()

    def work(items: Sequence[int]) -> list[int]:
        with lock:
            seen.extend(items)
        return [item * 2 for item in items]

    gathering = Gathering(work, most=7)
    answers: dict[int, int] = {}

    def run(start: int) -> None:
        for item in range(start, start + 50):
            answers[item] = gathering.take(item % 3, item, 1)

    threads = [threading.Thread(target=run, args=(start * 50,)) for start in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {item: item * 2 for item in range(2_000)}
    assert sorted(seen) == list(range(2_000))
