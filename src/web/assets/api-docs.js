SwaggerUIBundle({
  url: document.getElementById('api').dataset.document,
  dom_id: '#api',
  deepLinking: true,
  tryItOutEnabled: false,
  validatorUrl: null,
})
