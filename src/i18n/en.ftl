### English texts of the API. The message of a problem is its title, the attribute `detail` explains it, and `remedy` says how to resolve it.

malformed_json = Malformed JSON
    .detail = { $reason ->
        [empty] The request body is empty.
        [incomplete] The JSON of the request body is incomplete.
       *[syntax] The request body is not valid JSON (line { $line }, column { $column }).
    }
    .remedy = Send the output of a JSON library, encoded in UTF-8, and compare Content-Length with the bytes sent.
unknown_member = Unknown member
    .detail = The request body has an unknown member: { $member }
    .remedy = Compare the name with the schema of the operation in /docs. Remove the member or correct its name.
wrong_type = Wrong type
    .detail = { $expected ->
        [string] A string is required here.
        [boolean] true or false is required here.
        [integer] An integer is required here.
        [number] A number is required here.
        [list] A list is required here.
        [object] An object is required here.
        [once] The member occurs more than once.
       *[valid] The value has the wrong type.
    }
    .remedy = Compare the value with the schema of the operation in /docs.
invalid_parameter = Invalid parameter
    .detail = A path parameter, query parameter or header is invalid.
    .remedy = See errors: it names the parameter and the reason.
unknown_parameter = Unknown parameter
    .detail = The query parameter { $name } is unknown.
    .remedy = Compare the name with the parameters of the operation in /docs. Names are case-sensitive.
invalid_cursor = Invalid cursor
    .detail = The cursor does not match this list and sort order. Start again without a cursor.
    .remedy = Request the first page again, and use cursors only with the list, the filters and the order they came from.
bad_request = Bad request
    .detail = The request is malformed.
    .remedy = Check the HTTP client and the proxies in between: the request does not conform to HTTP.
missing_token = Missing token
    .detail = Send a bearer token in the Authorization header.
    .remedy = Request an access token from the identity provider and send it with every request.
invalid_token = Invalid token
    .detail = { $reason ->
        [malformed] The token is not a signed JWT of at most 8 KiB, or was sent more than once.
        [type] The token is not an access token (header typ).
        [critical_extension] The token requires an unsupported extension (header crit).
        [sender_constrained] The token is bound to a key of the client (claim cnf), which is not supported.
        [issuer] The token's issuer is not trusted.
        [algorithm] The token is signed with an unsupported algorithm.
        [not_yet_valid] The token is not valid yet.
        [audience] The token was issued for another audience.
        [missing_claim] The token has no claim { $claim }.
        [invalid_claim] The token's claim { $claim } is invalid.
       *[other] The token is invalid.
    }
    .remedy = Request a new access token. If it is rejected too, compare its issuer and audience with the settings of the service.
token_expired = Token expired
    .detail = The token has expired. Get a new one from the identity provider.
    .remedy = Request a new access token from the identity provider, and repeat the request with it.
insufficient_scope = Insufficient scope
    .detail = This operation requires a token with the scope { $scope }.
    .remedy = Request a token with this scope, or have the administrator of the identity provider grant it to the client.
partner_restricted = Token is limited to one business partner
    .detail = A token limited to one business partner cannot access resources shared by all partners.
    .remedy = Use a token without the claim business_partner_id for this operation.
not_found = Not found
    .detail = The resource does not exist.
    .remedy = Check the ids in the path. Resources of other business partners are not found either.
unknown_route = Unknown route
    .detail = There is no operation at this path.
    .remedy = Compare the path with /docs. Paths of the API begin with /api/v1.
method_not_allowed = Method not allowed
    .detail = The path does not support this method. Allowed methods: { $allowed }.
    .remedy = Use one of the methods in the header Allow.
integration_inactive = Customer integration is inactive
    .detail = The configuration of an inactive customer integration is read-only. Activate the customer integration first.
    .remedy = Activate the customer integration with PATCH and active: true, then repeat the request.
integration_incomplete = Customer integration is incomplete
    .detail = Active accesses require at least one granted area and one granted ticket type.
    .remedy = Grant what errors lists, or create the access with active: false.
last_area = Last area
    .detail = The last area cannot be revoked while accesses are active ({ $active_accesses }).
    .remedy = Grant another area first, or deactivate the accesses.
last_ticket_type = Last ticket type
    .detail = The last ticket type cannot be revoked while accesses are active ({ $active_accesses }).
    .remedy = Grant another ticket type first, or deactivate the accesses.
duplicate_email = E-mail address in use
    .detail = Another access already uses this e-mail address.
    .remedy = Find the access with GET /api/v1/accesses?email=… and change it, or use another address.
