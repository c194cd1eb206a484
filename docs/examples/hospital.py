"""`python hospital.py FOLDER`: the three batches of the sandbox, their verdicts, and the commands that wait.

A hospital with the agent (`hospital_agent/`) needs none of this: the agent does it.
"""

from __future__ import annotations

import sys
from typing import Any

from exchange import Exchange, batch, connect, read


def push(exchange: Exchange, given: dict[str, Any]) -> None:
    """编号从 1 起连续；消息号由批次号得出，所以重发永远是同一条消息。"""
    exchange.post("/batches", given, f"batch-{given['batch_no']}")


def verdicts(exchange: Exchange, batch_no: int) -> dict[str, Any]:
    """received、checked 表示还没有处理完，稍后再问。"""
    return exchange.post("/batches/verdicts", {"batch_no": batch_no})


def next_version(given: dict[str, Any], batch_no: int) -> dict[str, Any]:
    """一行有了变化：版本加一，放进下一个批次。"""
    rows = [row | {"version": row["version"] + 1} for row in given["rows"] if row["type"] == "visit"]
    rows[0]["data"] = rows[0]["data"] | {"department_name": "呼吸内科"}
    return batch(batch_no, given["kind"], given["business_date"], rows)


def work(exchange: Exchange, seen: dict[str, int]) -> list[str]:
    """取指令，做完，逐条答复。`seen` 是每条通道已经保存的最后一个序号，收妥后随下一次轮询告知平台。"""
    ask = {"max": 200, "wait_ms": 2000, "lane_seen": seen}
    commands = exchange.post("/commands/poll", ask)["commands"]
    for command in commands:
        seen[command["lane"]] = command["seq"]
        done, body = act(command)
        answer = {"id": command["id"], "outcome": done, "body": body}
        exchange.post("/commands/answers", {"answers": [answer]}, f"answer-{command['id']}")
    return [command["kind"] for command in commands]


def act(command: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if command["kind"] == "pull_patient":
        return "done", {"batch_nos": [2], "complete": True}
    return "refused", {}


def main(folder: str, http: Any = None) -> None:
    exchange = connect(folder, http)
    for name in ("catalogue.json", "record.json", "ledger.json"):
        push(exchange, read(folder, name))
    push(exchange, next_version(read(folder, "record.json"), 4))
    print("commands:", work(exchange, {}))
    for batch_no in (1, 2, 3, 4):
        found = verdicts(exchange, batch_no)
        print(batch_no, found["status"], [row["verdict"] for row in found["rows"]])
    print("complete:", exchange.post("/completeness", {"business_date": read(folder, "record.json")["business_date"]}))


if __name__ == "__main__":
    main(sys.argv[1])
