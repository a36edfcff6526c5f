"""Compares the service's data with a ledger: all that was promised is there exactly once, and nothing is half there."""

import collections

import world

# where each kind is listed, and what its id is called; what a grant shows of the catalogue is not part of it
LISTS = {
    "access": ("accesses", "id"),
    "tag": ("tags", "id"),
    "area": ("areas", "area_id"),
    "ticket_type": ("ticket-types", "ticket_type_id"),
}
DERIVED = {"effective", "ineffective_reasons", "available"}


def pages(client, path):
    """All items of a list."""
    cursor = ""
    while cursor is not None:
        page = client.must("GET", f"{path}?limit=200{cursor and f'&cursor={cursor}'}")
        yield from page["items"]
        cursor = page["next_cursor"]


def missing(client, promises):
    """Those promises of which the history knows nothing; reads no more of it than it must, newest first."""
    left = set(promises)
    for partner in {promise.partner for promise in promises.values()}:
        wanted = {id for id, promise in promises.items() if promise.partner == partner}
        for entry in pages(client, f"{world.at(partner)}/history"):
            if not wanted & left:
                break
            left.discard(entry["request_id"])
    return left


def audit(stage, client, ledger):
    """States whether the ledger is clean."""
    promises = ledger.promised()
    found, broken = collections.defaultdict(list), []
    for partner in world.PARTNERS:
        entries = list(pages(client, f"{world.at(partner)}/history"))
        for entry in entries:
            found[entry["request_id"]].append(entry)
        broken += [f"{partner}: {it}" for it in faults_of(client, partner, entries)]
    lost = [id for id in promises if not found[id]]
    doubled = [id for id in promises if len(found[id]) > 1]
    wrong = [id for id, promise in promises.items() if len(found[id]) == 1 and not is_kept(promise, found[id][0])]
    undead = [id for id in ledger.refused if found[id]]
    whole = [id for id in ledger.open if len(found[id]) == 1]
    torn = [id for id in ledger.open if len(found[id]) > 1]
    stage.criterion(
        "every acknowledged write is there exactly once, with its history entry",
        promises and not lost + doubled + wrong,
        f"{len(promises)} acknowledged, {len(lost)} lost, {len(doubled)} twice, {len(wrong)} other than promised"
        f"{examples(lost + doubled + wrong)}",
    )  # fmt: skip
    stage.criterion(
        "what got no clear answer is there as a whole or not at all, what was refused is not", not torn + undead,
        f"{len(ledger.open)} open, {len(whole)} of them there; "
        f"{len(ledger.refused)} refused, {len(undead)} of them there"
        f"{examples(torn + undead)}",
    )  # fmt: skip
    total = sum(len(entries) for entries in found.values())
    stage.criterion(
        "nothing is half-written: history, resources, versions and revisions agree", not broken,
        f"{total} history entries, {len(broken)} disagreements{examples(broken)}",
    )  # fmt: skip
    stage.criterion(
        "no writer saw a surprise", not ledger.surprises, f"{len(ledger.surprises)}{examples(ledger.surprises)}"
    )


def examples(list):
    return f", such as {'; '.join(str(it) for it in list[:3])}" if list else ""


def is_kept(promise, entry):
    """Whether a history entry is what was promised."""
    after = entry["after"] or {}
    told = (entry["resource"], entry["resource_id"], after.get("version"))
    return (
        told == (promise.resource, promise.id, promise.version)
        and all(after.get(name) == value for name, value in promise.members.items())
    )  # fmt: skip


def faults_of(client, partner, entries):
    """Where a partner's history, its resources and its revision disagree."""
    integration = client.must("GET", world.at(partner))
    revisions = sorted(entry["revision"] for entry in entries)
    if revisions != list(range(2, integration["revision"] + 1)):
        ends = f"from {revisions[:1]} to {revisions[-1:]}"
        yield f"revision {integration['revision']}, but {len(revisions)} changes {ends}"
    chains = collections.defaultdict(list)
    for entry in sorted(entries, key=lambda it: it["revision"]):
        chains[entry["resource"], entry["resource_id"]].append(entry)
    for (resource, id), chain in chains.items():
        yield from breaks_of(resource, id, chain)
    for resource, (path, name) in LISTS.items():
        there = {item[name]: item for item in pages(client, f"{world.at(partner)}/{path}")}
        remembered = {
            id: chain[-1]["after"] for (kind, id), chain in chains.items() if kind == resource and chain[-1]["after"]
        }
        if there.keys() != remembered.keys():
            yield f"{resource}: {sorted(there.keys() ^ remembered.keys())[:3]} are in the list or the history only"
        for id in there.keys() & remembered.keys():
            if facts(there[id]) != facts(remembered[id]):
                yield f"{resource} {id} is not as its last change left it"
        if len(there) != integration["counts"][path.replace("-", "_")]:
            yield f"{len(there)} {path}, but counted {integration['counts']}"


def breaks_of(resource, id, chain):
    """Where what one change left is not what the next one found."""
    before = None
    for entry in chain:
        if resource != "customer_integration" or before is not None:
            if entry["before"] != before:
                yield f"{resource} {id}: revision {entry['revision']} found other than the change before it left"
            if (entry["after"] or {}).get("version", 0) != (
                (before or {}).get("version", 0) + 1 if entry["after"] else 0
            ):
                yield f"{resource} {id}: versions are not one after the other at revision {entry['revision']}"
        before = entry["after"]


def facts(resource):
    return {name: value for name, value in resource.items() if name not in DERIVED}