duplicate_contact = Contact in use
    .detail = Another access of this business partner already belongs to this contact.
    .remedy = Change the access that the contact already has.
duplicate_name = Name in use
    .detail = This name is already used in this list (case-insensitive).
    .remedy = Choose another name, or change the existing entry.
area_in_use = Area in use
    .detail = Tags are limited to this area ({ $count }): { $names }. Change or delete them first.
    .remedy = Limit the tags in references to another area or delete them, then repeat the request.
tag_in_use = Tag in use
    .detail = Active exclusion rules name this tag ({ $count }): { $names }. Change these rules first, or send references=keep.
    .remedy = Change the rules in references first. With references=keep they stay unchanged and no longer match tickets of the renamed tag.
incomplete_order = Incomplete order
    .detail = The order must contain all queries of the business partner. Missing: { $count }. Reload the list.
    .remedy = Reload the list of queries and send all ids in the new order.
limit_reached = Limit reached
    .detail = The limit of { $max } entries has been reached.
    .remedy = Delete or reuse entries that are no longer needed.
revision_not_reached = Revision not reached
    .detail = The business partner's configuration is at revision { $revision }, which is older than the requested one.
    .remedy = Wait until the change with this revision is confirmed, then repeat the request. Revisions belong to one business partner.
precondition_failed = Precondition failed
    .detail = The resource does not meet the request's If-Match or If-None-Match condition. Read it again and repeat the change.
    .remedy = Read the resource again, apply the change to its current state, and send the new ETag.
body_too_large = Body too large
    .detail = The request body must not exceed { $max } bytes.
    .remedy = Split the request into several smaller ones.
unsupported_media_type = Unsupported media type
    .detail = Send the request body uncompressed, as application/json{ $merge_patch ->
        [yes] {" "}or application/merge-patch+json.
       *[no] .
    }
    .remedy = Set Content-Type, and do not compress the body.
uri_too_long = URI too long
    .detail = Path and query string must not exceed { $max } bytes.
    .remedy = Send fewer or shorter query parameters, for example several requests with fewer ids.
headers_too_large = Headers too large
    .detail = The request must not have more than 96 headers, of { $max } bytes in total.
    .remedy = Send fewer cookies and headers, or a smaller token.
too_many_requests = Too many requests
    .detail = Rate limit exceeded. Try again in { $seconds } seconds.
    .remedy = Wait for the seconds in Retry-After. Decide on several tickets in one request, and keep to the limit in the header RateLimit.
too_many_concurrent_requests = Too many concurrent requests
    .detail = Too many requests of this caller are in progress, or their bodies are too large. Try again when some have finished.
    .remedy = Wait for some of the running requests to finish, and send fewer at the same time.
request_timeout = Request timeout
    .detail = The request did not arrive completely within { $seconds } seconds.
    .remedy = Repeat the request. If this happens often, check the network between client and service.
validation_failed = Validation failed
    .detail = Some members of the request body are invalid; see errors.
    .remedy = Correct all members in errors. Each pointer names a place in the request body.
approver_role = Role cannot approve
    .detail = An approver must have the role editor or dispatcher, not { $role }.
    .remedy = Choose the role editor or dispatcher, or set approver to false.
unknown_reference = Unknown reference
    .detail = The catalog has no entry { $id }.
    .remedy = Check the id. The ERP must create the entry in the catalog first.
retired_reference = Retired reference
    .detail = The catalog entry { $id } is retired and cannot be granted.
    .remedy = Choose an active entry, or let the ERP reactivate this one.
area_not_granted = Area not granted
    .detail = The area { $id } is not granted to this business partner.
    .remedy = Grant the area to the business partner first, or choose a granted one.
unknown_access = Unknown access
    .detail = The access does not exist.
    .remedy = Check the id or the e-mail address. Accesses of other business partners are unknown to a limited token.
required = Required
    .detail = A value is required and must not be empty.
    .remedy = Send a value.
exactly_one = Exactly one
    .detail = Provide exactly one of these: { $allowed }.
    .remedy = Send one of these members and omit the others.
too_short = Too short
    .detail = At least { $min } characters are required.
    .remedy = Send a longer value.
too_long = Too long
    .detail = The maximum length is { $max }.
    .remedy = Shorten the value. Characters are counted as Unicode scalar values.
out_of_range = Out of range
    .detail = Allowed range: { $allowed }.
    .remedy = Send a number within the range.
control_character = Control character
    .detail = Control characters are not allowed.
    .remedy = Remove line breaks, tabs and other control characters.
