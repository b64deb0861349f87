"""Proves that a change of the code changes no answer: 2,000 requests recorded before, compared after.

    python -m benchmarks.serving.answers record --home stores --out before.json.gz
    python -m benchmarks.serving.answers compare --home stores before.json.gz
    python -m benchmarks.serving.answers compare --home stores --retrain --renamed old=new before.json.gz

Three apps, community, streaming and shop, are generated, imported and trained in the folder `--home`, once: a
folder that exists is used as it is, so that before and after serve the same stores and models. Requests go to a
server in this process, on a copy of them, at times that the recording sets: every feed of every app, with users
who are known, unknown or absent, pages, conditions, excluded items, anchors, searches, the apps' own routes,
explanations, what is refused, and pages again after events, hidden and new items, and changed users. The recording
holds the requests themselves: `compare` makes the same ones.

Compared are statuses, the order of items, reasons, sources, explanations, and scores to five significant digits.
Ids of requests, how long a part took and the content of cursors are not. `compare` prints one JSON line, and on
standard error the first differences; its exit status is 1 where anything differs but the last digit of scores.
Fields that only the later answers have are listed, and are no difference. `--renamed` names words that changed in
the meantime, and `--retrain` trains the models of the copy anew where the format of their files has changed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.serving.comparison import Comparison, compare
from benchmarks.serving.plan import make_plan, read_samples
from benchmarks.serving.recording import Recording, read_recording, record, write_recording
from benchmarks.serving.stores import prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Record or compare; the exit status."""
    options = _parser().parse_args(arguments)
    if options.command == "record":
        recording = _recorded(options, None)
        write_recording(recording, options.out)
        requests = [a for s, a in zip(recording.steps, recording.answers, strict=True) if s.kind == "request"]
        print(
            json.dumps(
                {
                    "benchmark": "answers",
                    "requests": len(requests),
                    "left_out": sum(not answer["status"] for answer in requests),
                    "answered": sum(answer["status"] == 200 for answer in requests),
                    "out": str(options.out),
                }
            )
        )
        return 0
    before = read_recording(options.file)
    after = read_recording(options.after) if options.after else _recorded(options, before)
    if options.out:
        write_recording(after, options.out)
    compared = compare(before, after, dict(options.renamed))
    print(json.dumps(compared.summary()))
    _show(compared, options.show)
    return int(bool(compared.different))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="Make the requests and write what is answered.")
    comparing = commands.add_parser("compare", help="Make the requests of a recording again and compare.")
    for command in (recording, comparing):
        command.add_argument("--home", type=Path, required=True, help="Folder of the stores and models.")
        command.add_argument(
            "--retrain", action="store_true", help="Train the models of the copy anew: their format has changed."
        )
    recording.add_argument("--out", type=Path, required=True, help="The recording: compressed JSON.")
    comparing.add_argument("file", type=Path, help="The recording to compare with.")
    comparing.add_argument("--after", type=Path, help="Another recording of the same requests; makes none.")
    comparing.add_argument("--out", type=Path, help="Where to write what is answered now.")
    comparing.add_argument(
        "--renamed",
        type=_renaming,
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="A word of the recording, in names of fields and in texts, and what it is now; may be repeated.",
    )
    comparing.add_argument("--show", type=int, default=10, help="How many differences to show.")
    return parser


def _renaming(text: str) -> tuple[str, str]:
    old, separator, new = text.partition("=")
    if not old or not separator:
        raise argparse.ArgumentTypeError(f"expected OLD=NEW, got {text!r}")
    return old, new


def _recorded(options: argparse.Namespace, before: Recording | None) -> Recording:
    if not options.home.exists():
        asyncio.run(prepare(options.home))
    steps = before.steps if before else make_plan(read_samples(options.home / "sample"))
    return asyncio.run(record(steps, options.home, trained_anew=options.retrain))


def _show(compared: Comparison, most: int) -> None:
    for index in compared.different[:most]:
        step = compared.steps[index]
        query = "&".join(f"{name}={value}" for name, value in step.params)
        print(f"{index} {step.group}: {step.method} {step.path}?{query}", file=sys.stderr)
        for one in [d for d in compared.differences[index] if d.kind != "last_digits"][:3]:
            print(f"    {one.kind} at {one.where}: {one.before!r:.300} -> {one.after!r:.300}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
