"""The scenario of tests/generated_clients with the generated Python client.

Scenario.ts and Scenario.java do the same.
"""

import os
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

from customer_integration_client import AuthenticatedClient
from customer_integration_client.api.accesses import create_access, get_access, update_access
from customer_integration_client.api.areas import delete_area, put_area
from customer_integration_client.api.customer_integrations import update_customer_integration
from customer_integration_client.api.decisions import (
    decide_ticket_approval,
    decide_ticket_creation,
    decide_ticket_visibility,
)
from customer_integration_client.api.exclusion_rules import create_exclusion_rule
from customer_integration_client.api.history import list_history
from customer_integration_client.api.tags import create_tag, delete_tag, get_tag, list_tags
from customer_integration_client.api.ticket_types import put_ticket_type
from customer_integration_client.models import (
    Access,
    AccessCreate,
    AccessPatch,
    Action,
    ApprovalReason,
    CreationReason,
    CustomerIntegrationPatch,
    DecisionStep,
    ExclusionRuleCreate,
    Field,
    FindingCode,
    IneffectiveReason,
    KnownProblemCode,
    Language,
    ListTagsSort,
    Operator,
    Outcome,
    Problem,
    ResourceKind,
    Role,
    Step,
    Tag,
    TagCreate,
    Ticket,
    TicketApprovalQuestion,
    TicketCreationAnswer,
    TicketCreationQuestion,
    TicketFilterCondition,
    TicketFilterConditionType,
    TicketFilterGroup,
    TicketFilterGroupType,
    TicketStatusType0,
    TicketTypeGrantPut,
    TicketTypeKind,
    TicketVisibility,
    TicketVisibilityQuestion,
)
from customer_integration_client.types import UNSET, Response, Unset

T = TypeVar("T")
PARTNER = "K-1002"
passed = 0
client = AuthenticatedClient(
    os.environ["SERVICE"], os.environ["TOKEN"], raise_on_unexpected_status=True
)


def step(title: str) -> None:
    print(f"python: {title}", flush=True)


def equal(what: str, actual: object, expected: object) -> None:
    global passed
    if actual != expected or type(actual) is not type(expected):
        raise SystemExit(f"python: {what}: expected {expected!r}, got {actual!r}")
    passed += 1


def succeeded(response: Response[T | Problem], status: HTTPStatus) -> T:
    """Returns the body of a successful response."""
    if (
        response.status_code != status
        or isinstance(response.parsed, Problem)
        or response.parsed is None
    ):
        raise SystemExit(
            f"python: expected {status}, got {response.status_code}: {response.parsed}"
        )
    return response.parsed


def refused(response: Response[T | Problem], status: HTTPStatus) -> Problem:
    """Returns the problem of a rejected request."""
    if response.status_code != status or not isinstance(response.parsed, Problem):
        raise SystemExit(
            f"python: expected a problem {status}, got {response.status_code}: {response.parsed}"
        )
    return response.parsed


def activate() -> None:
    step("activate; rejected before")
    early = refused(put_area.sync_detailed(PARTNER, "netz", client=client), HTTPStatus.CONFLICT)
    equal("code", early.code, KnownProblemCode.INTEGRATION_INACTIVE)
    equal("instance", early.instance, "/api/v1/customer-integrations/K-1002/areas/netz")
    body = CustomerIntegrationPatch(active=True)
    active = succeeded(
        update_customer_integration.sync_detailed(PARTNER, client=client, body=body), HTTPStatus.OK
    )
    equal("active", active.active, True)
    equal("name", active.business_partner.name, "Bäckerei Sonnenschein e. K.")
    blockers = [finding.code for finding in active.readiness.blockers]
    equal(
        "blockers",
        blockers,
        [FindingCode.NO_AREA, FindingCode.NO_TICKET_TYPE, FindingCode.NO_ACTIVE_ACCESS],
    )


