"""Bad and easily misread inputs, put to skdistill and to the libraries that have the same call.

    python benchmarks/bad_inputs.py --library NAME --out FOLDER
    python benchmarks/bad_inputs.py --table FOLDER

The first puts every case to one library and writes a file of JSON lines; it needs that library and
scikit-learn alone, so each can have an environment of its own. The second prints one table of all
files. Each case is a process of its own, with a limit of time.
"""

import argparse
import json
import multiprocessing
import os
import re
import sys
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _bad_cases import CASES
from _bad_inputs import plain
from _bad_libraries import LIBRARIES, NoSuchCall
from _bad_outcomes import (
    CLEAR,
    CRASH,
    NONE,
    OUTCOMES,
    RAW,
    RIGHT,
    SILENT,
    WARNED,
    Heard,
    copied,
    is_clear,
    same,
)

SEED = 12345


def attempt(library, group, case):
    """Return the class of a case's outcome and a line about it."""
    d = plain()
    changes = case.changes(d)
    if not set(changes) <= library.takes:
        return NONE, ""
    call = vars(d) | changes
    try:
        library.prepare(call)
    except NoSuchCall:
        return NONE, ""
    before = copied(call)
    state = library.teacher_state(call) if "kept" in call else None
    library.taught, fitted = False, False
    with Heard() as heard:
        try:
            _seed(call)
            library.fit(call)
            fitted = True
            labels, p = library.predict(call["X_test"])
            p = np.asarray(p, dtype=float)
            late = _what_changed(library, call, state, before, p)
        except NoSuchCall:
            return NONE, ""
        except Exception as error:
            text = re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")[:300]
            early = fitted if group == "Rows to predict" else not library.taught
            return (CLEAR if early and is_clear(error, library.home, case.names) else RAW), text
    if late:
        return SILENT, late
    if case.right is not None and case.right(call, labels, p):
        return RIGHT, ""
    warning = heard.names(case.names)
    return (SILENT, _figures(call, labels)) if warning is None else (WARNED, warning[:300])


def _seed(call):
    if "seed" in call:
        import torch

        torch.manual_seed(SEED)


def _what_changed(library, call, state, before, p):
    """Return a line about what is not as it was, or nothing."""
    changed = [name for name, value in before.items() if not same(call[name], value)]
    if changed:
        return f"changed: {', '.join(changed)}"
    if "kept" in call and not np.array_equal(library.teacher_state(call), state):
        return "changed: the teacher"
    if "seed" in call:
        import torch

        if torch.initial_seed() != SEED:
            return "changed: the seed of torch's generator"
    if "second" in call:
        try:
            library.again(call | call["second"])
            return "the second fit was not refused"
        except NoSuchCall:
            raise
        except Exception:
            if not np.array_equal(library.predict(call["X_test"])[1], p):
                return "changed: the earlier fit"
    return ""


def _figures(call, labels):
    rows = min(len(labels), len(call["y_test"]))
    agree = np.asarray(labels).ravel()[:rows].astype(str) == call["y_test"][:rows].astype(str)
    return f"finished; accuracy {agree.mean():.3f}" if rows else "finished; no rows"


def _child(library, group, case, pipe, log):
    """Try a case, and send what came of it. What the library prints goes to the log."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    pipe.send(attempt(library, group, case))


def put_all(name, out, only, limit):
    """Put every case to a library, and write the outcomes."""
    library = LIBRARIES[name]()
    library.load()
    context = multiprocessing.get_context("fork")
    out.mkdir(parents=True, exist_ok=True)
    with (out / f"{name}.jsonl").open("w") as file:
        print(json.dumps({"library": name, "versions": library.versions()}), file=file)
        for group, cases in CASES.items():
            for title, case in cases.items():
                if only and only not in f"{group}: {title}":
                    continue
                ours, theirs = context.Pipe(duplex=False)
                arguments = (library, group, case, theirs, out / f"{name}.log")
                child = context.Process(target=_child, args=arguments)
                child.start()
                theirs.close()
                try:
                    found = ours.recv() if ours.poll(limit) else (CRASH, f"over {limit} s")
                except EOFError:
                    child.join(5)
                    found = (CRASH, f"exit code {child.exitcode}")
                child.kill()
                child.join()
                row = {"group": group, "case": title, "outcome": found[0], "detail": found[1]}
                print(json.dumps(row), file=file, flush=True)
                print(f"{group}: {title}: {found[0]} {found[1]}", flush=True)


def show(folder):
    """Print the table of all outcomes, the totals, and what the words mean."""
    found, versions = {}, {}
    for name in LIBRARIES:
        path = folder / f"{name}.jsonl"
        if path.exists():
            head, *rows = map(json.loads, path.read_text().splitlines())
            versions[name] = head["versions"]
            found[name] = {(row["group"], row["case"]): row["outcome"] for row in rows}
    for name, packages in versions.items():
        print(f"{name + ':':12}" + ", ".join(f"{p} {v}" for p, v in packages.items()))
    columns = "".join(f"{name:>13}" for name in found)
    for group, cases in CASES.items():
        print(f"\n{group:39}{columns}")
        for title in cases:
            print(f"  {title:37}" + "".join(f"{found[n][group, title]:>13}" for n in found))
    counts = {name: Counter(outcomes.values()) for name, outcomes in found.items()}
    print(f"\n{'Totals':39}{columns}")
    for outcome in OUTCOMES:
        print(f"  {outcome:37}" + "".join(f"{counts[name][outcome]:13}" for name in found))
    ours, *theirs = found.values()
    shared = sum(any(outcomes[key] != NONE for outcomes in theirs) for key in ours)
    print(f"\n{len(ours)} cases; {shared} of them are a call of another library too\n")
    for outcome, meaning in OUTCOMES.items():
        print(f"{outcome:12}  {meaning}")


def main():
    """Put the cases to a library, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", choices=LIBRARIES)
    parser.add_argument("--out", type=Path, default=Path("bad_inputs"), help="folder to write to")
    parser.add_argument("--table", type=Path, help="print the table of this folder")
    parser.add_argument("--only", help="cases whose group and name hold this text")
    parser.add_argument("--limit", type=float, default=300, help="seconds for a case")
    options = parser.parse_args()
    if options.table:
        show(options.table)
    elif options.library:
        put_all(options.library, options.out, options.only, options.limit)
    else:
        parser.error("give --library or --table")


if __name__ == "__main__":
    sys.exit(main())
