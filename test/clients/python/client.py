"""The Python client, tikv-client's RawClient, against a running cluster.

Subcommands, as the Go program beside this one has them:

  operations  every raw operation once, one line "ok ..." or "not ok ..." for each rule
  write       a stream of writes whose outcomes go to a file, until standard input ends
  verify      reads back what the file says was acknowledged

This client retries less than Go's: while a leader is being elected its calls fail, and a write that
failed has an unknown outcome.
"""

import argparse
import asyncio
import os
import sys
import threading
import time

from tikv_client import RawClient

KEYS_OF_WRITER = 50
WRITERS = 4
PATIENCE_SECONDS = 30


def key(name):
    """Puts what this program writes below one prefix."""
    return b"python/" + name.encode()


def pairs(name, count):
    return {key(f"{name}/{i:05}"): f"value {i} of {name}".encode() for i in range(count)}


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r:.200}, not {wanted!r:.200}")


def put_get(client):
    client.put(key("put"), b"value")
    expect(client.get(key("put")), b"value")


def get_missing(client):
    expect(client.get(key("missing")), None)


def overwrite(client):
    client.put(key("put"), b"newer")
    expect(client.get(key("put")), b"newer")


def any_bytes(client):
    every = bytes(range(256))
    client.put(key("bytes/") + every, every)
    expect(client.get(key("bytes/") + every), every)


def batch(client):
    written = pairs("batch", 10)
    client.batch_put(written)
    asked = [*written, key("batch/missing")]
    expect(dict(client.batch_get(asked)), written)


def scan(client):
    written = pairs("scan", 10)
    client.batch_put(written)
    names = list(written)
    expect(client.scan(names[2], names[8], 100), list(written.items())[2:8])
    expect(client.scan(names[0], key("scan0"), 3), list(written.items())[:3])


def scan_bounds(client):
    names = list(pairs("scan", 10))
    got = client.scan_keys(names[2], names[8], 100, include_start=False, include_end=True)
    expect(list(got), names[3:9])


def delete(client):
    for _ in range(2):
        client.delete(key("put"))
    expect(client.get(key("put")), None)


def batch_delete(client):
    written = pairs("batch", 10)
    names = list(written)
    client.batch_delete(names[:5])
    expect(dict(client.batch_get(names)), {name: written[name] for name in names[5:]})


def delete_range(client):
    names = list(pairs("scan", 10))
    client.delete_range(names[3], names[6])
    expect(list(client.scan_keys(names[0], key("scan0"), 100)), names[:3] + names[6:])


def large_value(client):
    value = b"0123456789abcdef" * (1 << 16)
    client.put(key("mebibyte"), value)
    expect(client.get(key("mebibyte")), value)


RULES = [
    ("a value that was put is got", put_get),
    ("a key that was never put has no value", get_missing),
    ("a second put replaces the value", overwrite),
    ("keys and values may hold any bytes", any_bytes),
    ("a batch put is read by a batch get, which omits a missing key", batch),
    ("a scan is ordered, holds its start and not its end, and keeps its limit", scan),
    ("a scan can leave out its start and hold its end", scan_bounds),
    ("a deleted key has no value, and deleting it again is no error", delete),
    ("a batch delete removes its keys and no other", batch_delete),
    ("a delete range removes its start, all between, and not its end", delete_range),
    ("a value of one mebibyte comes back whole", large_value),
]


def operations(client, _):
    failed = 0
    for title, check in RULES:
        try:
            check(client)
            print(f"ok {title}", flush=True)
        except Exception as error:  # the client raises bare exceptions
            failed += 1
            print(f"not ok {title}: {error}", flush=True)
    return 1 if failed else 0


class Outcomes:
    """The record of a stream; the Go program describes its format."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.file = open(path, "w")
        self.counts = {"acknowledged": 0, "unknown": 0}

    def record(self, word, name, value):
        with self.lock:
            self.file.write(f"{word} {name} {value}\n")
            self.counts[word] += 1

    def progress(self):
        with self.lock:
            print("acknowledged {acknowledged}, unknown {unknown}".format(**self.counts), flush=True)


def write(_, arguments):
    outcomes = Outcomes(arguments.file)
    stopping = threading.Event()

    def writer(number):
        client = connect(arguments.pd)
        names, fresh, count = [None] * KEYS_OF_WRITER, 0, 0
        while not stopping.is_set():
            slot = count % KEYS_OF_WRITER
            if names[slot] is None:
                names[slot] = f"{arguments.prefix}/{number}/{fresh}"
                fresh += 1
            try:
                client.put(names[slot].encode(), str(count).encode())
                outcomes.record("acknowledged", names[slot], count)
            except Exception:
                # The write may still land, so nothing after it would be certain: a fresh key follows.
                outcomes.record("unknown", names[slot], count)
                names[slot] = None
                time.sleep(0.05)
            count += 1

    def report():
        while not stopping.is_set():
            outcomes.progress()
            time.sleep(0.1)

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(WRITERS)]
    threads.append(threading.Thread(target=report))
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stopping.set()
    for thread in threads:
        thread.join()
    outcomes.file.close()
    outcomes.progress()
    return 0


def verify(client, arguments):
    acknowledged, unknown, count = {}, {}, 0
    with open(arguments.file) as file:
        for line in file:
            word, name, value = line.split()
            if word == "acknowledged":
                acknowledged[name] = value
                count += 1
            else:
                unknown[name] = value
    lost = 0
    for name, value in acknowledged.items():
        got = patiently(lambda: client.get(name.encode()))
        text = None if got is None else got.decode()
        if text != value and (name not in unknown or text != unknown[name]):
            lost += 1
            print(f"lost {name}: holds {text!r}, acknowledged was {value!r}")
    print(f"{count} writes to {len(acknowledged)} keys were acknowledged, {lost} keys lost one")
    return 0 if lost == 0 and count > 0 else 1


def patiently(call):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def connect(pd):
    # The client wants an event loop in every thread that uses it.
    asyncio.set_event_loop(asyncio.new_event_loop())
    return patiently(lambda: RawClient.connect(pd.split(",")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["operations", "write", "verify"])
    parser.add_argument("--pd", required=True)
    parser.add_argument("--file")
    parser.add_argument("--prefix", default="stream")
    arguments = parser.parse_args()
    run = {"operations": operations, "write": write, "verify": verify}[arguments.command]
    status = run(connect(arguments.pd), arguments)
    sys.stdout.flush()
    # The client's threads do not survive the interpreter's own end: leave without it.
    os._exit(status)


main()