invisible_character = Invisible character
    .detail = The invisible character { $character } is not allowed in names.
    .remedy = Remove the character. It often comes from copying formatted text.
invalid_id = Invalid id
    .detail = { $kind ->
        [erp] An id consists of 1 to { $max } characters: letters A to Z and a to z, digits, and the characters . _ ~ -. It begins with a letter or a digit.
        [uuid] An id of this service is a UUID in lower case with hyphens.
       *[other] This is not a valid id.
    }
    .remedy = Ids of the ERP have 1 to 64 characters of A-Z, a-z, 0-9, '.', '_', '~' and '-', and begin with a letter or a digit. Ids of this service are UUIDs in lower case.
invalid_email = Invalid e-mail address
    .detail = This is not a valid e-mail address.
    .remedy = Send an address such as name@example.com, with an internationalized domain in punycode.
invalid_color = Invalid color
    .detail = Use the format #RRGGBB.
    .remedy = Send six hexadecimal digits, such as #1F77B4.
unknown_value = Unknown value
    .detail = Allowed values: { $allowed }.
    .remedy = Send one of the allowed values. Case matters.
duplicate_value = Duplicate value
    .detail = The value occurs more than once.
    .remedy = Send each value once.
invalid_time = Invalid time
    .detail = Use the RFC 3339 format, such as 2026-11-23T08:00:00Z.
    .remedy = Send date, time and offset, or Z for UTC.
invalid_duration = Invalid duration
    .detail = Use a positive ISO 8601 duration of at most 100 years, such as P30D.
    .remedy = Send a duration such as P2Y, P30D or PT12H.
too_deep = Nested too deeply
    .detail = Groups can be nested at most { $max } levels deep.
    .remedy = Combine groups, or split the filter into several rules or queries.
too_many_conditions = Too many conditions
    .detail = A filter must not have more than { $max } conditions.
    .remedy = Use conditions with several values, or split the filter into several rules or queries.
too_many_values = Too many values
    .detail = At most { $max } values are allowed here.
    .remedy = Send fewer values, or split the request.
too_many_comparisons = Too many comparisons
    .detail = The tags and texts of the tickets, multiplied by the tag values and text conditions of the rules, must not exceed { $max } comparisons. Send fewer tickets.
    .remedy = Send fewer tickets per request, or remove tag values and text conditions from the rules.
filter_too_large = Filter too large
    .detail = A filter must not exceed { $max } bytes in compact JSON.
    .remedy = Split the filter into several rules or queries.
no_area = No area
    .detail = No area is granted.
    .remedy = Grant an area that the ERP has not retired.
no_ticket_type = No ticket type
    .detail = No ticket type is granted.
    .remedy = Grant a ticket type that the ERP has not retired.
internal_error = Internal error
    .detail = An internal error occurred. Report the request id { $request_id } to the operator.
    .remedy = Report the request id to the operator, who finds the cause in the log.
overloaded = Overloaded
    .detail = The service is handling too many requests. Try again shortly.
    .remedy = Repeat the request after the seconds in Retry-After, with increasing delays.
storage_full = Storage is full
    .detail = The storage is full; the change was not saved. Contact the operator.
    .remedy = Inform the operator. Reads still work; repeat the change later.
unavailable = Temporarily unavailable
    .detail = The service is temporarily unavailable. Try again shortly.
    .remedy = Repeat the request after the seconds in Retry-After. A change may have been saved: read the resource first.

## Ticket filters in plain language. `field-…` is a field's label, its attribute `inline` the form used
## inside a summary. `operator-…` labels an operator, `word-…` a value, `clause-…` is a whole condition.

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
operator-older_than = is older than
operator-newer_than = is newer than
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
       *[other] { $field } include neither { $neither }
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
more-conditions = { $count ->
        [one] { $count } more condition
       *[other] { $count } more conditions
    }
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

## Steps of a decision.

step-integration_inactive = { $case ->
        [pass] The customer integration is active.
       *[deny] The customer integration is inactive.
    }
step-business_partner_inactive = { $case ->
        [pass] The business partner is active.
       *[deny] The business partner is retired in the ERP.
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
       *[deny] The ticket is internal. Internal tickets are always hidden.
    }
step-ticket_confidential = { $case ->
        [pass] The ticket is not confidential.
        [main_contact] The ticket is confidential, and the access belongs to its main contact.
        [undetermined] The ticket is confidential, and its main contact was not provided.
       *[deny] The ticket is confidential, and the access does not belong to its main contact.
    }
