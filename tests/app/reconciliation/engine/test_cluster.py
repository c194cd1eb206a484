"""The same answers on a cluster of three nodes, where a segment's keys live together and segments do not."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from redis import Redis
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError

from app.core import places
from app.reconciliation.cli import reconcile
from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.workspace import Workspace, sweep
from tests.app.reconciliation.engine.books import DAY, line, read_all, write_all

SLOTS = 16384


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    with ExitStack() as stack:
        ports = [_start_node(stack, tmp_path, number) for number in range(3)]
        nodes = [stack.enter_context(closing(Redis(port=port))) for port in ports]
        for number, node in enumerate(nodes):
            _wait_for(partial(_answers, node))
            first, last = number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[0])
        _wait_for(lambda: all(_is_joined(node) for node in nodes))
        yield stack.enter_context(RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", port) for port in ports]))


def _start_node(stack: ExitStack, directory: Path, number: int) -> int:
    # The node's own bus listens 10,000 above its port.
    port = next(port for port in range(21000 + number, 31000, 3) if _is_free(port) and _is_free(port + 10_000))
    home = directory / str(number)
    home.mkdir()
    settings = {"port": port, "bind": "127.0.0.1", "dir": home, "save": "", "cluster-enabled": "yes"}
    options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    process = subprocess.Popen([places.valkey_program(), *options], stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the cluster does not come up"
        time.sleep(0.02)


def _answers(node: Redis) -> bool:
    try:
        return bool(node.ping())
    except RedisConnectionError:
        return False


def _is_joined(node: Redis) -> bool:
    state = node.execute_command("CLUSTER", "INFO")
    return "cluster_state:ok" in str(state) and "cluster_known_nodes:3" in str(state)


def test_the_command_finds_out_that_its_server_is_a_cluster(
    cluster: RedisCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_redis_url: str
) -> None:
    dense = [line(segment * 2**20 + place) for segment in range(3) for place in range(300)]
    foreign = [line(place, day=date(2026, 11, 20)) for place in range(5)]
    paths = write_all(tmp_path, dense + foreign, dense[7:], dense[:-3] + foreign[1:])
    options = [part for party, path in paths.items() for part in (f"--{party}", str(path))]
    answers = []
    for url in (f"redis://127.0.0.1:{cluster.get_primaries()[0].port}/0", fresh_redis_url):
        monkeypatch.setenv("REDIS_URL", url)
        done = CliRunner().invoke(reconcile, ["files", "--date", str(DAY), *options, "--json", "-"])
        assert done.exit_code == 0, done.output
        answers.append(done.stdout)
    assert answers[0] == answers[1]
    assert all(node.redis_connection.dbsize() == 0 for node in cluster.get_primaries())


def test_what_a_killed_worker_left_is_swept_from_every_node(cluster: RedisCluster, tmp_path: Path) -> None:
    for segment in range(20):
        for mark in ("night1.", "night2."):
            cluster.set(Workspace(cluster, f"20261121:{segment}", mark).key("party", "hospital", "words"), b"x")
    assert sweep(cluster, "night1.") == 20
    assert sum(node.redis_connection.dbsize() for node in cluster.get_primaries()) == 20


def test_segments_on_several_nodes(cluster: RedisCluster, fresh_redis_url: str, tmp_path: Path) -> None:
    dense = [line(segment * 2**20 + place) for segment in range(6) for place in range(300)]
    foreign = [line(place, day=date(2026, 11, 20)) for place in range(5)]
    books = read_all(write_all(tmp_path, dense + foreign, dense[7:], dense[:-3] + foreign[1:]))
    with Redis.from_url(fresh_redis_url) as single:
        expected = compare(single, DAY, books)
    found = compare(cluster, DAY, books)
    assert found.overall == expected.overall
    assert found.differences.equals(expected.differences)
    commands = [node.redis_connection.info("commandstats") for node in cluster.get_primaries()]
    assert sum("cmdstat_bitop" in node for node in commands) > 1
    assert all(node.redis_connection.dbsize() == 0 for node in cluster.get_primaries())
