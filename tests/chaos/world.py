"""Partners to write for, as the ERP tells of them."""

from support.service import BASE

PARTNERS = [f"K-{n}" for n in range(1, 5)]
# so many each, for every writer its own
TICKET_TYPES = 8


def at(partner):
    return f"{BASE}/customer-integrations/{partner}"


def furnish(client, writers=0):
    """Four partners with an area and a ticket type each, and ticket types that writers may grant. Safe to repeat."""
    client.must("PUT", f"{BASE}/catalog/areas/netz", {"name": "Netzwerk", "color": "#1F77B4"})
    names = ["anomalie", *(it for number in range(writers) for it in ticket_types(number))]
    for name in names:
        client.must("PUT", f"{BASE}/catalog/ticket-types/{name}", {"name": name, "kind": "standard"})
    for partner in PARTNERS:
        client.must(
            "PUT", f"{BASE}/catalog/business-partners/{partner}", {"name": f"Partner {partner}", "search_name": "P"}
        )
        client.must("PATCH", at(partner), {"active": True})
        client.must("PUT", f"{at(partner)}/areas/netz")
        client.must("PUT", f"{at(partner)}/ticket-types/anomalie")


def ticket_types(number):
    """The ticket types of one writer."""
    return [f"T-{number}-{n}" for n in range(TICKET_TYPES)]


def access(name):
    """A new access that sees all tickets of its partner."""
    email = f"{name}@faults.example"
    return {"first_name": "Ida", "last_name": name, "email": email, "role": "editor", "ticket_visibility": "partner"}


def question(access_id, partner):
    """A question that the access answers with yes."""
    ticket = {
        "ticket_id": "1",
        "business_partner_id": partner,
        "area_id": "netz",
        "internal": False,
        "confidential": False,
    }
    return {"access_id": access_id, "tickets": [ticket]}
