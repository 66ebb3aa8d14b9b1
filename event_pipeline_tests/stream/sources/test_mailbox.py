from __future__ import annotations

import threading

from event_pipeline.sources.retry import MAX_WAIT_SECONDS
from event_pipeline.stream.sources.follower import backoff_seconds
from event_pipeline.stream.sources.mailbox import Mailbox


def test_items_come_in_order_and_none_when_nothing_comes():
    mailbox: Mailbox[int] = Mailbox(10)
    assert mailbox.get(0) is None
    for number in range(3):
        assert mailbox.put(number, 3, lambda: False)
    assert [mailbox.get(0) for _ in range(4)] == [0, 1, 2, None]
    assert mailbox.is_empty


def test_a_full_mailbox_makes_whoever_puts_wait_until_there_is_room():
    mailbox: Mailbox[str] = Mailbox(10)
    mailbox.put("first", 8, lambda: False)
    is_put = threading.Event()

    def put() -> None:
        mailbox.put("second", 8, lambda: False)
        is_put.set()

    thread = threading.Thread(target=put)
    thread.start()
    assert not is_put.wait(0.1)
    assert mailbox.get(1) == "first"
    assert is_put.wait(5)
    thread.join()
    assert mailbox.get(1) == "second"


def test_one_item_may_be_larger_than_all_the_room():
    mailbox: Mailbox[str] = Mailbox(10)
    assert mailbox.put("huge", 1_000, lambda: False)
    assert mailbox.get(0) == "huge"


def test_who_waits_to_put_gives_up_when_abandoned():
    mailbox: Mailbox[str] = Mailbox(1)
    mailbox.put("first", 1, lambda: False)
    is_abandoned = threading.Event()
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(mailbox.put("second", 1, is_abandoned.is_set)))
    thread.start()
    is_abandoned.set()
    mailbox.wake()
    thread.join(5)
    assert answers == [False]


def test_waking_ends_the_wait_of_who_gets():
    mailbox: Mailbox[str] = Mailbox()
    threading.Timer(0.05, mailbox.wake).start()
    assert mailbox.get(30) is None


def test_backoff_doubles_is_jittered_and_bounded():
    for attempts in range(1, 40):
        waits = {backoff_seconds(attempts) for _ in range(20)}
        assert len(waits) > 1
        assert max(waits) <= MAX_WAIT_SECONDS
    assert max(backoff_seconds(1) for _ in range(20)) < min(backoff_seconds(4) for _ in range(20))