def grant() -> None:
    step("grant an area and a ticket type")
    area = succeeded(put_area.sync_detailed(PARTNER, "netz", client=client), HTTPStatus.CREATED)
    equal("area", [area.area_id, area.name, area.available], ["netz", "Netzwerk", True])
    equal("start ticket types", area.start_ticket_types, ["anomalie", "rueckruf"])
    equal(
        "version",
        succeeded(put_area.sync_detailed(PARTNER, "netz", client=client), HTTPStatus.OK).version,
        1,
    )
    only = put_area.sync_detailed(PARTNER, "netz", client=client, if_none_match="*")
    precondition = refused(only, HTTPStatus.PRECONDITION_FAILED)
    equal("code", precondition.code, KnownProblemCode.PRECONDITION_FAILED)
    body = TicketTypeGrantPut(approval_required=True)
    granted = put_ticket_type.sync_detailed(PARTNER, "anomalie", client=client, body=body)
    ticket_type = succeeded(granted, HTTPStatus.CREATED)
    equal("ticket type", [ticket_type.name, ticket_type.approval_required], ["Anomalie", True])
    equal("kind", ticket_type.kind, TicketTypeKind.STANDARD)


def add_access() -> tuple[UUID, str]:
    step("create an access")
    body = AccessCreate(
        "Änne", "Schäfer", "Aenne.Schaefer@sonnenschein.example", contact_id="P-1", role=Role.EDITOR
    )
    response = create_access.sync_detailed(PARTNER, client=client, body=body)
    access = succeeded(response, HTTPStatus.CREATED)
    equal(
        "Location",
        response.headers["Location"],
        f"/api/v1/customer-integrations/K-1002/accesses/{access.id}",
    )
    equal("email", access.email, "aenne.schaefer@sonnenschein.example")
    equal("first name", access.first_name, "Änne")
    equal("contact", access.contact_id, "P-1")
    defaults = [access.language, access.ticket_visibility, access.approver]
    equal("defaults", defaults, [Language.DE, TicketVisibility.OWN, False])
    equal("effective", [access.effective, access.ineffective_reasons], [True, []])
    return access.id, response.headers["ETag"]


def patch_access(access_id: UUID, etag: str) -> None:
    step("patch with If-Match: absent members stay, null clears")

    def patch(if_match: str, body: AccessPatch) -> Response[Access | Problem]:
        return update_access.sync_detailed(
            PARTNER, access_id, client=client, if_match=if_match, body=body
        )

    first = patch(etag, AccessPatch(ticket_visibility=TicketVisibility.PARTNER))
    changed = succeeded(first, HTTPStatus.OK)
    equal("changed", [changed.ticket_visibility, changed.version], [TicketVisibility.PARTNER, 2])
    equal("absent members stay", [changed.contact_id, changed.role], ["P-1", Role.EDITOR])
    second = patch(first.headers["ETag"], AccessPatch(contact_id=None))
    cleared = succeeded(second, HTTPStatus.OK)
    equal("null clears", [cleared.contact_id, cleared.version], [None, 3])
    equal(
        "the rest stays",
        [cleared.ticket_visibility, cleared.role],
        [TicketVisibility.PARTNER, Role.EDITOR],
    )

    step("412 with an old ETag")
    stale = patch(etag, AccessPatch(role=Role.DISPATCHER))
    precondition = refused(stale, HTTPStatus.PRECONDITION_FAILED)
    equal("code", precondition.code, KnownProblemCode.PRECONDITION_FAILED)
    current = precondition.current
    equal("current version", current.version if current else None, 3)
    retried = succeeded(
        patch(stale.headers["ETag"], AccessPatch(role=Role.EDITOR)), HTTPStatus.OK
    )
    equal("current ETag", retried.version, 3)
    unchanged = succeeded(
        get_access.sync_detailed(PARTNER, access_id, client=client), HTTPStatus.OK
    )
    equal(
        "nothing was written",
        [unchanged.role, unchanged.version, unchanged.contact_id],
        [Role.EDITOR, 3, None],
    )


def conflicts() -> None:
    step("409 and 422 with details")

    def create(last_name: str, email: str) -> Response[Access | Problem]:
        body = AccessCreate("Ida", last_name, email)
        return create_access.sync_detailed(PARTNER, client=client, body=body)

    duplicate = refused(create("Muster", "aenne.schaefer@sonnenschein.example"), HTTPStatus.CONFLICT)
    equal("code", duplicate.code, KnownProblemCode.DUPLICATE_EMAIL)
    last = refused(delete_area.sync_detailed(PARTNER, "netz", client=client), HTTPStatus.CONFLICT)
    equal("code", [last.code, last.type_], [KnownProblemCode.LAST_AREA, "/problems/last_area"])
    invalid = refused(create("", "ida"), HTTPStatus.UNPROCESSABLE_ENTITY)
    equal("code", invalid.code, KnownProblemCode.VALIDATION_FAILED)
    equal("pointers", sorted(error.pointer for error in invalid.errors), ["/email", "/last_name"])


