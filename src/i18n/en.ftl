### What callers read, in English. Each message is a problem's title, its attribute `detail` says what happened here.

malformed_json = Body is not JSON
    .detail = The body cannot be read as JSON: { $reason }
unknown_member = Unknown member
    .detail = The body has a member that this operation does not know: { $member }
wrong_type = Wrong type
    .detail = A member of the body has the wrong type: { $reason }
invalid_parameter = Invalid parameter
    .detail = A parameter in the path, the query or a header cannot be used.
unknown_parameter = Unknown parameter
    .detail = This operation does not know the query parameter { $name }.
invalid_cursor = Invalid cursor
    .detail = The cursor does not belong to this list in this order. Begin again without a cursor.
bad_request = Bad request
    .detail = The request cannot be read.
missing_token = Token missing
    .detail = Send a bearer token in the Authorization header.
invalid_token = Token invalid
    .detail = { $reason ->
        [expired] The token has expired.
        [not_yet_valid] The token is not valid yet.
        [issuer] The token's issuer is not accepted.
        [audience] The token is not meant for this service.
       *[other] The token cannot be accepted.
    }
insufficient_scope = Scope missing
    .detail = This operation needs a token with the scope { $scope }.
partner_restricted = Token is limited to one partner
    .detail = A token limited to one business partner has no access to what all partners share.
not_found = Not found
    .detail = There is no such resource.
unknown_route = Unknown route
    .detail = There is no operation at this path.
method_not_allowed = Method not allowed
    .detail = This path does not take this method; allowed: { $allowed }.
integration_inactive = Customer integration is inactive
    .detail = While the customer integration is inactive its configuration can be read, not changed. Activate it first.
integration_incomplete = Customer integration is incomplete
    .detail = An access can be active only while at least one area and one ticket type are granted.
last_area = Last area
    .detail = The last area cannot be removed while accesses are active ({ $active_accesses }).
last_ticket_type = Last ticket type
    .detail = The last ticket type cannot be removed while accesses are active ({ $active_accesses }).
duplicate_email = E-mail address in use
    .detail = Another access already has this e-mail address.
duplicate_contact = Contact in use
    .detail = Another access of this partner already belongs to this contact.
duplicate_name = Name in use
    .detail = Another one in this list already has this name; upper and lower case do not differ.
area_in_use = Area in use
    .detail = Tags are bound to this area ({ $count }): { $names }. Change or delete them first.
limit_reached = Limit reached
    .detail = There cannot be more than { $max } of these.
revision_not_reached = Revision not reached
    .detail = The partner's configuration is at revision { $revision }, before the one that was asked for.
precondition_failed = Precondition failed
    .detail = The resource is not in the state the request expects. Read it again and repeat the change.
body_too_large = Body too large
    .detail = The body is larger than { $max } bytes.
unsupported_media_type = Unsupported media type
    .detail = Send the body uncompressed, as application/json{ $merge_patch ->
        [yes] {" "}or application/merge-patch+json.
       *[no] .
    }
uri_too_long = Address too long
    .detail = Path and query of the request may have { $max } bytes.
headers_too_large = Headers too large
    .detail = All headers of the request together may have { $max } bytes.
too_many_requests = Too many requests
    .detail = You make more requests than you may. Try again in { $seconds } seconds.
request_timeout = Request took too long
    .detail = The body did not arrive in full within { $seconds } seconds.
validation_failed = Validation failed
    .detail = Some members of the body cannot be accepted; see errors.
approver_role = Approver needs another role
    .detail = An approver needs the role editor or dispatcher; the role is { $role }.
unknown_reference = Unknown reference
    .detail = The catalogue has no entry { $id }.
retired_reference = Retired reference
    .detail = The catalogue entry { $id } has been retired and cannot be granted.
area_not_granted = Area not granted
    .detail = The area { $id } is not granted to this partner.
unknown_access = Unknown access
    .detail = There is no such access.
required = Required
    .detail = This must be given and must not be empty.
