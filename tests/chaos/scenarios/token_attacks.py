"""Forged tokens (RFC 8725): all are rejected with 401, cause no requests, and valid tokens are
accepted.
"""

import json
import time

import audit
import forgeries
from key_server import KeyServer
from support.service import BASE, Client
from tokens import AUDIENCE, ISSUER, Key, key_set, with_hmac

ENGINES = ("sqlite",)
TIME_LIMIT = 90
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
PATH = f"{BASE}/catalog/areas"
SECRET = "a shared secret of this scenario, long enough"
NO_HS256 = {"JWT_HS256_SECRET": None}
NAMES = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}


def run(stage):
    keys = {algorithm: Key(algorithm.lower(), algorithm) for algorithm in ALGORITHMS}
    attacker = forgeries.attacker_key()
    trap, key_server = KeyServer(stage), KeyServer(stage)
    trap.hand_out(key_set(attacker))
    key_server.hand_out(key_set(*keys.values()))
    file = stage.directory / "keys.json"
    file.write_text(key_set(*keys.values()))
    forged = forgeries.all_of(keys, attacker, trap.url)
    url = lambda name: f"sqlite://{stage.directory}/{name}.db"
    from_file = stage.service(url("file"), **NAMES, **NO_HS256, JWT_JWKS_FILE=str(file))
    from_url = stage.service(url("url"), **NAMES, **NO_HS256, JWT_JWKS_URL=key_server.url)
    for name, service in (("key file", from_file), ("key URL", from_url)):
        accepted(stage, name, service, valid_tokens(keys))
        refused(stage, name, service, forged)
        twice(stage, name, service, keys["RS256"].token())
        observe(stage, name, service, keys["RS256"])
    shared(stage, keys, url("shared"))
    several(stage, url("several"))
    stage.criterion(
        "no request to URLs in tokens", not trap.requests, f"{len(trap.requests)} requests"
    )


def valid_tokens(keys):
    """Returns valid tokens; each forged one differs from these in a single respect."""
    key = keys["RS256"]
    now = int(time.time())
    return {
        **{key.algorithm: key.token() for key in keys.values()},
        "typ application/at+jwt": key.token({"typ": "application/at+jwt"}),
        "typ AT+JWT": key.token({"typ": "AT+JWT"}),
        "expired 30 s ago": key.token(payload={"exp": now - 30}),
        "valid in 30 s": key.token(payload={"nbf": now + 30}),
        "several audiences": key.token(payload={"aud": ["other", AUDIENCE]}),
        "unknown claims": key.token(payload={"roles": ["x"], "azp": "y"}),
    }


def send(service, token, headers=()):
    client = Client(service, timeout=10)
    try:
        # characters that are invalid in a header are replaced
        sent = token.encode("ascii", "replace").decode().replace("\n", " ")
        return client.call(
            "GET", PATH, headers={"Authorization": f"Bearer {sent}", **dict(headers)}
        )
    finally:
        client.close()


def accepted(stage, name, service, tokens):
    responses = {what: send(service, token) for what, token in tokens.items()}
    bad = [f"{what}: {response}" for what, response in responses.items() if response.status != 200]
    stage.criterion(
        f"{name}: valid tokens are accepted",
        not bad,
        f"{len(responses)} tokens, {len(bad)} rejected{audit.examples(bad)}",
    )


def refused(stage, name, service, tokens):
    responses = {what: send(service, token) for what, token in tokens.items()}
    bad = [
        f"{what}: {response}" for what, response in responses.items() if not is_refusal(response)
    ]
    stage.criterion(
        f"{name}: forged tokens get 401, a problem and WWW-Authenticate",
        not bad,
        f"{len(responses)} tokens, {len(bad)} with another response{audit.examples(bad)}",
    )
    if len(bad) > 3:
        stage.note("; ".join(text[:160] for text in bad[3:20]))


def is_refusal(response):
    return response.status == 401 and response.is_problem and "www-authenticate" in response.headers


def twice(stage, name, service, token):
    """Sends two valid Authorization headers."""
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
        f"{name}: two Authorization headers get 401",
        response.status == 401,
        f"{response.status} {body[:80]}",
    )


