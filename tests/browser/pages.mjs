// pages.mjs SCRIPT: serves a page with SCRIPT on two free ports and prints their origins.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";

const script = readFileSync(process.argv[2]);
const html = `<!doctype html>
<html lang="de">
  <head><meta charset="utf-8"><title>Kundenintegration</title><link rel="icon" href="data:,"></head>
  <body style="font: 15px sans-serif"><h1>Kundenintegration</h1><ol id="steps"></ol><script src="/page.js"></script></body>
</html>`;

for (const name of ["ALLOWED", "FORBIDDEN"]) {
  const server = createServer((request, response) => {
    const [type, body] = request.url === "/page.js" ? ["text/javascript", script] : ["text/html", html];
    response.writeHead(200, { "Content-Type": `${type}; charset=utf-8` }).end(body);
  });
  server.listen(0, "127.0.0.1", () => console.log(`${name}=http://127.0.0.1:${server.address().port}`));
}
