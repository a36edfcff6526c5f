"""Hand-made tokens: valid ones for every algorithm, and parts for forged ones."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

AUDIENCE, ISSUER = "chaos", "https://chaos.example"
TYPE = "at+jwt"
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
HMAC = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def part(value):
    """Encodes a part of a token: JSON, or a string unchanged."""
    return b64((value if isinstance(value, str) else json.dumps(value)).encode())


class Key:
    """A private key for one algorithm, identified by its `kid`."""

    def __init__(self, kid, algorithm):
        self.kid, self.algorithm = kid, algorithm
        self.private = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "PS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }[algorithm]()

    @property
    def public(self):
        return self.private.public_key()

    def sign(self, message, algorithm=None):
        match algorithm or self.algorithm:
            case "RS256":
                return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
            case "PS256":
                return self.private.sign(message, PSS, hashes.SHA256())
            case "ES256":
                pair = utils.decode_dss_signature(
                    self.private.sign(message, ec.ECDSA(hashes.SHA256()))
                )
                return b"".join(value.to_bytes(32, "big") for value in pair)
            case _:
                return self.private.sign(message)

    def jwk(self):
        """Returns the public key as a member of a key set."""
        common = {"kid": self.kid, "alg": self.algorithm, "use": "sig"}
        if self.algorithm in ("RS256", "PS256"):
            numbers = self.public.public_numbers()
            return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **common}
        if self.algorithm == "ES256":
            numbers = self.public.public_numbers()
            return {
                "kty": "EC",
                "crv": "P-256",
                "x": number(numbers.x, 32),
                "y": number(numbers.y, 32),
                **common,
            }
        raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), **common}

    def public_as(self, encoding, form):
        return self.public.public_bytes(encoding, form)

    def token(self, header=None, payload=None, algorithm=None):
        """Returns a signed token. `header` and `payload` replace members; None removes one."""
        algorithm = algorithm or self.algorithm
        signed = unsigned({"kid": self.kid, **(header or {})}, payload, algorithm)
        return f"{signed}.{b64(self.sign(signed.encode(), algorithm))}"


def key_set(*keys):
    return json.dumps({"keys": [key.jwk() for key in keys]})


def changed(members, changes):
    merged = {**members, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def claims(changes=None):
    """Returns the claims of a valid token with changes."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "tester",
        "exp": int(time.time()) + 600,
        "scope": "catalog:read integration:read",
    }
    return changed(good, changes)


def unsigned(header, payload, algorithm):
    merged = changed({"alg": algorithm, "typ": TYPE}, header)
    return f"{part(merged)}.{part(payload if isinstance(payload, str) else claims(payload))}"


def with_hmac(secret, header=None, payload=None, algorithm="HS256"):
    """Returns a token signed with a shared secret, real or forged."""
    signed = unsigned(header, payload, algorithm)
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), HMAC[algorithm]).digest())}"