def observe(stage, name, service, key):
    """Notes behavior that RFC 9068 leaves to the service; not a criterion."""
    statuses = {typ: send(service, key.token({"typ": typ})).status for typ in ("JWT", "jwt", None)}
    stage.note(
        f"{name}: typ {', '.join(f'{typ!r}: {status}' for typ, status in statuses.items())}; "
        f"no kid: {send(service, key.token({'kid': None})).status}"
    )


def shared(stage, keys, url):
    """A service with a shared secret accepts no other algorithm and no other key."""
    service = stage.service(url, **NAMES, JWT_HS256_SECRET=SECRET)
    accepted(stage, "shared secret", service, {"HS256": with_hmac(SECRET.encode())})
    tokens = {
        "HS384": with_hmac(SECRET.encode(), algorithm="HS384"),
        "HS512": with_hmac(SECRET.encode(), algorithm="HS512"),
        "another secret": with_hmac(SECRET.encode() + b"x"),
        "a blank secret": with_hmac(b""),
        **{f"{algorithm} of the attacker": key.token() for algorithm, key in keys.items()},
        **forgeries.without_signature(keys["RS256"]),
        **{
            f"typ {typ}": with_hmac(SECRET.encode(), {"typ": typ})
            for typ in ("dpop+jwt", "logout+jwt", "id_token+jwt")
        },
        "crit": with_hmac(SECRET.encode(), {"crit": ["chaos"], "chaos": 1}),
        "expired 90 s ago": with_hmac(SECRET.encode(), None, {"exp": int(time.time()) - 90}),
        "valid in 90 s": with_hmac(SECRET.encode(), None, {"nbf": int(time.time()) + 90}),
    }
    refused(stage, "shared secret", service, tokens)


def several(stage, url):
    """A token is verified only with the keys, algorithm and audience of its issuer."""
    first = Key("first", "RS256")
    second = Key("second", "ES256")
    names = {name: f"https://{name}.example" for name in ("first", "second", "third")}
    for name, text in {
        "first.json": key_set(first),
        "second.json": key_set(second),
        "third.txt": SECRET,
    }.items():
        (stage.directory / name).write_text(text)
    issuers = [
        {"issuer": names["first"], "audience": "one", "jwks_file": f"{stage.directory}/first.json"},
        {
            "issuer": names["second"],
            "audience": "two",
            "jwks_file": f"{stage.directory}/second.json",
        },
        {
            "issuer": names["third"],
            "audience": "three",
            "hs256_secret_file": f"{stage.directory}/third.txt",
        },
    ]
    (stage.directory / "issuers.json").write_text(json.dumps(issuers))
    unset = {"JWT_ISSUER": None, "JWT_AUDIENCE": None, **NO_HS256}
    service = stage.service(url, **unset, JWT_ISSUERS_FILE=f"{stage.directory}/issuers.json")
    payload_of = lambda issuer, audience: {"iss": names.get(issuer, issuer), "aud": audience}
    third = lambda payload: with_hmac(SECRET.encode(), None, payload)
    accepted(
        stage,
        "several issuers",
        service,
        {
            "first": first.token(payload=payload_of("first", "one")),
            "second": second.token(payload=payload_of("second", "two")),
            "third": third(payload_of("third", "three")),
        },
    )
    refused(
        stage,
        "several issuers",
        service,
        {
            "second's key for first": second.token(payload=payload_of("first", "one")),
            "first's key for second": first.token(payload=payload_of("second", "two")),
            "second's key under first's kid": second.token(
                {"kid": "first"}, payload_of("first", "one")
            ),
            "third's secret for first": third(payload_of("first", "one")),
            "first's key for third": first.token(payload=payload_of("third", "three")),
            "first's public key for third": with_hmac(
                json.dumps(first.jwk()).encode(), payload=payload_of("third", "three")
            ),
            "second's audience for first": first.token(payload=payload_of("first", "two")),
            "an unknown issuer": first.token(payload=payload_of("https://evil.example", "one")),
            "no issuer": first.token(payload={"iss": None, "aud": "one"}),
            "all issuers": first.token(payload={"iss": list(names.values()), "aud": "one"}),
        },
    )
