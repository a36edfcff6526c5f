"""Forged tokens (RFC 8725): all of them are refused with 401, nothing is fetched for them, and good tokens are good."""

import json
import time

import audit
import forgeries
from key_server import KeyServer
from support.service import BASE, Client
from tokens import AUDIENCE, ISSUER, Key, key_set, with_hmac

ENGINES = ("sqlite",)
SECONDS = 90
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
PATH = f"{BASE}/catalog/areas"
SECRET = "a shared secret of this scenario, long enough"
NO_HS256 = {"JWT_HS256_SECRET": None}
NAMES = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}


def run(stage):
    keys = {it: Key(it.lower(), it) for it in ALGORITHMS}
    attacker, trap, ours = forgeries.attacker_key(), KeyServer(stage), KeyServer(stage)
    trap.hand_out(key_set(attacker))
    ours.hand_out(key_set(*keys.values()))
    file = stage.directory / "keys.json"
    file.write_text(key_set(*keys.values()))
    forged = forgeries.all_of(keys, attacker, trap.url)
    url = lambda name: f"sqlite://{stage.directory}/{name}.db"
    from_file = stage.service(url("file"), **NAMES, **NO_HS256, JWT_JWKS_FILE=str(file))
    from_url = stage.service(url("url"), **NAMES, **NO_HS256, JWT_JWKS_URL=ours.url)
    for name, service in (("key file", from_file), ("key URL", from_url)):
        accepted(
            stage, name, service, good_ones(keys["RS256"], {f"{it.algorithm}": it.token() for it in keys.values()})
        )
        refused(stage, name, service, forged)
        twice(stage, name, service, keys["RS256"].token())
        observe(stage, name, service, keys["RS256"])
    shared(stage, keys, url("shared"))
    several(stage, url("several"))
    stage.criterion(
        "nothing was fetched from where tokens point to", not trap.requests, f"{len(trap.requests)} requests"
    )


def good_ones(key, tokens):
    """So that the others can be refused for one reason only: what differs from these."""
    now = int(time.time())
    return {
        **tokens,
        "typ application/at+jwt": key.token({"typ": "application/at+jwt"}), "typ AT+JWT": key.token({"typ": "AT+JWT"}),
        "expired 30 s ago": key.token(payload={"exp": now - 30}), "valid in 30 s": key.token(payload={"nbf": now + 30}),
        "several audiences": key.token(payload={"aud": ["other", AUDIENCE]}),
        "claims that nobody knows": key.token(payload={"roles": ["x"], "azp": "y"}),
    }  # fmt: skip


def ask(service, token, headers=()):
    client = Client(service, timeout=10)
    try:
        # what a header cannot hold is sent as far as it can be: a newline would end it
        sent = token.encode("ascii", "replace").decode().replace("\n", " ")
        return client.call("GET", PATH, headers={"Authorization": f"Bearer {sent}", **dict(headers)})
    finally:
        client.close()


def accepted(stage, name, service, tokens):
    answers = {what: ask(service, token) for what, token in tokens.items()}
    bad = [f"{what}: {answer}" for what, answer in answers.items() if answer.status != 200]
    stage.criterion(
        f"{name}: good tokens are good", not bad, f"{len(answers)} tokens, {len(bad)} refused{audit.examples(bad)}"
    )


def refused(stage, name, service, tokens):
    answers = {what: ask(service, token) for what, token in tokens.items()}
    bad = [f"{what}: {answer}" for what, answer in answers.items() if not is_refusal(answer)]
    stage.criterion(
        f"{name}: forged tokens get 401, a problem and WWW-Authenticate", not bad,
        f"{len(answers)} tokens, {len(bad)} answered otherwise{audit.examples(bad)}",
    )  # fmt: skip
    if len(bad) > 3:
        stage.note("; ".join(it[:160] for it in bad[3:20]))


def is_refusal(answer):
    return answer.status == 401 and answer.is_problem and "www-authenticate" in answer.headers


