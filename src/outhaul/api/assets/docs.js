// The validator is a service on the internet: without null the page would ask it for a badge.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
