"""Hooks for rules that the OpenAPI document cannot express, and repairs of the data during fuzzing.

A failure is dropped only if the codes and pointers of the response identify a rule that JSON Schema
cannot express.
"""

import json
import os
import pathlib
import re
import zlib

import jsonschema_rs
import requests
import schemathesis
from schemathesis.specs.openapi.checks import AcceptedNegativeData, RejectedPositiveData

TOKEN = os.environ["TOKEN"]
DOCUMENT = json.loads(
    (pathlib.Path(__file__).resolve().parents[2] / "openapi/openapi.json").read_text()
)
PARAMETERS = {
    operation["operationId"]: operation["parameters"]
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
}
# The fields of filters, from the service, and a value of each kind that is not an enum.
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
FIELDS = requests.get(
    f"{os.environ['BASE']}/api/v1/ticket-fields", headers=HEADERS, timeout=20
).json()["items"]
FIELDS = {field["field"]: field for field in FIELDS}
VALUES = {
    "area_id": ["netz"],
    "ticket_type_id": ["anomalie"],
    "tag_name": ["VPN"],
    "boolean": ["true"],
    "contact_id": ["P-77"],
    "access_id": ["019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"],
    "erp_id": ["P-1"],
    "text": ["Einwahl"],
    "time": ["2026-11-23T08:00:00Z"],
    "duration": ["P2Y"],
}
FILTER = r"/filter(/filters/\d+)*"
# (pointer, codes) of rejected requests that are valid by the document
BEYOND_SCHEMA = [
    # a cursor is opaque, and valid for its list and order only
    (r"cursor", {"invalid_cursor"}),
    # references must exist, which depends on the state of the catalog and the partner
    (r"/.*", {"unknown_reference", "retired_reference", "unknown_access", "area_not_granted"}),
    # an access is given by its id or its e-mail address; either may be `null`
    (r"/access_id", {"exactly_one"}),
    # operators and values of a field are listed by GET /ticket-fields
    (FILTER + r"/operator", {"unknown_value"}),
    (FILTER + r"/values", {"required", "too_many_values"}),
    (
        FILTER + r"/values/\d+",
        {
            "control_character",
            "duplicate_value",
            "invalid_duration",
            "invalid_id",
            "invalid_time",
            "required",
            "too_long",
            "unknown_value",
        },
    ),
    # an observer cannot approve
    (r"/approver", {"approver_role"}),
    # depth and size of a filter
    (FILTER, {"too_deep", "too_many_conditions", "filter_too_large"}),
    # not every field can be a column or a sort key, and none twice
    (r"/columns/\d+", {"unknown_value"}),
    (r"/sort/\d+(/field)?", {"unknown_value", "duplicate_value"}),
]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Removes the pattern of conditional headers: schemathesis strips the quotes of `"3"` before it
    matches, finds no valid value, and sends the number 0 as valid. `fits_document` uses the
    pattern nevertheless.

    Removes the second media type of patches, except for one operation, because it doubles the
    requests.
    """
    for item in raw_schema["paths"].values():
        for operation in item.values():
            if (
                operation["operationId"].startswith("update_")
                and operation["operationId"] != "update_tag"
            ):
                operation["requestBody"]["content"].pop("application/merge-patch+json")
            for parameter in operation["parameters"]:
                if parameter["name"].startswith("If-"):
                    parameter["schema"].pop("pattern")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure is real."""
    if isinstance(failure, RejectedPositiveData):
        return fits_document(case) and not is_rejected_correctly(case, response)
    if isinstance(failure, AcceptedNegativeData):
        return not fits_when_trimmed(case.body) and not fits_another_email(case.body)
    return True


def fits_document(case):
    """Whether headers and query parameters are valid.

    Schemathesis sometimes generates invalid ones as valid.
    """
    containers = {"header": case.headers, "query": case.query}
    for parameter in PARAMETERS[case.operation.definition.raw["operationId"]]:
        sent = (containers.get(parameter["in"]) or {}).get(parameter["name"])
        schema = parameter["schema"]
        if (
            isinstance(sent, str)
            and schema.get("type") == "string"
            and not jsonschema_rs.is_valid(schema, sent)
        ):
            return False
    return True


