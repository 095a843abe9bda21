// Swagger UI over the program's own OpenAPI document. Requests go out with the session of the person.

const SAFE = ["GET", "HEAD", "OPTIONS", "TRACE"];
const place = document.getElementById("swagger");
const page = document.documentElement;

// Swagger UI has a dark side of its own, under another name; it follows the page's when that is changed.
const followTheme = () => page.classList.toggle("dark-mode", page.classList.contains("dark"));
new MutationObserver(followTheme).observe(page, { attributeFilter: ["class"] });
followTheme();

function withToken(request) {
  if (!SAFE.includes((request.method || "GET").toUpperCase())) {
    request.headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
  }
  return request;
}

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null,
  requestInterceptor: withToken,
});
