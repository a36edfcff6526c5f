import com.fasterxml.jackson.databind.ObjectMapper;
import customer_integration.client.ApiException;
import customer_integration.client.ApiResponse;
import customer_integration.model.Problem;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** Comparing, counting, and telling successes from refusals. */
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

  /** A refusal: its problem, and the current tag where it has one. */
  record Refusal(Problem problem, String tag) {}

  static void step(String title) {
    OUT.println("java: " + title);
  }

  void equal(String what, Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError(what + ": expected " + expected + ", got " + actual);
    }
    passed += 1;
  }

  /** What a successful request answered. */
  static <T> T succeeded(ApiResponse<T> answer, int status) {
    if (answer.getStatusCode() != status) {
      throw new AssertionError("expected " + status + ", got " + answer.getStatusCode());
    }
    return answer.getData();
  }

  /** A header of an answer, named in lower case. */
  static String header(ApiResponse<?> answer, String name) {
    return answer.getHeaders().get(name).get(0);
  }

  /** The problem that a refused request answered. */
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

  /**
   * Java offers HTTP/2 by `Connection: Upgrade`. A server may decline by answering as if that had not been there; it must not say
   * that it upgrades, since Java then goes on with a connection that the server has given up, and fails now and then.
   */
  static void notUpgraded(HttpResponse<InputStream> answer) {
    if (answer.headers().allValues("connection").contains("upgrade")) {
      throw new AssertionError("the answer " + answer + " says `connection: upgrade`, though nothing is upgraded");
    }
  }

  void close() {
    OUT.println("java: " + passed + " checks passed");
  }
}