def is_rejected_correctly(case, response):
    # the request is valid, but its condition does not hold
    if response.status_code == 412:
        return True
    errors = response.json().get("errors", []) if response.status_code in (400, 422) else []
    return bool(errors) and all(is_beyond_schema(case, error) for error in errors)


def is_beyond_schema(case, error):
    return is_whole_number(case, error) or any(
        re.fullmatch(pointer, error["pointer"]) and error["code"] in codes
        for pointer, codes in BEYOND_SCHEMA
    )


def is_whole_number(case, error):
    """In JSON Schema 3.0 is an integer; the service rejects it, and no client sends it."""
    name = error["pointer"].removeprefix("/")
    return (
        error["code"] == "wrong_type"
        and isinstance(case.body, dict)
        and isinstance(case.body.get(name), float)
    )


def fits_when_trimmed(body):
    """The service trims texts before it checks their length, `maxLength` includes the spaces."""
    if isinstance(body, dict):
        return any(map(fits_when_trimmed, body.values()))
    return isinstance(body, str) and len(body) > 100 >= len(body.strip()) > 0


def fits_another_email(body):
    """`format: email` follows RFC 5321.

    The pattern and the service follow HTML, where `.a@b` is valid.
    """
    email = body.get("email") if isinstance(body, dict) else None
    pattern = DOCUMENT["components"]["schemas"]["AccessCreate"]["properties"]["email"]["pattern"]
    strict = jsonschema_rs.validator_for({"format": "email"}, validate_formats=True)
    return (
        isinstance(email, str)
        and re.fullmatch(pattern, email) is not None
        and not strict.is_valid(email)
    )


@schemathesis.hook
def map_case(context, case):
    """Repairs bodies that should be valid.

    The document cannot express which operators a field has, and random ones hardly ever match.
    """
    if case.meta and case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        body = case.body
        repair_filter(body.get("filter"))
        if isinstance(body.get("columns"), list):
            body["columns"] = [field for field in body["columns"] if FIELDS[field]["column"]] or [
                "subject"
            ]
        if isinstance(body.get("sort"), list):
            body["sort"] = [step for step in body["sort"] if FIELDS[step["field"]]["sortable"]][:1]
        if isinstance(body.get("contact_id"), str) and "email" in body:
            body["contact_id"] = f"P-{zlib.crc32(body['email'].encode())}"
        if "query_ids" in body:
            body["query_ids"] = query_ids(case.path_parameters["business_partner_id"])
    return case


def query_ids(partner):
    """Returns the ids of all queries of a partner, which a new order must contain."""
    path = f"/api/v1/customer-integrations/{partner}/queries?limit=200"
    response = requests.get(f"{os.environ['BASE']}{path}", headers=HEADERS, timeout=20)
    return [query["id"] for query in response.json().get("items", [])]


def repair_filter(node):
    if not isinstance(node, dict):
        return
    for inner in node.get("filters", []):
        repair_filter(inner)
    if node.get("type") == "condition":
        field = FIELDS[node["field"]]
        allowed = {op["operator"]: op for op in field["operators"] if not op["queries_only"]}
        operator = allowed.get(node["operator"]) or next(iter(allowed.values()))
        node["operator"] = operator["operator"]
        node["values"] = VALUES.get(operator["value_kind"]) or [field["values"][0]["value"]]


@schemathesis.hook
def after_call(context, case, response):
    """Reactivates integrations and catalog entries, because otherwise all later requests are
    rejected.
    """
    sent = case.body if isinstance(case.body, dict) else {}
    if response.status_code not in (200, 201) or sent.get("active") is not False:
        return
    operation = case.operation.definition.raw["operationId"]
    if operation == "update_customer_integration":
        repair("PATCH", response, {"active": True})
    elif operation.startswith("put_catalog_"):
        repair("PUT", response, {**sent, "active": True})


def repair(method, response, body):
    response = requests.request(
        method, response.request.url.split("?")[0], json=body, headers=HEADERS, timeout=20
    )
    assert response.status_code == 200, (
        f"{method} {response.url}: {response.status_code} {json.dumps(response.text)}"
    )
