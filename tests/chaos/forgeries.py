"""The forgeries of RFC 8725 (JWT best current practices), each by a name. All of them have to be refused."""

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
    """`keys`: the good ones by algorithm; `attacker`: a key of the attacker; `url`: where the attacker's key set can be
    fetched.
    """
    return {
        **without_signature(keys["RS256"]), **confused(keys), **kids(keys), **headers(keys, attacker, url),
        **types(keys["RS256"]),
        **broken_signatures(keys), **wrong_claims(keys["ES256"]), **forms(keys),
    }  # fmt: skip


def without_signature(key):
    """RFC 8725 section 2.1: none, and all its spellings."""
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
    """Section 2.1: a public key taken for a shared secret; and the algorithm of another key."""
    found = {}
    for name, key in keys.items():
        spki = PUBLIC.SubjectPublicKeyInfo
        secrets = {
            "PEM": key.public_as(ENCODING.PEM, spki),
            "PEM without its last newline": key.public_as(ENCODING.PEM, spki).strip(),
            "DER": key.public_as(ENCODING.DER, spki), "JWK": json.dumps(key.jwk()).encode(),
            "compact JWK": json.dumps(key.jwk(), separators=(",", ":")).encode(),
            "the key set": key_set(*keys.values()).encode(),
            "an empty secret": b"",
        }  # fmt: skip
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
    """Section 3.10: kid is not to be trusted."""
    key, found = keys["RS256"], {}
    wild = {
        "path traversal": "../../../../../../dev/null", "absolute path": "/dev/null", "file URL": "file:///dev/null",
        "SQL": "x' UNION SELECT 'secret' --", "shell": "$(id)", "format": "%s%n", "NUL": "rsa\0", "long": "k" * 4000,
        "other case": key.kid.upper(), "blank": "", "newline": f"{key.kid}\n", "unknown": "no-such-key",
    }  # fmt: skip
    for name, kid in wild.items():
        found[f"kid with {name}, signed well"] = key.token({"kid": kid})
        for secret in (b"", b"secret"):
            found[f"kid with {name}, HS256 with {secret!r}"] = with_hmac(secret, {"kid": kid})
    for name, kid in {"a number": 1, "a list": [key.kid], "an object": {"kid": key.kid}}.items():
        found[f"kid is {name}"] = key.token({"kid": kid})
    for other in keys.values():
        if other is not key:
            found[f"kid of the key for {other.algorithm}"] = key.token({"kid": other.kid})
    return found


def headers(keys, attacker, url):
    """Section 3.10 and 2.9: keys that a token brings along or points to; extensions that must be understood (RFC 7515,
    4.1.11).
    """
    certificate = b64_plain(self_signed(attacker, url))
    brought = {
        "jwk": {"jwk": attacker.jwk()}, "jku": {"jku": url}, "x5u": {"x5u": url}, "x5c": {"x5c": [certificate]},
        "all of them": {"jwk": attacker.jwk(), "jku": url, "x5u": url, "x5c": [certificate]},
    }  # fmt: skip
    found = {"signed by a stranger": attacker.token({"kid": keys["RS256"].kid})}
    for name, members in brought.items():
        found[f"the stranger's key by {name}"] = attacker.token(members)
        found[f"the stranger's key by {name}, under a known kid"] = attacker.token(
            {**members, "kid": keys["RS256"].kid}
        )
        found[f"the stranger's key by {name}, without a kid"] = attacker.token({**members, "kid": None})
    crits = {
        "unknown": {"crit": ["faults"], "faults": 1}, "b64": {"crit": ["b64"], "b64": False}, "empty": {"crit": []},
        "no list": {"crit": "exp"}, "a standard name": {"crit": ["alg"]}, "unknown and absent": {"crit": ["faults"]},
    }  # fmt: skip
    return {**found, **{f"crit {name}": keys["RS256"].token(members) for name, members in crits.items()}}


def types(key):
    """Section 3.11: a token of another kind."""
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
    return {f"typ {it!r}": key.token({"typ": it}) for it in others}


