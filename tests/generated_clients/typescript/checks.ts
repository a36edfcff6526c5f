// Compares and counts. Without Node.js APIs, because the browser tests use it too.

export class Checks {
  passed = 0;
  constructor(private readonly print: (line: string) => void) {}

  step(title: string): void {
    this.print(title);
  }

  equal(what: string, actual: unknown, expected: unknown): void {
    const [left, right] = [sorted(actual), sorted(expected)];
    if (left !== right) {
      throw new Error(`${what}: expected ${right}, got ${left}`);
    }
    this.passed += 1;
  }
}

/** Returns JSON with sorted members, where `undefined` differs from `null`. */
function sorted(value: unknown): string {
  return String(
    JSON.stringify(value, (_, inner: unknown) => {
      if (inner === undefined) {
        return "(undefined)";
      }
      const plain = typeof inner === "object" && inner !== null && !Array.isArray(inner);
      return plain ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
    }),
  );
}
