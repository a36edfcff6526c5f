import customer_integration.api.AccessesApi;
import customer_integration.api.AreasApi;
import customer_integration.api.CustomerIntegrationsApi;
import customer_integration.api.DecisionsApi;
import customer_integration.api.ExclusionRulesApi;
import customer_integration.api.HistoryApi;
import customer_integration.api.TagsApi;
import customer_integration.api.TicketTypesApi;
import customer_integration.client.ApiClient;
import customer_integration.client.ApiException;
import customer_integration.client.ApiResponse;
import customer_integration.model.*;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** The scenario of tests/generated_clients with the generated Java client. scenario.ts and scenario.py do the same. */
public final class Scenario {
  private static final String PARTNER = "K-1002";

  private final Checks checks;
  private final AccessesApi accesses;
  private final AreasApi areas;
  private final CustomerIntegrationsApi integrations;
  private final DecisionsApi decisions;
  private final ExclusionRulesApi rules;
  private final HistoryApi history;
  private final TagsApi tags;
  private final TicketTypesApi ticketTypes;

  private Scenario(ApiClient client) {
    checks = new Checks(client.getObjectMapper());
    accesses = new AccessesApi(client);
    areas = new AreasApi(client);
    integrations = new CustomerIntegrationsApi(client);
    decisions = new DecisionsApi(client);
    rules = new ExclusionRulesApi(client);
    history = new HistoryApi(client);
    tags = new TagsApi(client);
    ticketTypes = new TicketTypesApi(client);
  }

  private ApiResponse<AreaGrant> putArea(String ifNoneMatch) throws ApiException {
    return areas.putAreaWithHttpInfo(PARTNER, "netz", null, ifNoneMatch, null);
  }

  private void activate() throws Exception {
    Checks.step("activate; rejected before");
    Problem early = checks.refused(() -> putArea(null), 409).problem();
    checks.equal("code", Checks.code(early), "integration_inactive");
    checks.equal("instance", early.getInstance().toString(), "/api/v1/customer-integrations/K-1002/areas/netz");
    CustomerIntegrationPatch body = new CustomerIntegrationPatch().active(true);
    CustomerIntegration active =
        Checks.succeeded(integrations.updateCustomerIntegrationWithHttpInfo(PARTNER, body, null, null, null), 200);
    checks.equal("active", active.getActive(), true);
    checks.equal("name", active.getBusinessPartner().getName(), "Bäckerei Sonnenschein e. K.");
    List<FindingCode> blockers = active.getReadiness().getBlockers().stream().map(Finding::getCode).toList();
    checks.equal("blockers", blockers, List.of(FindingCode.NO_AREA, FindingCode.NO_TICKET_TYPE, FindingCode.NO_ACTIVE_ACCESS));
  }

  private void grant() throws Exception {
    Checks.step("grant an area and a ticket type");
    AreaGrant area = Checks.succeeded(putArea(null), 201);
    checks.equal("area", List.of(area.getAreaId(), area.getName(), area.getAvailable()), List.of("netz", "Netzwerk", true));
    checks.equal("start ticket types", area.getStartTicketTypes(), List.of("anomalie", "rueckruf"));
    checks.equal("version", Checks.succeeded(putArea(null), 200).getVersion(), 1L);
    checks.equal("code", Checks.code(checks.refused(() -> putArea("*"), 412).problem()), "precondition_failed");
    TicketTypeGrantPut body = new TicketTypeGrantPut().approvalRequired(true);
    TicketTypeGrant ticketType =
        Checks.succeeded(ticketTypes.putTicketTypeWithHttpInfo(PARTNER, "anomalie", null, null, null, body), 201);
    checks.equal("ticket type", List.of(ticketType.getName(), ticketType.getApprovalRequired()), List.of("Anomalie", true));
    checks.equal("kind", ticketType.getKind(), TicketTypeKind.STANDARD);
  }

  private ApiResponse<Access> createAccess() throws ApiException {
    Checks.step("create an access");
    AccessCreate body = new AccessCreate().firstName("Änne").lastName("Schäfer").email("Aenne.Schaefer@sonnenschein.example");
    body.contactId("P-1").role(Role.EDITOR);
    ApiResponse<Access> response = accesses.createAccessWithHttpInfo(PARTNER, body, null);
    Access access = Checks.succeeded(response, 201);
    checks.equal("Location", Checks.header(response, "location"), "/api/v1/customer-integrations/K-1002/accesses/" + access.getId());
    checks.equal("email", access.getEmail(), "aenne.schaefer@sonnenschein.example");
    checks.equal("first name", access.getFirstName(), "Änne");
    checks.equal("contact", access.getContactId(), "P-1");
    List<Object> defaults = List.of(access.getLanguage(), access.getTicketVisibility(), access.getApprover());
    checks.equal("defaults", defaults, List.of(Language.DE, TicketVisibility.OWN, false));
    checks.equal("effective", List.of(access.getEffective(), access.getIneffectiveReasons()), List.of(true, List.of()));
    return response;
  }