def condition(field: Field, operator: Operator, value: str) -> TicketFilterCondition:
    return TicketFilterCondition(TicketFilterConditionType.CONDITION, field, operator, [value])


def exclude_tickets() -> None:
    step("an exclusion rule with a nested filter")
    either = TicketFilterGroup(
        TicketFilterGroupType.ANY,
        [
            condition(Field.STATUS, Operator.IN, "closed"),
            condition(Field.TAG, Operator.ANY_OF, "Personal"),
        ],
    )
    both = TicketFilterGroup(
        TicketFilterGroupType.ALL, [condition(Field.AREA, Operator.IN, "netz"), either]
    )
    body = ExclusionRuleCreate("Altfälle", both)
    rule = succeeded(
        create_exclusion_rule.sync_detailed(PARTNER, client=client, body=body), HTTPStatus.CREATED
    )
    equal("filter", rule.filter_.to_dict(), both.to_dict())
    # the discriminator selects the type
    inner = rule.filter_.filters[1] if isinstance(rule.filter_, TicketFilterGroup) else None
    leaf = inner.filters[0] if isinstance(inner, TicketFilterGroup) else None
    equal("leaf", leaf.field if isinstance(leaf, TicketFilterCondition) else None, Field.STATUS)


def ticket(
    ticket_id: str, status: TicketStatusType0 | None | Unset, internal: bool = False
) -> Ticket:
    return Ticket(ticket_id, PARTNER, "netz", internal, False, status=status, tags=[])


def decide(access_id: UUID) -> None:
    step("ticket visibility: visible, hidden, with explanation")
    tickets = [
        ticket("open", TicketStatusType0.OPEN),
        ticket("closed", TicketStatusType0.CLOSED, internal=True),
        ticket("unknown", UNSET),
        ticket("none", None),
    ]
    body = TicketVisibilityQuestion(tickets, access_id=access_id, explain=True)
    response = succeeded(
        decide_ticket_visibility.sync_detailed(client=client, body=body), HTTPStatus.OK
    )
    visible = {decision.ticket_id: decision.visible for decision in response.decisions}
    equal("visible", visible, {"open": True, "closed": False, "unknown": False, "none": True})

    def steps(index: int) -> list[DecisionStep]:
        all_steps = response.decisions[index].steps
        if isinstance(all_steps, Unset) or all_steps is None:
            raise SystemExit("python: no steps despite explain=true")
        return [each for each in all_steps if each.outcome != Outcome.PASS]

    equal("no step denies", steps(0), [])
    equal("hidden", [each.code for each in steps(1)], [Step.TICKET_INTERNAL, Step.EXCLUDED_BY_RULE])
    equal("the rule", [source.name for source in steps(1)[1].sources], ["Altfälle"])
    undetermined = [(each.code, each.outcome) for each in steps(2)]
    equal("unknown", undetermined, [(Step.EXCLUDED_BY_RULE_UNDETERMINED, Outcome.UNDETERMINED)])

    step("ticket creation")

    def create(ticket_type: str) -> TicketCreationAnswer:
        request = TicketCreationQuestion("netz", ticket_type, access_id=access_id)
        return succeeded(
            decide_ticket_creation.sync_detailed(client=client, body=request), HTTPStatus.OK
        )

    may = create("anomalie")
    equal("allowed", [may.allowed, may.approval_required, may.reasons], [True, True, []])
    may_not = create("eintritt")
    equal("not allowed", may_not.allowed, False)
    expected = [CreationReason.TICKET_TYPE_NOT_GRANTED, CreationReason.TICKET_TYPE_NOT_STARTABLE]
    equal("reasons", [reason.code for reason in may_not.reasons], expected)


