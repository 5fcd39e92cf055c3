// "Authorize" takes the API key that `make demo` prints.
const api = document.getElementById("api");
SwaggerUIBundle({
  url: api.dataset.schema,
  domNode: api,
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