  private ApiResponse<Access> patch(UUID id, String ifMatch, AccessPatch body) throws ApiException {
    return accesses.updateAccessWithHttpInfo(PARTNER, id, body, ifMatch, null, null);
  }

  private void patchAccess(UUID id, String etag) throws Exception {
    Checks.step("patch with If-Match: absent members stay, null clears");
    ApiResponse<Access> first = patch(id, etag, new AccessPatch().ticketVisibility(TicketVisibility.PARTNER));
    Access changed = Checks.succeeded(first, 200);
    checks.equal("changed", List.of(changed.getTicketVisibility(), changed.getVersion()), List.of(TicketVisibility.PARTNER, 2L));
    checks.equal("absent members stay", Arrays.asList(changed.getContactId(), changed.getRole()), List.of("P-1", Role.EDITOR));
    ApiResponse<Access> second = patch(id, Checks.header(first, "etag"), new AccessPatch().contactId(null));
    Access cleared = Checks.succeeded(second, 200);
    checks.equal("null clears", Arrays.asList(cleared.getContactId(), cleared.getVersion()), Arrays.asList(null, 3L));
    List<Object> rest = List.of(cleared.getTicketVisibility(), cleared.getRole());
    checks.equal("the rest stays", rest, List.of(TicketVisibility.PARTNER, Role.EDITOR));

    Checks.step("412 with an old ETag");
    Checks.Refusal stale = checks.refused(() -> patch(id, etag, new AccessPatch().role(Role.DISPATCHER)), 412);
    checks.equal("code", Checks.code(stale.problem()), "precondition_failed");
    checks.equal("current version", stale.problem().getCurrent().getVersion(), 3L);
    ApiResponse<Access> retried = patch(id, stale.etag(), new AccessPatch().role(Role.EDITOR));
    checks.equal("current ETag", Checks.succeeded(retried, 200).getVersion(), 3L);
    Access unchanged = Checks.succeeded(accesses.getAccessWithHttpInfo(PARTNER, id, null, null), 200);
    List<Object> now = Arrays.asList(unchanged.getRole(), unchanged.getVersion(), unchanged.getContactId());
    checks.equal("nothing was written", now, Arrays.asList(Role.EDITOR, 3L, null));
  }

  private void conflicts() throws Exception {
    Checks.step("409 and 422 with details");
    AccessCreate taken = new AccessCreate().firstName("Ida").lastName("Muster").email("aenne.schaefer@sonnenschein.example");
    Problem duplicate = checks.refused(() -> accesses.createAccess(PARTNER, taken, null), 409).problem();
    checks.equal("code", Checks.code(duplicate), "duplicate_email");
    Problem last = checks.refused(() -> areas.deleteArea(PARTNER, "netz", null, null, null), 409).problem();
    checks.equal("code", List.of(Checks.code(last), last.getType().toString()), List.of("last_area", "/problems/last_area"));
    AccessCreate wrong = new AccessCreate().firstName("Ida").lastName("").email("ida");
    Problem invalid = checks.refused(() -> accesses.createAccess(PARTNER, wrong, null), 422).problem();
    checks.equal("code", Checks.code(invalid), "validation_failed");
    List<String> pointers = invalid.getErrors().stream().map(FieldError::getPointer).sorted().toList();
    checks.equal("pointers", pointers, List.of("/email", "/last_name"));
  }

  private static TicketFilter condition(Field field, Operator operator, String value) {
    TicketFilterCondition condition = new TicketFilterCondition();
    condition.type(TicketFilterCondition.TypeEnum.CONDITION).field(field).operator(operator).addValuesItem(value);
    return new TicketFilter(condition);
  }

  private static TicketFilter group(TicketFilterGroup.TypeEnum type, TicketFilter... filters) {
    return new TicketFilter(new TicketFilterGroup().type(type).filters(List.of(filters)));
  }

