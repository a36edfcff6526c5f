import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import customer_integration.client.ApiException;
import customer_integration.client.ApiResponse;
import customer_integration.model.Problem;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** Compares and counts; checks the status of responses. */
final class Checks {
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private final ObjectMapper mapper;
  private int passed;

  Checks(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  interface Call {
    void run() throws ApiException;
  }

  /** A rejected request: its problem, and the current ETag if there is one. */
  record Refusal(Problem problem, String etag) {}

  static void step(String title) {
    OUT.println("java: " + title);
  }

  void equal(String what, Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError(what + ": expected " + expected + ", got " + actual);
    }
    passed += 1;
  }

  /** Returns the body of a successful response. */
  static <T> T succeeded(ApiResponse<T> response, int status) {
    if (response.getStatusCode() != status) {
      throw new AssertionError("expected " + status + ", got " + response.getStatusCode());
    }
    return response.getData();
  }

  /** Returns a header; the name is in lower case. */
  static String header(ApiResponse<?> response, String name) {
    return response.getHeaders().get(name).get(0);
  }

  /** Returns the problem of a rejected request. */
  Refusal refused(Call call, int status) throws Exception {
    try {
      call.run();
    } catch (ApiException refusal) {
      if (refusal.getCode() != status) {
        throw refusal;
      }
      Problem problem = mapper.readValue(refusal.getResponseBody(), Problem.class);
      return new Refusal(problem, refusal.getResponseHeaders().firstValue("ETag").orElse(null));
    }
    throw new AssertionError("expected a problem " + status + ", but the request succeeded");
  }

  /** Returns the code of a problem, which may be one that the client does not know. */
  static String code(Problem problem) {
    return problem.getCode().getActualInstance().toString();
  }

  /** Returns a problem with another code, as the service would send it. */
  Problem withCode(Problem problem, String code) throws Exception {
    ObjectNode json = mapper.valueToTree(problem);
    return mapper.readValue(json.put("code", code).toString(), Problem.class);
  }

  /**
   * Java offers HTTP/2 with `Connection: Upgrade`. A server may ignore the offer, but must not send
   * `Connection: upgrade`: Java would then reuse a connection that the server closes, and fail
   * sometimes.
   */
  static void notUpgraded(HttpResponse<InputStream> response) {
    if (response.headers().allValues("connection").contains("upgrade")) {
      throw new AssertionError("the response " + response + " has `connection: upgrade`, though nothing is upgraded");
    }
  }

  void close() {
    OUT.println("java: " + passed + " checks passed");
  }
}