def decide_approval(access_id: UUID) -> None:
    step("ticket approval")
    request = TicketApprovalQuestion(
        ticket("open", TicketStatusType0.OPEN), access_id=access_id
    )
    response = succeeded(
        decide_ticket_approval.sync_detailed(client=client, body=request), HTTPStatus.OK
    )
    equal("allowed", response.allowed, False)
    # the ticket omits `released`, so it is unknown
    expected = [
        (ApprovalReason.NOT_APPROVER, Outcome.DENY),
        (ApprovalReason.ALREADY_RELEASED, Outcome.UNDETERMINED),
    ]
    equal("reasons", [(reason.code, reason.outcome) for reason in response.reasons], expected)


def pages() -> list[UUID]:
    step("page through a list")
    for name in ["Drucker", "Arbeitsplatz", "VPN", "Cloud", "Büro"]:
        succeeded(
            create_tag.sync_detailed(PARTNER, client=client, body=TagCreate(name)),
            HTTPStatus.CREATED,
        )
    sizes: list[int] = []
    tags: list[Tag] = []
    cursor: str | None | Unset = UNSET
    while cursor is not None:
        response = list_tags.sync_detailed(
            PARTNER, client=client, limit=2, sort=ListTagsSort.NAME, cursor=cursor
        )
        page = succeeded(response, HTTPStatus.OK)
        sizes.append(len(page.items))
        tags += page.items
        cursor = page.next_cursor
    equal("pages", sizes, [2, 2, 1])
    equal("names", [tag.name for tag in tags], ["Arbeitsplatz", "Büro", "Cloud", "Drucker", "VPN"])
    equal("everywhere", [tag.area_id for tag in tags], [None] * 5)
    return [tag.id for tag in tags]


def history() -> None:
    step("the history")
    [entry] = succeeded(
        list_history.sync_detailed(PARTNER, client=client, limit=1), HTTPStatus.OK
    ).items
    equal(
        "entry",
        [entry.resource, entry.action, entry.subject],
        [ResourceKind.TAG, Action.CREATED, "demo"],
    )
    equal("before and after", [entry.before, entry.after and entry.after["name"]], [None, "Büro"])


def delete_all(access_id: UUID, tags: list[UUID]) -> None:
    step("delete")
    for tag in tags:
        equal(
            "deleted",
            delete_tag.sync_detailed(PARTNER, tag, client=client).status_code,
            HTTPStatus.NO_CONTENT,
        )
    gone = refused(get_tag.sync_detailed(PARTNER, tags[0], client=client), HTTPStatus.NOT_FOUND)
    equal("code", gone.code, KnownProblemCode.NOT_FOUND)

    def switch(active: bool) -> Response[Access | Problem]:
        return update_access.sync_detailed(
            PARTNER, access_id, client=client, body=AccessPatch(active=active)
        )

    inactive = succeeded(switch(False), HTTPStatus.OK)
    equal("ineffective", inactive.ineffective_reasons, [IneffectiveReason.ACCESS_INACTIVE])
    # a filter may reference a revoked area
    removed = delete_area.sync_detailed(PARTNER, "netz", client=client)
    equal("no body", [removed.status_code, removed.content], [HTTPStatus.NO_CONTENT, b""])
    incomplete = refused(switch(True), HTTPStatus.CONFLICT)
    equal("code", incomplete.code, KnownProblemCode.INTEGRATION_INCOMPLETE)
    equal("what is missing", [error.code for error in incomplete.errors], ["no_area"])


def unknown_code() -> None:
    step("a problem code that was added after the client was generated")
    gone = refused(
        get_tag.sync_detailed(PARTNER, UUID(int=0), client=client), HTTPStatus.NOT_FOUND
    )
    later = Problem.from_dict(gone.to_dict() | {"code": "added_later"})
    equal("unknown code", later.code, "added_later")
    equal("serialized", later.to_dict()["code"], "added_later")


def main() -> None:
    activate()
    grant()
    access_id, etag = add_access()
    patch_access(access_id, etag)
    conflicts()
    exclude_tickets()
    decide(access_id)
    decide_approval(access_id)
    tags = pages()
    history()
    delete_all(access_id, tags)
    unknown_code()
    print(f"python: {passed} checks passed")


if __name__ == "__main__":
    main()