step-area_not_granted = { $case ->
        [pass] The area { $name } is granted.
        [retired] The area { $name } is granted, but retired in the ERP.
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
        [one] Cannot determine whether the global exclusion rule { $rules } matches because an attribute is missing; the ticket is hidden.
       *[other] Cannot determine whether the global exclusion rules { $rules } match because an attribute is missing; the ticket is hidden.
    }
step-excluded_by_rule = { $case ->
        [pass] No exclusion rule of the business partner matches.
       *[deny] { $count ->
            [one] The exclusion rule { $rules } hides the ticket.
           *[other] The exclusion rules { $rules } hide the ticket.
        }
    }
step-excluded_by_rule_undetermined = { $count ->
        [one] Cannot determine whether the exclusion rule { $rules } matches because an attribute is missing; the ticket is hidden.
       *[other] Cannot determine whether the exclusion rules { $rules } match because an attribute is missing; the ticket is hidden.
    }
step-not_own_ticket = { $case ->
        [pass] The access sees all tickets of the business partner.
        [own] The access belongs to the ticket's main contact or creator.
        [undetermined] The access sees only its own tickets, and the ticket's main contact or creator was not provided.
       *[deny] The access sees only its own tickets, and this is not one of them.
    }
step-ticket_hidden = { $count ->
        [one] The position { $positions } is hidden because the ticket is hidden.
       *[other] The positions { $positions } are hidden because the ticket is hidden.
    }
step-position_internal = { $count ->
        [one] The position { $positions } is internal. Internal positions are always hidden.
       *[other] The positions { $positions } are internal. Internal positions are always hidden.
    }
step-position_internal_undetermined = { $count ->
        [one] Cannot determine whether the position { $positions } is internal because this was not provided; it is hidden.
       *[other] Cannot determine whether the positions { $positions } are internal because this was not provided; they are hidden.
    }
step-not_approver = The access is not an approver.
step-ticket_not_visible = { $case ->
        [undetermined] Cannot determine whether the access may see the ticket because an attribute is missing.
       *[deny] The access may not see the ticket.
    }
step-already_released = { $case ->
        [undetermined] Cannot determine whether the ticket has been released because this was not provided.
       *[deny] The ticket has already been released.
    }
step-role_may_not_create = Only editors and dispatchers may create tickets.
step-ticket_type_not_granted = { $case ->
        [retired] The ticket type { $name } is granted, but retired in the ERP.
       *[deny] The ticket type { $name } is not granted.
    }
step-ticket_type_not_startable = Tickets of the type { $name } cannot be opened in this area.

## Findings of the readiness. `$names` are the first references, quoted.

finding-inactive = The customer integration is inactive.
finding-business_partner_inactive = The business partner is retired in the ERP.
finding-no_area = No available area is granted.
finding-no_ticket_type = No available ticket type is granted.
finding-no_active_access = No access is active.
finding-no_startable_ticket_type = None of the granted ticket types can be opened in a granted area.
finding-approval_without_approver = A ticket type requires approval, but no active access is an approver.
finding-area_fully_excluded = { $count ->
        [one] Exclusion rules hide all tickets of the area { $names }.
       *[other] Exclusion rules hide all tickets of the areas { $names }.
    }
finding-retired_reference = Retired in the ERP, but granted or used in a filter: { $names }.
finding-tag_not_offered = { $count ->
        [one] { $names } uses a tag that this business partner does not have.
       *[other] { $names } use tags that this business partner does not have.
    }
finding-internal_tag_in_query = { $count ->
        [one] The query { $names } uses an internal tag and is therefore not offered to accesses.
       *[other] The queries { $names } use internal tags and are therefore not offered to accesses.
    }

## Why an access is not effective.

ineffective-integration_inactive = The customer integration is inactive.
ineffective-business_partner_inactive = The business partner is retired in the ERP.
ineffective-access_inactive = The access is inactive.

## Entries of the history. `$resource` is the kind of the resource and its name.

history-subject = { $resource } { $name }
history-created = { $kind ->
        [grant] { $resource } granted.
       *[other] { $resource } created.
    }
history-updated = { $resource } changed.
history-deleted = { $kind ->
        [grant] Grant revoked: { $resource }.
       *[other] { $resource } deleted.
    }

## Labels of enumerations: `label-<enumeration>-<value>`.

