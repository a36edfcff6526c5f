// Starts Swagger UI. Error responses and links are collapsed, so that the request and the successful
// response of an operation are close together.
"use strict";

/** A row with one cell that shows its content on demand. */
function collapsible(React, className, title, content) {
  const h = React.createElement;
  return h("details", { className }, h("summary", null, title), content);
}

/** Links the license to its text: Swagger UI makes no valid link of an SPDX expression. */
function LicenseLink() {
  const wrap = (_, { React, specSelectors }) => () => {
    const h = React.createElement;
    const name = specSelectors.selectLicenseNameField();
    return h("div", { className: "info__license" }, h("a", { href: "./license.txt" }, name));
  };
  return { wrapComponents: { OAS31License: wrap } };
}

function CollapsedResponses() {
  return {
    wrapComponents: {
      response: (Response, { React }) => (props) => {
        const h = React.createElement;
        const original = h(Response, props);
        if (!/^[45]/.test(props.code)) {
          return original;
        }
        const description = (props.response.get("description") ?? "").replaceAll("`", "");
        const title = [h("code", { key: "code" }, props.code), ` ${description}`];
        const table = h("table", { className: "responses-table" }, h("tbody", null, original));
        const row = h("td", { colSpan: 3 }, collapsible(React, "error-response", title, table));
        return h("tr", { "data-code": props.code }, row);
      },
      operationLink: (OperationLink, { React }) => (props) =>
        collapsible(React, "operation-link", props.name, React.createElement(OperationLink, props)),
    },
  };
}

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayOperationId: true,
  persistAuthorization: true,
  validatorUrl: null,
  plugins: [CollapsedResponses, LicenseLink],
});
