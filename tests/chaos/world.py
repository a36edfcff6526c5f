"""Sample data: partners with grants."""

from support.service import BASE

PARTNERS = [f"K-{n}" for n in range(1, 5)]
# for each writer
TICKET_TYPES = 8


def at(partner):
    return f"{BASE}/customer-integrations/{partner}"


def create_partners(client, writers=0):
    """Creates partners with an area and a ticket type, and ticket types for the writers.

    Idempotent.
    """
    client.must("PUT", f"{BASE}/catalog/areas/netz", {"name": "Netzwerk", "color": "#1F77B4"})
    names = ["anomalie", *(name for number in range(writers) for name in ticket_types(number))]
    for name in names:
        client.must(
            "PUT", f"{BASE}/catalog/ticket-types/{name}", {"name": name, "kind": "standard"}
        )
    for partner in PARTNERS:
        client.must(
            "PUT",
            f"{BASE}/catalog/business-partners/{partner}",
            {"name": f"Partner {partner}", "search_name": "P"},
        )
        client.must("PATCH", at(partner), {"active": True})
        client.must("PUT", f"{at(partner)}/areas/netz")
        client.must("PUT", f"{at(partner)}/ticket-types/anomalie")


def ticket_types(number):
    """Returns the ticket types of a writer."""
    return [f"T-{number}-{n}" for n in range(TICKET_TYPES)]


def access(name):
    """Returns the body for an access that sees all tickets of its partner."""
    email = f"{name}@chaos.example"
    return {
        "first_name": "Ida",
        "last_name": name,
        "email": email,
        "role": "editor",
        "ticket_visibility": "partner",
    }


def decision_request(access_id, partner):
    """Returns a decision request with a ticket that is visible."""
    ticket = {
        "ticket_id": "1",
        "business_partner_id": partner,
        "area_id": "netz",
        "internal": False,
        "confidential": False,
    }
    return {"access_id": access_id, "tickets": [ticket]}