label-role-observer = Observer
label-role-editor = Editor
label-role-dispatcher = Dispatcher
label-ticket_visibility-own = Own tickets
label-ticket_visibility-partner = All tickets of the business partner
label-language-de = German
label-language-en = English
label-ineffective_reason-integration_inactive = Customer integration inactive
label-ineffective_reason-business_partner_inactive = Business partner retired
label-ineffective_reason-access_inactive = Access inactive
label-finding_code-inactive = Customer integration inactive
label-finding_code-business_partner_inactive = Business partner retired
label-finding_code-no_area = No available area
label-finding_code-no_ticket_type = No available ticket type
label-finding_code-no_active_access = No active access
label-finding_code-no_startable_ticket_type = No ticket type can be opened
label-finding_code-approval_without_approver = Approval without approver
label-finding_code-area_fully_excluded = Area fully excluded
label-finding_code-retired_reference = Retired reference
label-finding_code-tag_not_offered = Unknown tag in filter
label-finding_code-internal_tag_in_query = Internal tag in query
label-rule_scope-partner = Exclusion rule
label-rule_scope-global = Global exclusion rule
label-ticket_type_kind-standard = Standard
label-ticket_type_kind-dynamic = Dynamic
label-ticket_status-open = Open
label-ticket_status-in_progress = In progress
label-ticket_status-parked = Parked
label-ticket_status-closed = Closed
label-ticket_closure-completed = Completed
label-ticket_closure-cancelled = Cancelled
label-ticket_closure-withdrawn = Withdrawn
label-ticket_level-low = Low
label-ticket_level-medium = Medium
label-ticket_level-high = High
label-sort_direction-ascending = Ascending
label-sort_direction-descending = Descending
label-decision_outcome-pass = Passed
label-decision_outcome-deny = Denied
label-decision_outcome-undetermined = Undetermined
label-decision_step-integration_inactive = Customer integration inactive
label-decision_step-business_partner_inactive = Business partner retired
label-decision_step-access_inactive = Access inactive
label-decision_step-other_business_partner = Ticket of another business partner
label-decision_step-ticket_internal = Internal ticket
label-decision_step-ticket_confidential = Confidential ticket
label-decision_step-area_not_granted = Area not granted
label-decision_step-excluded_by_global_rule = Global exclusion rule
label-decision_step-excluded_by_global_rule_undetermined = Global exclusion rule undetermined
label-decision_step-excluded_by_rule = Exclusion rule
label-decision_step-excluded_by_rule_undetermined = Exclusion rule undetermined
label-decision_step-not_own_ticket = Not an own ticket
label-creation_reason-integration_inactive = Customer integration inactive
label-creation_reason-business_partner_inactive = Business partner retired
label-creation_reason-access_inactive = Access inactive
label-creation_reason-role_may_not_create = Role may not create tickets
label-creation_reason-area_not_granted = Area not granted
label-creation_reason-ticket_type_not_granted = Ticket type not granted
label-creation_reason-ticket_type_not_startable = Ticket type cannot be opened in the area
label-approval_reason-integration_inactive = Customer integration inactive
label-approval_reason-business_partner_inactive = Business partner retired
label-approval_reason-access_inactive = Access inactive
label-approval_reason-not_approver = Not an approver
label-approval_reason-ticket_not_visible = Ticket not visible
label-approval_reason-already_released = Already released
label-position_reason-ticket_hidden = Ticket hidden
label-position_reason-position_internal = Internal position
label-position_reason-position_internal_undetermined = Unknown whether internal
label-history_action-created = Created
label-history_action-updated = Changed
label-history_action-deleted = Deleted
label-history_resource-customer_integration = Customer integration
label-history_resource-access = Access
label-history_resource-area = Area
label-history_resource-ticket_type = Ticket type
label-history_resource-tag = Tag
label-history_resource-query = Ticket board query
label-history_resource-query_order = Order of the ticket board queries
label-history_resource-exclusion_rule = Exclusion rule
label-history_resource-plan_board = Plan board
label-history_resource-business_partner = Business partner in the catalog
label-history_resource-catalog_area = Area in the catalog
label-history_resource-catalog_ticket_type = Ticket type in the catalog
label-history_resource-catalog_plan_board = Plan board in the catalog
label-history_aggregate-customer_integration = Customer integration
label-history_aggregate-catalog = Catalog
label-history_aggregate-global_rules = Global exclusion rules

## Lists: `$first` is all items but the last, separated by commas.

list-and = { $count ->
        [2] { $first } and { $last }
       *[other] { $first }, and { $last }
    }
list-or = { $count ->
        [2] { $first } or { $last }
       *[other] { $first }, or { $last }
    }
list-nor = { $count ->
        [2] { $first } nor { $last }
       *[other] { $first }, nor { $last }
    }
