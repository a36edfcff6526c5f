"""Forged tokens by name, from RFC 8725 (JWT Best Current Practices).

All of them must be rejected.
"""

import base64
import datetime
import json
import os
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from tokens import ISSUER, Key, b64, claims, key_set, part, unsigned, with_hmac

ENCODING, PUBLIC = serialization.Encoding, serialization.PublicFormat


def all_of(keys, attacker, url):
    """Returns all forged tokens.

    `keys`: the valid keys by algorithm; `attacker`: a key of the attacker; `url`: of the attacker's
    key set.
    """
    return {
        **without_signature(keys["RS256"]),
        **confused(keys),
        **kids(keys),
        **headers(keys, attacker, url),
        **types(keys["RS256"]),
        **broken_signatures(keys),
        **wrong_claims(keys["ES256"]),
        **forms(keys),
    }


def without_signature(key):
    """Section 2.1: `none` in all spellings, and invalid algorithms."""
    found = {}
    for spelling in ("none", "None", "NONE", "nOnE", "none ", "", " none", "null"):
        bare = unsigned({"kid": key.kid}, None, spelling)
        found[f"alg {spelling!r}, no signature"] = f"{bare}."
        found[f"alg {spelling!r}, a signature"] = f"{bare}.{b64(key.sign(bare.encode()))}"
    for name, value in {
        "absent": None,
        "a list": ["none"],
        "a number": 0,
        "false": False,
        "unknown": "RS257",
        "lower": "rs256",
    }.items():
        bare = unsigned({"kid": key.kid, "alg": value}, None, None)
        found[f"alg {name}"] = f"{bare}.{b64(key.sign(bare.encode()))}"
    return found


def confused(keys):
    """Section 2.1: public keys used as shared secrets, and the algorithm of another key."""
    found = {}
    for name, key in keys.items():
        spki = PUBLIC.SubjectPublicKeyInfo
        secrets = {
            "PEM": key.public_as(ENCODING.PEM, spki),
            "PEM without its last newline": key.public_as(ENCODING.PEM, spki).strip(),
            "DER": key.public_as(ENCODING.DER, spki),
            "JWK": json.dumps(key.jwk()).encode(),
            "compact JWK": json.dumps(key.jwk(), separators=(",", ":")).encode(),
            "the key set": key_set(*keys.values()).encode(),
            "an empty secret": b"",
        }
        if key.jwk()["kty"] == "RSA":
            secrets["PKCS#1 PEM"] = key.public_as(ENCODING.PEM, PUBLIC.PKCS1)
            secrets["PKCS#1 DER"] = key.public_as(ENCODING.DER, PUBLIC.PKCS1)
        for form, secret in secrets.items():
            for algorithm in ("HS256", "HS384", "HS512"):
                found[f"{algorithm} with {name}'s public key as {form}"] = with_hmac(
                    secret, {"kid": key.kid}, None, algorithm
                )
    found["PS256 with the key for RS256"] = keys["RS256"].token(algorithm="PS256")
    found["RS256 with the key for PS256"] = keys["PS256"].token(algorithm="RS256")
    return found


def kids(keys):
    """Section 3.10: untrusted values of `kid`."""
    key = keys["RS256"]
    found = {}
    malicious = {
        "path traversal": "../../../../../../dev/null",
        "absolute path": "/dev/null",
        "file URL": "file:///dev/null",
        "SQL": "x' UNION SELECT 'secret' --",
        "shell": "$(id)",
        "format": "%s%n",
        "NUL": "rsa\0",
        "long": "k" * 4000,
        "other case": key.kid.upper(),
        "blank": "",
        "newline": f"{key.kid}\n",
        "unknown": "no-such-key",
    }
    for name, kid in malicious.items():
        found[f"kid with {name}, valid signature"] = key.token({"kid": kid})
        for secret in (b"", b"secret"):
            found[f"kid with {name}, HS256 with {secret!r}"] = with_hmac(secret, {"kid": kid})
    for name, kid in {"a number": 1, "a list": [key.kid], "an object": {"kid": key.kid}}.items():
        found[f"kid is {name}"] = key.token({"kid": kid})
    for other in keys.values():
        if other is not key:
            found[f"kid of the key for {other.algorithm}"] = key.token({"kid": other.kid})
    return found


def headers(keys, attacker, url):
    """Sections 2.9 and 3.10: keys in a token or at a URL in it.

    Also unknown critical extensions (RFC 7515 section 4.1.11).
    """
    certificate = b64_plain(self_signed(attacker, url))
    embedded = {
        "jwk": {"jwk": attacker.jwk()},
        "jku": {"jku": url},
        "x5u": {"x5u": url},
        "x5c": {"x5c": [certificate]},
        "all of them": {"jwk": attacker.jwk(), "jku": url, "x5u": url, "x5c": [certificate]},
    }
    found = {"signed by the attacker": attacker.token({"kid": keys["RS256"].kid})}
    for name, members in embedded.items():
        found[f"the attacker's key by {name}"] = attacker.token(members)
        found[f"the attacker's key by {name}, with a known kid"] = attacker.token(
            {**members, "kid": keys["RS256"].kid}
        )
        found[f"the attacker's key by {name}, without a kid"] = attacker.token(
            {**members, "kid": None}
        )
    crits = {
        "unknown": {"crit": ["chaos"], "chaos": 1},
        "b64": {"crit": ["b64"], "b64": False},
        "empty": {"crit": []},
        "no list": {"crit": "exp"},
        "a standard name": {"crit": ["alg"]},
        "unknown and absent": {"crit": ["chaos"]},
    }
    return {
        **found,
        **{f"crit {name}": keys["RS256"].token(members) for name, members in crits.items()},
    }


