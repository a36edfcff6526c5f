// pages.mjs DIRECTORY: serves page.js of DIRECTORY at / and app.js at /app, on two free ports, and
// prints their origins.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";

const html = `<!doctype html>
<html lang="de">
  <head><meta charset="utf-8"><title>Kundenintegration</title><link rel="icon" href="data:,"></head>
  <body style="font: 15px sans-serif"><h1>Kundenintegration</h1><ol id="steps"></ol><script src="/page.js"></script></body>
</html>`;
const files = {
  "/": ["text/html", html],
  "/page.js": ["text/javascript", readFileSync(`${process.argv[2]}/page.js`)],
  "/app": ["text/html", readFileSync("app.html")],
  "/app.js": ["text/javascript", readFileSync(`${process.argv[2]}/app.js`)],
};

for (const name of ["ALLOWED", "FORBIDDEN"]) {
  const server = createServer((request, response) => {
    const [type, body] = files[request.url];
    response.writeHead(200, { "Content-Type": `${type}; charset=utf-8` }).end(body);
  });
  server.listen(0, "127.0.0.1", () => console.log(`${name}=http://127.0.0.1:${server.address().port}`));
}
