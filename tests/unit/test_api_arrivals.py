"""Answers of threads that an event loop waits for."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from outhaul.api.arrivals import Arrivals


def test_every_answer_and_every_fault_reaches_who_waits_for_it() -> None:
    """Whichever thread gives them, and whether before or after somebody waits."""
    arrivals = Arrivals()
    futures: list[Future[int]] = [Future() for _ in range(300)]
    futures[0].set_result(0)

    def answer(number: int) -> None:
        if number % 7 == 3:
            futures[number].set_exception(ValueError(number))
        else:
            futures[number].set_result(number)

    async def wait() -> list[int | BaseException]:
        waiting = [asyncio.ensure_future(arrivals.of(future)) for future in futures]
        await asyncio.sleep(0)
        with ThreadPoolExecutor(8) as pool:
            for number in range(1, 300):
                pool.submit(answer, number)
            return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 30)

    answers = asyncio.run(wait())
    faults = {
        number: fault for number, fault in enumerate(answers) if isinstance(fault, ValueError)
    }
    assert {number: fault.args for number, fault in faults.items()} == {
        number: (number,) for number in range(1, 300) if number % 7 == 3
    }
    assert [one for one in answers if isinstance(one, int)] == [
        number for number in range(300) if number not in faults
    ]


def test_who_gives_up_waiting_holds_nobody_up() -> None:
    """A caller that hangs up leaves the change to be done."""
    arrivals = Arrivals()
    left: Future[str] = Future()
    other: Future[str] = Future()

    async def wait() -> str:
        gone = asyncio.ensure_future(arrivals.of(left))
        stays = asyncio.ensure_future(arrivals.of(other))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert not left.cancelled()
        left.set_result("done all the same")
        other.set_result("answered")
        return await asyncio.wait_for(stays, 30)

    assert asyncio.run(wait()) == "answered"