  private void excludeTickets() throws ApiException {
    Checks.step("an exclusion rule with a nested filter");
    TicketFilter closed = condition(Field.STATUS, Operator.IN, "closed");
    TicketFilter personal = condition(Field.TAG, Operator.ANY_OF, "Personal");
    TicketFilter netz = condition(Field.AREA, Operator.IN, "netz");
    TicketFilter filter =
        group(TicketFilterGroup.TypeEnum.ALL, netz, group(TicketFilterGroup.TypeEnum.ANY, closed, personal));
    ExclusionRuleCreate body = new ExclusionRuleCreate().name("Altfälle").filter(filter);
    ExclusionRule rule = Checks.succeeded(rules.createExclusionRuleWithHttpInfo(PARTNER, body, null), 201);
    checks.equal("filter", rule.getFilter(), filter);
    // the discriminator selects the type
    TicketFilter inner = rule.getFilter().getTicketFilterGroup().getFilters().get(1);
    TicketFilter leaf = inner.getTicketFilterGroup().getFilters().get(0);
    checks.equal("leaf", leaf.getTicketFilterCondition().getField(), Field.STATUS);
  }

  private static Ticket ticket(String id) {
    Ticket ticket = new Ticket().ticketId(id).businessPartnerId(PARTNER).areaId("netz");
    return ticket.internal(false).confidential(false).tags(List.of());
  }

  private static List<DecisionStep> notPassed(TicketDecision decision) {
    return decision.getSteps().stream().filter(step -> step.getOutcome() != Outcome.PASS).toList();
  }

  private void decideVisibility(UUID id) throws ApiException {
    Checks.step("ticket visibility: visible, hidden, with explanation");
    Ticket open = ticket("open").status(Ticket.StatusEnum.OPEN);
    Ticket closed = ticket("closed").status(Ticket.StatusEnum.CLOSED).internal(true);
    TicketVisibilityQuestion request = new TicketVisibilityQuestion().accessId(id).explain(true);
    request.tickets(List.of(open, closed, ticket("unknown"), ticket("none").status(null)));
    TicketVisibilityAnswer result = Checks.succeeded(decisions.decideTicketVisibilityWithHttpInfo(request, null), 200);
    Map<String, Boolean> visible = new LinkedHashMap<>();
    result.getDecisions().forEach(decision -> visible.put(decision.getTicketId(), decision.getVisible()));
    checks.equal("visible", visible, Map.of("open", true, "closed", false, "unknown", false, "none", true));
    checks.equal("no step denies", notPassed(result.getDecisions().get(0)), List.of());
    List<DecisionStep> hidden = notPassed(result.getDecisions().get(1));
    List<Step> codes = hidden.stream().map(DecisionStep::getCode).toList();
    checks.equal("hidden", codes, List.of(Step.TICKET_INTERNAL, Step.EXCLUDED_BY_RULE));
    List<String> sources = hidden.get(1).getSources().stream().map(DecisionSource::getName).toList();
    checks.equal("the rule", sources, List.of("Altfälle"));
    DecisionStep undetermined = notPassed(result.getDecisions().get(2)).get(0);
    List<Object> unknown = List.of(undetermined.getCode(), undetermined.getOutcome());
    checks.equal("unknown", unknown, List.of(Step.EXCLUDED_BY_RULE_UNDETERMINED, Outcome.UNDETERMINED));
  }

  private void decideCreation(UUID id) throws ApiException {
    Checks.step("ticket creation");
    TicketCreationQuestion request = new TicketCreationQuestion().accessId(id).areaId("netz");
    TicketCreationAnswer may =
        Checks.succeeded(decisions.decideTicketCreationWithHttpInfo(request.ticketTypeId("anomalie"), null), 200);
    List<Object> allowed = List.of(may.getAllowed(), may.getApprovalRequired(), may.getReasons());
    checks.equal("allowed", allowed, List.of(true, true, List.of()));
    TicketCreationAnswer mayNot =
        Checks.succeeded(decisions.decideTicketCreationWithHttpInfo(request.ticketTypeId("eintritt"), null), 200);
    checks.equal("not allowed", mayNot.getAllowed(), false);
    List<CreationReason> reasons = mayNot.getReasons().stream().map(CreationObstacle::getCode).toList();
    checks.equal("reasons", reasons, List.of(CreationReason.TICKET_TYPE_NOT_GRANTED, CreationReason.TICKET_TYPE_NOT_STARTABLE));
  }

  private void decideApproval(UUID id) throws ApiException {
    Checks.step("ticket approval");
    TicketApprovalQuestion request =
        new TicketApprovalQuestion().accessId(id).ticket(ticket("open").status(Ticket.StatusEnum.OPEN).released(false));
    TicketApprovalAnswer result =
        Checks.succeeded(decisions.decideTicketApprovalWithHttpInfo(request, null), 200);
    checks.equal("allowed", result.getAllowed(), false);
    List<ApprovalReason> reasons = result.getReasons().stream().map(ApprovalObstacle::getCode).toList();
    checks.equal("reasons", reasons, List.of(ApprovalReason.NOT_APPROVER));
  }

