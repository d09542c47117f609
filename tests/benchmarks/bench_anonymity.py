"""k-anonymisation of Adult and of a million rows, beside `pycanon` and `anjana` where one is installed; a million identifiers in each form.

`BENCH_ROWS` sets the large table (default 1,000,000), `BENCH_IDENTIFIERS` the column of identifiers (default 1,000,000). The other libraries are
no dependency of ours: where Python finds none, the benchmark says so. They may stand in another interpreter, named by `BENCH_OTHER_PYTHON`.
Seconds are wall clock and, in brackets, of the processor.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from privacy.deidentify import hierarchies, risk
from privacy.deidentify.hierarchies import Hierarchy
from privacy.deidentify.kanonymity import Anonymised, anonymise, coded
from privacy.deidentify.lattice import Demand, Sensitive
from privacy.identity.forms import book, lines
from privacy.identity.forms.shape import Action, Choice, fill

FOLDER = Path(os.environ.get("PIYING_TEST_DATA", "../shared/data")) / "adult_arx"

ARX = [1, 0, 1, 1, 3, 2, 2, 0, 1]
"""Its optimum at k 5, 4 % suppressed, non-uniform entropy, all nine columns (`../shared/data/README.md`)."""

OTHER = """
import json, sys, time
import numpy, pandas
facts = {}
data = pandas.read_csv(sys.argv[1], dtype=str)
quasi = json.loads(sys.argv[3])
try:
    from pycanon import anonymity
    started = time.process_time()
    facts["pycanon k"] = int(anonymity.k_anonymity(data, quasi))
    facts["pycanon seconds"] = round(time.process_time() - started, 2)
except ImportError:
    facts["pycanon"] = "not here"
try:
    from anjana.anonymity import k_anonymity
    read = json.load(open(sys.argv[2]))
    tables = {name: {int(level): numpy.array(values, dtype=object) for level, values in one.items()} for name, one in read.items()}
    started = time.process_time()
    made = k_anonymity(data, [], quasi, int(sys.argv[4]), float(sys.argv[5]), tables)
    facts["anjana seconds"] = round(time.process_time() - started, 2)
    facts["anjana rows"] = len(made)
    facts["anjana distinct"] = {name: sorted(made[name].astype(str).unique().tolist())[:400] for name in quasi if len(made)}
except ImportError:
    facts["anjana"] = "not here"
