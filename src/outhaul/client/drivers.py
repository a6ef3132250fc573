"""Fulfils the wishes of `steps`: one driver blocks, the other awaits."""

import asyncio
import time
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx

from outhaul.client.steps import Answer, Call, Pause, Receive, Step, Steps, Work

T = TypeVar("T")


def drive(steps: Steps[T], http: httpx.Client) -> T:
    """Take the steps to their end, blocking."""
    step = _first(steps)
    while not isinstance(step, _Done):
        try:
            result = _fulfil(step, http)
        except BaseException as fault:  # noqa: BLE001 -- the steps decide what to do about it
            step = _throw(steps, fault)
        else:
            step = _send(steps, result)
    return step.value


async def drive_async(steps: Steps[T], http: httpx.AsyncClient) -> T:
    """Take the steps to their end, awaiting."""
    step = _first(steps)
    while not isinstance(step, _Done):
        try:
            result = await _fulfil_async(step, http)
        except BaseException as fault:  # noqa: BLE001 -- the steps decide what to do about it
            step = _throw(steps, fault)
        else:
            step = _send(steps, result)
    return step.value


@dataclass(frozen=True)
class _Done(Generic[T]):
    value: T


def _first(steps: Steps[T]) -> Step | _Done[T]:
    return _send(steps, None)


def _send(steps: Steps[T], result: object) -> Step | _Done[T]:
    try:
        return steps.send(result)
    except StopIteration as end:
        return _Done(end.value)


def _throw(steps: Steps[T], fault: BaseException) -> Step | _Done[T]:
    try:
        return steps.throw(fault)
    except StopIteration as end:
        return _Done(end.value)


def _fulfil(step: Step, http: httpx.Client) -> object:
    match step:
        case Call():
            answer = http.request(step.method, step.url, headers=step.headers, json=step.json)
            return Answer(status=answer.status_code, headers=answer.headers, body=answer.content)
        case Receive():
            with http.stream(
                "GET", step.url, headers=step.headers, follow_redirects=True
            ) as stream:
                head = Answer(status=stream.status_code, headers=stream.headers)
                if not step.sink.begin(head):
                    return Answer(status=head.status, headers=head.headers, body=stream.read())
                # Not in chunks of a given size: what has not filled one is lost with the line.
                for chunk in stream.iter_raw():
                    step.sink.write(chunk)
                return head
        case Pause():
            time.sleep(step.seconds)
            return None
        case Work():
            return step.function()


async def _fulfil_async(step: Step, http: httpx.AsyncClient) -> object:
    match step:
        case Call():
            answer = await http.request(step.method, step.url, headers=step.headers, json=step.json)
            return Answer(status=answer.status_code, headers=answer.headers, body=answer.content)
        case Receive():
            async with http.stream(
                "GET", step.url, headers=step.headers, follow_redirects=True
            ) as stream:
                head = Answer(status=stream.status_code, headers=stream.headers)
                if not step.sink.begin(head):
                    return Answer(
                        status=head.status, headers=head.headers, body=await stream.aread()
                    )
                async for chunk in stream.aiter_raw():
                    step.sink.write(chunk)
                return head
        case Pause():
            await asyncio.sleep(step.seconds)
            return None
        case Work():
            return await asyncio.to_thread(step.function)