  private List<UUID> pages() throws ApiException {
    Checks.step("page through a list");
    for (String name : List.of("Drucker", "Arbeitsplatz", "VPN", "Cloud", "Büro")) {
      Checks.succeeded(tags.createTagWithHttpInfo(PARTNER, new TagCreate().name(name), null), 201);
    }
    List<Integer> sizes = new ArrayList<>();
    List<Tag> all = new ArrayList<>();
    String cursor = null;
    do {
      TagList page =
          Checks.succeeded(tags.listTagsWithHttpInfo(PARTNER, 2, cursor, "name", null, null, null, null, null, null, null), 200);
      sizes.add(page.getItems().size());
      all.addAll(page.getItems());
      cursor = page.getNextCursor();
    } while (cursor != null);
    checks.equal("pages", sizes, List.of(2, 2, 1));
    List<String> names = all.stream().map(Tag::getName).toList();
    checks.equal("names", names, List.of("Arbeitsplatz", "Büro", "Cloud", "Drucker", "VPN"));
    checks.equal("everywhere", all.stream().map(Tag::getAreaId).toList(), Arrays.asList(null, null, null, null, null));
    return all.stream().map(Tag::getId).toList();
  }

  private void readHistory() throws ApiException {
    Checks.step("the history");
    HistoryEntry entry = history.listHistory(PARTNER, 1, null, null, null, null, null, null, null, null, null, null).getItems().get(0);
    List<Object> who = List.of(entry.getResource(), entry.getAction(), entry.getSubject());
    checks.equal("entry", who, List.of(ResourceKind.TAG, Action.CREATED, "demo"));
    Map<String, Object> after = entry.getAfter();
    checks.equal("before and after", Arrays.asList(entry.getBefore(), after == null ? null : after.get("name")), Arrays.asList(null, "Büro"));
  }

  private void deleteAll(UUID access, List<UUID> tagIds) throws Exception {
    Checks.step("delete");
    for (UUID id : tagIds) {
      Checks.succeeded(tags.deleteTagWithHttpInfo(PARTNER, id, null, null, null, null), 204);
    }
    Problem gone = checks.refused(() -> tags.getTag(PARTNER, tagIds.get(0), null, null), 404).problem();
    checks.equal("code", Checks.code(gone), "not_found");
    Access inactive = Checks.succeeded(patch(access, null, new AccessPatch().active(false)), 200);
    checks.equal("ineffective", inactive.getIneffectiveReasons(), List.of(IneffectiveReason.ACCESS_INACTIVE));
    // a filter may reference a revoked area
    ApiResponse<Void> removed = areas.deleteAreaWithHttpInfo(PARTNER, "netz", null, null, null);
    checks.equal("no body", Checks.succeeded(removed, 204), null);
    Problem incomplete = checks.refused(() -> patch(access, null, new AccessPatch().active(true)), 409).problem();
    checks.equal("code", Checks.code(incomplete), "integration_incomplete");
    checks.equal("what is missing", incomplete.getErrors().stream().map(FieldError::getCode).toList(), List.of("no_area"));
  }

  private void unknownCode() throws Exception {
    Checks.step("a problem code that was added after the client was generated");
    Problem gone = checks.refused(() -> tags.getTag(PARTNER, new UUID(0, 0), null, null), 404).problem();
    checks.equal("known code", gone.getCode().getKnownProblemCode(), KnownProblemCode.NOT_FOUND);
    checks.equal("unknown code", Checks.code(checks.withCode(gone, "added_later")), "added_later");
  }

  private void run() throws Exception {
    activate();
    grant();
    ApiResponse<Access> created = createAccess();
    UUID id = created.getData().getId();
    patchAccess(id, Checks.header(created, "etag"));
    conflicts();
    excludeTickets();
    decideVisibility(id);
    decideCreation(id);
    decideApproval(id);
    List<UUID> tagIds = pages();
    readHistory();
    deleteAll(id, tagIds);
    unknownCode();
    checks.close();
  }

  public static void main(String[] arguments) throws Exception {
    ApiClient client = new ApiClient();
    client.setResponseInterceptor(Checks::notUpgraded);
    client.updateBaseUri(System.getenv("SERVICE"));
    String authorization = "Bearer " + System.getenv("TOKEN");
    client.setRequestInterceptor(request -> request.header("Authorization", authorization));
    new Scenario(client).run();
  }
}