print(json.dumps(facts))
"""


def main() -> None:
    """Prints all parts."""
    _forms(int(os.environ.get("BENCH_IDENTIFIERS", "1000000")))
    if (FOLDER / "adult.csv.gz").exists():
        _adult()
    else:
        print("k-anonymity, Adult: not here (PIYING_TEST_DATA)")
    _large(int(os.environ.get("BENCH_ROWS", "1000000")))


# ── forms ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _forms(count: int) -> None:
    numbers = np.arange(count)
    columns = {
        "phone": pa.array([f"+8613{number:09d}" for number in numbers]),
        "email": pa.array([f"Person.{number}@Shop{number % 50}.example" for number in numbers]),
        "openid": pa.array([f"oABC{number:020d}" for number in numbers]),
    }
    choice = Choice(constants={"sender": "皮影茶", "sender_contact": "400-800-8000", "opt_out": "回复T退订"})
    for family, form in book.FORMS.items():
        source = next(name for name in columns if name in form.sources)
        filled, said = _timed(lambda form=form, source=source: fill(form, {source: columns[source]}, choice))
        parts = (
            lines.requests(filled, Action.ADD, {"advertiser_ids": ["1"], "audience_ids": ["1"]})
            if form.body
            else lines.file(filled, Action.ADD)
        )
        size, written = _timed(lambda parts=parts: sum(len(part) for part in parts))
        print(
            f"form {family}, {source}: N {count:,}, filled in {said}, {size / 2**20:,.0f} MiB written in {written}, refused {dict(filled.refused)}"
        )


def _timed(work: Callable[[], Any]) -> tuple[Any, str]:
    started, worked = time.perf_counter(), time.process_time()
    made = work()
    return made, f"{time.perf_counter() - started:.1f} s ({time.process_time() - worked:.1f} s)"


# ── k-anonymity ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _say(what: str, made: Anonymised, said: str) -> None:
    lost = ", ".join(f"{name} {value:,.4g}" for name, value in made.losses.items())
    print(f"{what}: {said}; levels {list(made.levels.values())}, {made.suppressed:,} suppressed, {made.classes:,} classes", end="; ")
    print(f"{lost}; {made.checked:,} of {made.nodes:,} nodes")


def _adult() -> None:
    with gzip.open(FOLDER / "adult.csv.gz", "rt", encoding="utf-8") as text:
        rows = list(csv.reader(text, delimiter=";"))
    columns = {name: pa.array(values) for name, values in zip(rows[0], zip(*rows[1:], strict=True), strict=True)}
    found = [hierarchies.from_text(name, (FOLDER / f"adult_hierarchy_{name}.csv").read_text("utf-8")) for name in rows[0]]
    for measure in ("entropy", "ncp", "precision", "class_size", "discernibility"):
        made, said = _timed(lambda measure=measure: anonymise(found, columns, Demand(5, suppression=0.04), measure=measure))
        _say(f"k-anonymity, Adult, N {len(rows) - 1:,}, k 5, 4 %, least {measure}", made, said)
        if measure == "entropy":
            print(
                f"beside ARX (its own figures for this file): levels {ARX}, here {'the same' if list(made.levels.values()) == ARX else 'others'}"
            )
    quasi = [one for one in found if one.name != "occupation"]
    demand = Demand(5, distinct=3, closeness=0.4, suppression=0.04)
    made, said = _timed(lambda: anonymise(quasi, columns, demand, sensitive=[Sensitive("occupation")]))
    _say("the same with l 3 and t 0.4 of occupation, least ncp", made, said)
    _beside(columns, [one for one in found if one.name in ("sex", "age", "race", "marital-status", "education")], 5, 4.0)


def _large(count: int) -> None:
    draw = np.random.default_rng(1)
    columns = {
        "age": pa.array((18 + draw.binomial(62, 0.3, count)).astype(str)),
        "sex": pa.array(np.asarray(["f", "m"])[(draw.random(count) < 0.25).astype(int)]),
        "region": pa.array([f"{city // 8}-{city}" for city in draw.integers(0, 32, count)]),
        "tier": pa.array(np.asarray(["a", "b", "c", "d"])[np.minimum(3, draw.geometric(0.5, count) - 1)]),
        "joined": pa.array((201501 + 100 * draw.integers(0, 10, count) + draw.integers(0, 12, count)).astype(str)),
        "spend": pa.array(draw.integers(0, 20, count).astype(str)),
    }
    months = [(year, month) for year in range(2015, 2025) for month in range(1, 13)]
    joined = {str(year * 100 + month): (f"{year}Q{(month - 1) // 3}", str(year), str(year // 5 * 5), "*") for year, month in months}
    found = [
        hierarchies.bands("age", 0, 99, [5, 10, 20]),
        hierarchies.flat("sex", ["f", "m"]),
        hierarchies.of("region", {f"{city // 8}-{city}": (str(city // 8), "*") for city in range(32)}),
        hierarchies.flat("tier", ["a", "b", "c", "d"]),
        hierarchies.of("joined", joined),
    ]
    made, said = _timed(lambda: anonymise(found, columns, Demand(20, suppression=0.02)))
    _say(f"k-anonymity, N {count:,}, k 20, 2 %, least ncp", made, said)
    demand = Demand(20, distinct=5, closeness=0.3, suppression=0.02)
    made, said = _timed(lambda: anonymise(found, columns, demand, sensitive=[Sensitive("spend", ordered=True)]))
    _say("the same with l 5 and t 0.3 of spend", made, said)
    quasi = {one.name: one.maps[made.levels[one.name]][one.encode(columns[one.name])] for one in found}
    evaluated, said = _timed(lambda: risk.evaluate(quasi, kept=made.kept, sensitive={"spend": (coded(columns["spend"]), True)}))
    print(
        f"its risks: {said}; k {evaluated.k}, prosecutor {evaluated.prosecutor.highest:.4f},"
        f" marketer {evaluated.marketer:.5f}, level {evaluated.level}"
    )
    _beside(columns, found, 20, 2.0)


def _beside(columns: Mapping[str, Any], found: list[Hierarchy], k: int, percent: float) -> None:
    """The same table and hierarchies through other libraries, in an interpreter that has them."""
    python = os.environ.get("BENCH_OTHER_PYTHON")
    if not python:
        print("another library: none here (set BENCH_OTHER_PYTHON to an interpreter with pycanon and anjana)")
        return
    names = [one.name for one in found]
    made, said = _timed(lambda: anonymise(found, columns, Demand(k, suppression=percent / 100), measure="precision"))
    _say(f"beside others, on {', '.join(names)}, least precision", made, said)
    with tempfile.TemporaryDirectory() as folder:
        data, tables = Path(folder) / "data.csv", Path(folder) / "tables.json"
        with data.open("wb") as file:
            for part in lines.csv(pa.table({name: columns[name] for name in names})):
                file.write(part)
        coarse = {
            one.name: {level: [one.words[level][code] for code in one.maps[level]] for level in range(one.height + 1)} for one in found
        }
        tables.write_text(json.dumps(coarse), "utf-8")
        command = [python, "-W", "ignore", "-c", OTHER, str(data), str(tables), json.dumps(names), str(k), str(percent)]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
        except subprocess.TimeoutExpired:
            print("another library: no answer in half an hour")
            return
    if answer.returncode:
        print("another library failed: " + answer.stderr.strip().splitlines()[-1][-300:])
        return
    facts = json.loads(answer.stdout.strip().splitlines()[-1])
    kept = facts.pop("anjana distinct", {})
    levels = [
        next((level for level in range(one.height + 1) if kept and set(kept[one.name]) <= set(one.words[level])), None) for one in found
    ]
    print(f"another library: {facts}, anjana's levels {levels}")


if __name__ == "__main__":
    main()