def broken_signatures(keys):
    found = {}
    for name, key in keys.items():
        head, payload, _ = key.token().split(".")
        good = key.sign(f"{head}.{payload}".encode())
        forged = {
            "truncated": good[:-1], "extended": good + b"\0", "halved": good[: len(good) // 2], "empty": b"",
            "doubled": good * 2,
            "all zeros": bytes(len(good)), "all ones": b"\xff" * len(good), "of another token": key.sign(b"other"),
            "with one bit flipped": bytes([good[0] ^ 1]) + good[1:],
        }  # fmt: skip
        for how, signature in forged.items():
            found[f"{name} signature {how}"] = f"{head}.{payload}.{b64(signature)}"
        found[f"{name}, another payload"] = f"{head}.{part(claims({'sub': 'admin'}))}.{b64(good)}"
        found[f"{name}, another header"] = (
            f"{part({'alg': name, 'typ': 'at+jwt', 'kid': key.kid, 'x': 1})}.{payload}.{b64(good)}"
        )
    key = keys["ES256"]
    head = unsigned({"kid": key.kid}, None, "ES256")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    found["ES256 signature of r = s = n"] = f"{head}.{b64(order.to_bytes(32, 'big') * 2)}"
    return found


def wrong_claims(key):
    now = int(time.time())
    wrong = {
        "expired 90 s ago": {"exp": now - 90}, "valid in 90 s": {"nbf": now + 90},
        "another issuer": {"iss": "https://evil.example"},
        "issuer with a slash more": {"iss": f"{ISSUER}/"}, "issuer in a list": {"iss": [ISSUER]},
        "another audience": {"aud": "other"},
        "other audiences": {"aud": ["other", "another"]}, "no audience at all": {"aud": []},
        "exp as text": {"exp": "soon"},
        "exp of -1": {"exp": -1}, "exp as null": {"exp": "null"}, "blank subject": {"sub": ""},
        "subject as a number": {"sub": 1},
        "subject with NUL": {"sub": "a\0b"}, "nbf as text": {"nbf": "now"},
    }  # fmt: skip
    for name in ("iss", "aud", "exp", "sub"):
        wrong[f"without {name}"] = {name: None}
    found = {name: key.token(payload=payload) for name, payload in wrong.items()}
    found["payload is no object"] = key.token(payload='"text"')
    found["payload is no JSON"] = key.token(payload="{")
    return found


def forms(keys):
    """Things that are no compact JWS, or more than one."""
    key = keys["RS256"]
    head, payload, signature = key.token().split(".")
    joined = {"protected": head, "payload": payload, "signature": signature}
    return {
        "no token": "", "one part": head, "two parts": f"{head}.{payload}",
        "four parts": f"{head}.{payload}.{signature}.{signature}",
        "JSON form": json.dumps(joined), "padded": f"{head}.{payload}.{signature}==",
        "a blank within": f"{head}. {payload}.{signature}",
        "16 KiB": key.token(payload={"filler": "f" * (12 * 1024)}), "detached payload": f"{head}..{signature}",
        "embedded JWE": encrypted(key, key.token()),
        "embedded JWE of an unsigned token": encrypted(key, f"{part({'alg': 'none'})}.{payload}."),
        "two algorithms": twice(key),
    }  # fmt: skip


def twice(key):
    """A header that names alg twice; whoever reads the last one is fooled."""
    head = '{"alg":"%s","kid":"%s","typ":"at+jwt","alg":"none"}' % (key.algorithm, key.kid)
    return f"{part(head)}.{part(claims())}."


def encrypted(key, token):
    """A token encrypted for the holder of a public key, as anybody can (RFC 7516)."""
    content, iv = AESGCM.generate_key(256), os.urandom(12)
    head = part({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": key.kid})
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    sealed = AESGCM(content).encrypt(iv, token.encode(), head.encode())
    return ".".join([head, b64(key.public.encrypt(content, oaep)), b64(iv), b64(sealed[:-16]), b64(sealed[-16:])])


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
    """x5c is in plain base64, not in that of URLs."""
    return base64.b64encode(raw).decode()


def attacker_key():
    return Key("attacker", "RS256")