exactly_one = Exactly one
    .detail = Give exactly one of these: { $allowed }.
too_short = Too short
    .detail = At least { $min } characters are needed.
too_long = Too long
    .detail = At most { $max } are allowed.
out_of_range = Out of range
    .detail = Allowed: { $allowed }.
control_character = Control character
    .detail = Control characters are not allowed.
invalid_id = Invalid id
    .detail = This is not an id.
invalid_email = Invalid e-mail address
    .detail = This is not an e-mail address.
invalid_color = Invalid colour
    .detail = A colour is written #RRGGBB.
unknown_value = Unknown value
    .detail = This is none of the possible values: { $allowed }.
duplicate_value = Duplicate value
    .detail = This value occurs twice.
invalid_time = Invalid time
    .detail = A time is written as in RFC 3339: 2026-11-23T08:00:00Z.
invalid_duration = Invalid duration
    .detail = A duration is positive, at most 100 years, and written as in ISO 8601: P30D.
too_deep = Nested too deep
    .detail = Groups may be nested { $max } deep.
too_many_conditions = Too many conditions
    .detail = A filter may have { $max } conditions.
too_many_values = Too many values
    .detail = At most { $max } values are allowed here.
filter_too_large = Filter too large
    .detail = A filter may have { $max } bytes in its shortest form.
no_area = No area
    .detail = No area is granted.
no_ticket_type = No ticket type
    .detail = No ticket type is granted.
internal_error = Internal error
    .detail = Something went wrong on our side. Tell us the request id { $request_id }.
overloaded = Overloaded
    .detail = The service handles as many requests as it can at the moment. Try again shortly.
storage_full = Storage is full
    .detail = The service has no room to store the change. Nothing was changed. Its operators must make room.
unavailable = Temporarily unavailable
    .detail = The service cannot answer at the moment. Try again shortly.

## How a ticket filter is said. `field-…` is a field's label, its attribute `inline` the same within a sentence.

field-area = Area
    .inline = area
field-ticket_type = Ticket type
    .inline = ticket type
field-status = Status
    .inline = status
field-closure = Closure
    .inline = closure
field-urgency = Urgency
    .inline = urgency
field-impact = Impact
    .inline = impact
field-tag = Tags
    .inline = tags
field-released = Released
    .inline = released
field-confidential = Confidential
    .inline = confidential
field-main_contact = Main contact
    .inline = main contact
field-created_by = Created by
    .inline = creator
field-entry_channel = Entry channel
    .inline = entry channel
field-project = Project
    .inline = project
field-service_contract = Service contract
    .inline = service contract
field-subject = Subject
    .inline = subject
field-reference_number = Reference number
    .inline = reference number
field-created_at = Created at
    .inline = created
operator-in = is one of
operator-not_in = is not one of
operator-any_of = include one of
operator-all_of = include all of
operator-none_of = include none of
operator-is = is
operator-is_self = is the access itself
operator-contains = contains
operator-equals = equals
operator-before = before
operator-after = after
operator-older_than = longer ago than
operator-newer_than = less long ago than
word-open = open
word-in_progress = in progress
word-parked = parked
word-closed = closed
word-completed = completed
word-cancelled = cancelled
word-withdrawn = withdrawn
word-low = low
word-medium = medium
word-high = high
word-true = yes
word-false = no
clause-in = { $field } is { $either }
clause-not_in = { $field } is not { $either }
clause-any_of = { $field } include { $either }
clause-all_of = { $field } include { $both }
clause-none_of = { $count ->
        [one] { $field } do not include { $both }
       *[other] { $field } include none of { $both }
    }
clause-is = { $value ->
        [true] ticket is { $field }
       *[other] ticket is not { $field }
    }
