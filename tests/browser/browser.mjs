// Starts Debian's Chromium with an empty profile and collects the errors of its pages.
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // offline: no other host name can be resolved
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

export async function inBrowser(use) {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: ARGUMENTS });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** Opens a page in a new context; returns it with the list of its errors. */
export async function newPage(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, locale: "de-DE" });
  const page = await context.newPage();
  const errors = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      errors.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  page.on("pageerror", (error) => errors.push(`uncaught: ${error}`));
  await page.exposeFunction("blocked", (what) => errors.push(`content security policy: ${what}`));
  await page.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", (event) =>
      window.blocked(`${event.violatedDirective} ${event.blockedURI}`),
    ),
  );
  return { page, errors };
}

let passed = 0;

export function check(what, holds, shown) {
  if (!holds) {
    throw new Error(`${what}: ${JSON.stringify(shown, null, 1)?.slice(0, 3000)}`);
  }
  passed += 1;
  console.log(`ok   ${what}`);
}

export const checksPassed = () => passed;