def twice(stage, name, service, token):
    """Two Authorization headers, both of them good."""
    client = Client(service, timeout=10)
    client.call("GET", "/health/live")
    connection = client.connection
    connection.putrequest("GET", PATH)
    for _ in range(2):
        connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    client.close()
    stage.criterion(
        f"{name}: two Authorization headers get 401", response.status == 401, f"{response.status} {body[:80]}"
    )


def observe(stage, name, service, key):
    """What RFC 9068 leaves to the service; no criterion."""
    told = {typ: ask(service, key.token({"typ": typ})).status for typ in ("JWT", "jwt", None)}
    stage.note(
        f"{name}: typ {', '.join(f'{typ!r}: {status}' for typ, status in told.items())}; "
        f"no kid: {ask(service, key.token({'kid': None})).status}"
    )


def shared(stage, keys, url):
    """A service with a shared secret takes no other algorithm, and no key but that."""
    service = stage.service(url, **NAMES, JWT_HS256_SECRET=SECRET)
    accepted(stage, "shared secret", service, {"HS256": with_hmac(SECRET.encode())})
    tokens = {
        "HS384": with_hmac(SECRET.encode(), algorithm="HS384"), "HS512": with_hmac(SECRET.encode(), algorithm="HS512"),
        "another secret": with_hmac(SECRET.encode() + b"x"), "a blank secret": with_hmac(b""),
        **{f"{it} of a stranger": key.token() for it, key in keys.items()},
        **forgeries.without_signature(keys["RS256"]),
        **{f"typ {it}": with_hmac(SECRET.encode(), {"typ": it}) for it in ("dpop+jwt", "logout+jwt", "id_token+jwt")},
        "crit": with_hmac(SECRET.encode(), {"crit": ["faults"], "faults": 1}),
        "expired 90 s ago": with_hmac(SECRET.encode(), None, {"exp": int(time.time()) - 90}),
        "valid in 90 s": with_hmac(SECRET.encode(), None, {"nbf": int(time.time()) + 90}),
    }  # fmt: skip
    refused(stage, "shared secret", service, tokens)


def several(stage, url):
    """A token of one issuer is judged by the keys, the algorithm and the audience of that issuer alone."""
    first, second = Key("first", "RS256"), Key("second", "ES256")
    names = {it: f"https://{it}.example" for it in ("first", "second", "third")}
    for name, text in {"first.json": key_set(first), "second.json": key_set(second), "third.txt": SECRET}.items():
        (stage.directory / name).write_text(text)
    issuers = [
        {"issuer": names["first"], "audience": "one", "jwks_file": f"{stage.directory}/first.json"},
        {"issuer": names["second"], "audience": "two", "jwks_file": f"{stage.directory}/second.json"},
        {"issuer": names["third"], "audience": "three", "hs256_secret_file": f"{stage.directory}/third.txt"},
    ]
    (stage.directory / "issuers.json").write_text(json.dumps(issuers))
    nothing = {"JWT_ISSUER": None, "JWT_AUDIENCE": None, **NO_HS256}
    service = stage.service(url, **nothing, JWT_ISSUERS_FILE=f"{stage.directory}/issuers.json")
    says = lambda issuer, audience: {"iss": names.get(issuer, issuer), "aud": audience}
    third = lambda payload: with_hmac(SECRET.encode(), None, payload)
    accepted(stage, "several issuers", service, {
        "first": first.token(payload=says("first", "one")), "second": second.token(payload=says("second", "two")),
        "third": third(says("third", "three")),
    })  # fmt: skip
    refused(stage, "several issuers", service, {
        "second's key for first": second.token(payload=says("first", "one")),
        "first's key for second": first.token(payload=says("second", "two")),
        "second's key under first's kid": second.token({"kid": "first"}, says("first", "one")),
        "third's secret for first": third(says("first", "one")),
        "first's key for third": first.token(payload=says("third", "three")),
        "first's public key for third": with_hmac(json.dumps(first.jwk()).encode(), payload=says("third", "three")),
        "second's audience for first": first.token(payload=says("first", "two")),
        "an issuer that nobody knows": first.token(payload=says("https://evil.example", "one")),
        "no issuer": first.token(payload={"iss": None, "aud": "one"}),
        "all issuers": first.token(payload={"iss": list(names.values()), "aud": "one"}),
    })  # fmt: skip