clause-is_self = { $field } is the access itself
clause-contains = { $field } contains { $either }
clause-equals = { $field } is { $either }
clause-before = { $field } before { $either }
clause-after = { $field } after { $either }
clause-older_than = { $field } more than { $both } ago
clause-newer_than = { $field } less than { $both } ago
joined-all = { $left } and { $right }
joined-any = { $left } or { $right }
group-nested = ({ $inner })
group-none = not ({ $inner })
more = { $count } more
sentence = { $text }.
quoted = “{ $text }”
time-pattern = %Y-%m-%d %H:%M:%S UTC
period-years = { $number ->
        [one] { $number } year
       *[other] { $number } years
    }
period-months = { $number ->
        [one] { $number } month
       *[other] { $number } months
    }
period-weeks = { $number ->
        [one] { $number } week
       *[other] { $number } weeks
    }
period-days = { $number ->
        [one] { $number } day
       *[other] { $number } days
    }
period-hours = { $number ->
        [one] { $number } hour
       *[other] { $number } hours
    }
period-minutes = { $number ->
        [one] { $number } minute
       *[other] { $number } minutes
    }
period-seconds = { $number ->
        [one] { $number } second
       *[other] { $number } seconds
    }

## How a step of a decision is said.

step-integration_inactive = { $case ->
        [pass] The customer integration is active.
       *[deny] The customer integration is inactive.
    }
step-business_partner_inactive = { $case ->
        [pass] The business partner is active.
       *[deny] The ERP has retired the business partner.
    }
step-access_inactive = { $case ->
        [pass] The access is active.
       *[deny] The access is inactive.
    }
step-other_business_partner = { $case ->
        [pass] The ticket belongs to this business partner.
       *[deny] The ticket belongs to another business partner.
    }
step-ticket_internal = { $case ->
        [pass] The ticket is not internal.
       *[deny] The ticket is internal, and internal tickets are always hidden.
    }
step-ticket_confidential = { $case ->
        [pass] The ticket is not confidential.
        [main_contact] The ticket is confidential, and the access is its main contact.
        [undetermined] The ticket is confidential, and who its main contact is has not been told.
       *[deny] The ticket is confidential, and the access is not its main contact.
    }
step-area_not_granted = { $case ->
        [pass] The area { $name } is granted.
        [retired] The area { $name } is granted, but the ERP has retired it.
       *[deny] The area { $name } is not granted.
    }
step-excluded_by_global_rule = { $case ->
        [pass] No global exclusion rule matches.
       *[deny] { $count ->
            [one] The global exclusion rule { $rules } hides the ticket.
           *[other] The global exclusion rules { $rules } hide the ticket.
        }
    }
step-excluded_by_global_rule_undetermined = { $count ->
        [one] Whether the global exclusion rule { $rules } matches cannot be told, because a fact is missing; so the ticket is hidden.
       *[other] Whether the global exclusion rules { $rules } match cannot be told, because a fact is missing; so the ticket is hidden.
    }
step-excluded_by_rule = { $case ->
        [pass] No exclusion rule of the business partner matches.
       *[deny] { $count ->
            [one] The exclusion rule { $rules } hides the ticket.
           *[other] The exclusion rules { $rules } hide the ticket.
        }
    }
step-excluded_by_rule_undetermined = { $count ->
        [one] Whether the exclusion rule { $rules } matches cannot be told, because a fact is missing; so the ticket is hidden.
       *[other] Whether the exclusion rules { $rules } match cannot be told, because a fact is missing; so the ticket is hidden.
    }
step-not_own_ticket = { $case ->
        [pass] The access sees all tickets of the business partner.
        [own] The access is the ticket's main contact or creator.
        [undetermined] The access sees only its own tickets, and whether this is one has not been told.
       *[deny] The access sees only its own tickets, and this is none.
    }
step-role_may_not_create = Only editors and dispatchers may create tickets.
step-ticket_type_not_granted = { $case ->
        [retired] The ticket type { $name } is granted, but the ERP has retired it.
       *[deny] The ticket type { $name } is not granted.
    }
step-ticket_type_not_startable = Tickets of the type { $name } cannot be opened in this area.
