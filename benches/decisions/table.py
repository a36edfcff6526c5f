#!/usr/bin/env python3
"""Prints the last results of `cargo bench -p decisions-bench` as Markdown tables."""

import datetime
import json
import os
import pathlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ROOT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "criterion"
OURS = "customer-integration"
TICKETS = 1000


def medians(group):
    """Returns the medians of a group in nanoseconds, by engine and form."""
    found = {}
    for file in sorted((ROOT / group).glob("*/*/new/estimates.json")):
        benchmark = json.loads(file.with_name("benchmark.json").read_text())
        found[benchmark["function_id"], benchmark["value_str"]] = json.loads(file.read_text())[
            "median"
        ]["point_estimate"]
    return found


def span(nanoseconds):
    for unit, length in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= length:
            return f"{nanoseconds / length:,.1f} {unit}"
    return f"{nanoseconds:,.0f} ns"


def print_comparison(title, group, per):
    """Prints a table with a row for each engine and form: medians, and their ratios to ours."""
    small, large = medians(f"{group}_small"), medians(f"{group}_large")
    ours = OURS, "fastest"
    print(f"| {title} | form | small | × ours | large | × ours |\n|---|---|--:|--:|--:|--:|")
    for engine in sorted(small, key=lambda row: (row != ours, row[1], small[row])):
        cells = [
            cell
            for size in (small, large)
            for cell in (span(size[engine] / per), f"{size[engine] / size[ours]:,.1f}")
        ]
        print(f"| {engine[0]} | {'' if engine == ours else engine[1]} | {' | '.join(cells)} |")
    print()


def print_growth():
    measured = sorted(
        (int(rules), time / TICKETS) for (_, rules), time in medians("growth").items()
    )
    print("| rules (100 areas) | per decision | × rules | × time |\n|--:|--:|--:|--:|")
    for rules, time in measured:
        print(
            f"| {rules} | {span(time)} | {rules / measured[0][0]:g} | {time / measured[0][1]:.1f} |"
        )
    print()


def main():
    models = (
        line.split(":", 1)[1].strip()
        for line in open("/proc/cpuinfo")
        if line.startswith("model name")
    )
    newest = max(file.stat().st_mtime for file in ROOT.glob("**/new/estimates.json"))
    date = datetime.datetime.fromtimestamp(newest, datetime.timezone.utc).date()
    print(
        f"{os.cpu_count()} × {next(models, 'unknown')}, {date}, `cargo bench -p decisions-bench`; medians.\n"
    )
    print_comparison("decision", "decision", TICKETS)
    print_comparison("preparing a policy", "compile", 1)
    print_growth()


main()