def types(key):
    """Section 3.11: tokens of another type."""
    others = (
        "dpop+jwt",
        "logout+jwt",
        "id_token+jwt",
        "secevent+jwt",
        "oauth-authz-req+jwt",
        "application/logout+jwt",
        "JOSE",
        "at",
        "",
    )
    return {f"typ {other!r}": key.token({"typ": other}) for other in others}


def broken_signatures(keys):
    found = {}
    for name, key in keys.items():
        header, payload, _ = key.token().split(".")
        good = key.sign(f"{header}.{payload}".encode())
        forged = {
            "truncated": good[:-1],
            "extended": good + b"\0",
            "halved": good[: len(good) // 2],
            "empty": b"",
            "doubled": good * 2,
            "all zeros": bytes(len(good)),
            "all ones": b"\xff" * len(good),
            "of another token": key.sign(b"other"),
            "with one bit flipped": bytes([good[0] ^ 1]) + good[1:],
        }
        for how, signature in forged.items():
            found[f"{name} signature {how}"] = f"{header}.{payload}.{b64(signature)}"
        found[f"{name}, another payload"] = f"{header}.{part(claims({'sub': 'admin'}))}.{b64(good)}"
        found[f"{name}, another header"] = (
            f"{part({'alg': name, 'typ': 'at+jwt', 'kid': key.kid, 'x': 1})}.{payload}.{b64(good)}"
        )
    key = keys["ES256"]
    header = unsigned({"kid": key.kid}, None, "ES256")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    found["ES256 signature of r = s = n"] = f"{header}.{b64(order.to_bytes(32, 'big') * 2)}"
    return found


def wrong_claims(key):
    now = int(time.time())
    wrong = {
        "expired 90 s ago": {"exp": now - 90},
        "valid in 90 s": {"nbf": now + 90},
        "another issuer": {"iss": "https://evil.example"},
        "issuer with a slash more": {"iss": f"{ISSUER}/"},
        "issuer in a list": {"iss": [ISSUER]},
        "another audience": {"aud": "other"},
        "other audiences": {"aud": ["other", "another"]},
        "no audience at all": {"aud": []},
        "exp as text": {"exp": "soon"},
        "exp of -1": {"exp": -1},
        "exp as null": {"exp": "null"},
        "blank subject": {"sub": ""},
        "subject as a number": {"sub": 1},
        "subject with NUL": {"sub": "a\0b"},
        "nbf as text": {"nbf": "now"},
    }
    for name in ("iss", "aud", "exp", "sub"):
        wrong[f"without {name}"] = {name: None}
    found = {name: key.token(payload=payload) for name, payload in wrong.items()}
    found["payload is no object"] = key.token(payload='"text"')
    found["payload is no JSON"] = key.token(payload="{")
    return found


def forms(keys):
    """Strings that are not exactly one compact JWS."""
    key = keys["RS256"]
    header, payload, signature = key.token().split(".")
    joined = {"protected": header, "payload": payload, "signature": signature}
    return {
        "no token": "",
        "one part": header,
        "two parts": f"{header}.{payload}",
        "four parts": f"{header}.{payload}.{signature}.{signature}",
        "JSON form": json.dumps(joined),
        "padded": f"{header}.{payload}.{signature}==",
        "a space within": f"{header}. {payload}.{signature}",
        "16 KiB": key.token(payload={"filler": "f" * (12 * 1024)}),
        "detached payload": f"{header}..{signature}",
        "embedded JWE": encrypted(key, key.token()),
        "embedded JWE of an unsigned token": encrypted(key, f"{part({'alg': 'none'})}.{payload}."),
        "two algorithms": twice(key),
    }


def twice(key):
    """Returns a token with two `alg` members; a parser that uses the last one accepts it."""
    header = '{"alg":"%s","kid":"%s","typ":"at+jwt","alg":"none"}' % (key.algorithm, key.kid)
    return f"{part(header)}.{part(claims())}."


def encrypted(key, token):
    """Encrypts a token with a public key, which anyone can do (RFC 7516)."""
    content, iv = AESGCM.generate_key(256), os.urandom(12)
    header = part({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": key.kid})
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    sealed = AESGCM(content).encrypt(iv, token.encode(), header.encode())
    return ".".join(
        [
            header,
            b64(key.public.encrypt(content, oaep)),
            b64(iv),
            b64(sealed[:-16]),
            b64(sealed[-16:]),
        ]
    )


def self_signed(key, url):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "attacker")])
    now = datetime.datetime.now(datetime.UTC)
    built = x509.CertificateBuilder(
        name, name, key.public, x509.random_serial_number(), now, now + datetime.timedelta(days=1)
    )
    reachable = x509.AccessDescription(
        x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url)
    )
    built = built.add_extension(x509.AuthorityInformationAccess([reachable]), critical=False)
    return built.sign(key.private, hashes.SHA256()).public_bytes(ENCODING.DER)


def b64_plain(raw):
    """Encodes with standard base64, as `x5c` requires, not base64url."""
    return base64.b64encode(raw).decode()


def attacker_key():
    return Key("attacker", "RS256")
