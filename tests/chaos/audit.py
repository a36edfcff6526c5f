"""Compares the service's data with a ledger: acknowledged writes exist exactly once, and no write
is partial.
"""

import collections

import world

# for each kind the path of its list and the name of its id
LISTS = {
    "access": ("accesses", "id"),
    "tag": ("tags", "id"),
    "area": ("areas", "area_id"),
    "ticket_type": ("ticket-types", "ticket_type_id"),
}
# members that are computed, so that the history does not have them
DERIVED = {"effective", "ineffective_reasons", "ineffective_messages", "available"}


def pages(client, path):
    """Returns all items of a list, page by page."""
    cursor = ""
    while cursor is not None:
        page = client.must("GET", f"{path}?limit=200{cursor and f'&cursor={cursor}'}")
        yield from page["items"]
        cursor = page["next_cursor"]


def missing(client, promises):
    """Returns the promises without a history entry.

    Reads the newest entries, only as many as necessary.
    """
    left = set(promises)
    for partner in {promise.partner for promise in promises.values()}:
        wanted = {id for id, promise in promises.items() if promise.partner == partner}
        for entry in pages(client, f"{world.at(partner)}/history"):
            if not wanted & left:
                break
            left.discard(entry["request_id"])
    return left


def audit(stage, client, ledger):
    """Checks the data against the ledger and states the criteria."""
    promises = ledger.promised()
    found, broken = collections.defaultdict(list), []
    for partner in world.PARTNERS:
        entries = list(pages(client, f"{world.at(partner)}/history"))
        for entry in entries:
            found[entry["request_id"]].append(entry)
        broken += [f"{partner}: {text}" for text in inconsistencies(client, partner, entries)]
    lost = [id for id in promises if not found[id]]
    doubled = [id for id in promises if len(found[id]) > 1]
    wrong = [
        id
        for id, promise in promises.items()
        if len(found[id]) == 1 and not is_fulfilled(promise, found[id][0])
    ]
    present = [id for id in ledger.refused if found[id]]
    whole = [id for id in ledger.open if len(found[id]) == 1]
    torn = [id for id in ledger.open if len(found[id]) > 1]
    stage.criterion(
        "every acknowledged write exists exactly once, with its history entry",
        promises and not lost + doubled + wrong,
        f"{len(promises)} acknowledged, {len(lost)} lost, {len(doubled)} twice, {len(wrong)} with other content"
        f"{examples(lost + doubled + wrong)}",
    )
    stage.criterion(
        "writes without a clear response exist completely or not at all, rejected ones do not",
        not torn + present,
        f"{len(ledger.open)} open, {len(whole)} of them exist; "
        f"{len(ledger.refused)} rejected, {len(present)} of them exist"
        f"{examples(torn + present)}",
    )
    total = sum(len(entries) for entries in found.values())
    stage.criterion(
        "no write is partial: history, resources, versions and revisions agree",
        not broken,
        f"{total} history entries, {len(broken)} disagreements{examples(broken)}",
    )
    stage.criterion(
        "no writer got an unexpected response",
        not ledger.unexpected,
        f"{len(ledger.unexpected)}{examples(ledger.unexpected)}",
    )


def examples(list):
    return f", such as {'; '.join(str(item) for item in list[:3])}" if list else ""


def is_fulfilled(promise, entry):
    """Whether a history entry matches the promise."""
    after = entry["after"] or {}
    state = (entry["resource"], entry["resource_id"], after.get("version"))
    return state == (promise.resource, promise.id, promise.version) and all(
        after.get(name) == value for name, value in promise.members.items()
    )


def inconsistencies(client, partner, entries):
    """Yields where a partner's history, resources and revision disagree."""
    integration = client.must("GET", world.at(partner))
    revisions = sorted(entry["revision"] for entry in entries)
    if revisions != list(range(2, integration["revision"] + 1)):
        ends = f"from {revisions[:1]} to {revisions[-1:]}"
        yield f"revision {integration['revision']}, but {len(revisions)} changes {ends}"
    chains = collections.defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry["revision"]):
        chains[entry["resource"], entry["resource_id"]].append(entry)
    for (resource, id), chain in chains.items():
        yield from gaps(resource, id, chain)
    for resource, (path, name) in LISTS.items():
        current = {item[name]: item for item in pages(client, f"{world.at(partner)}/{path}")}
        recorded = {
            id: chain[-1]["after"]
            for (kind, id), chain in chains.items()
            if kind == resource and chain[-1]["after"]
        }
        if current.keys() != recorded.keys():
            yield f"{resource}: {sorted(current.keys() ^ recorded.keys())[:3]} are in the list or the history only"
        for id in current.keys() & recorded.keys():
            if stored_members(current[id]) != stored_members(recorded[id]):
                yield f"{resource} {id} differs from its last history entry"
        if len(current) != integration["counts"][path.replace("-", "_")]:
            yield f"{len(current)} {path}, but counted {integration['counts']}"


def gaps(resource, id, chain):
    """Yields where two consecutive changes of a resource do not fit together."""
    before = None
    for entry in chain:
        if resource != "customer_integration" or before is not None:
            if entry["before"] != before:
                yield f"{resource} {id}: revision {entry['revision']} does not continue the previous change"
            if (entry["after"] or {}).get("version", 0) != (
                (before or {}).get("version", 0) + 1 if entry["after"] else 0
            ):
                yield f"{resource} {id}: versions are not consecutive at revision {entry['revision']}"
        before = entry["after"]


def stored_members(resource):
    return {name: value for name, value in resource.items() if name not in DERIVED}
