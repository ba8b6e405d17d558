const json = (statusCode, body, headers = {}) => ({ statusCode, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });

exports.rest = async (event) => {
  const { resource, path, httpMethod, pathParameters, queryStringParameters, multiValueQueryStringParameters, stageVariables, body, isBase64Encoded } = event;
  const { stage, resourcePath, httpMethod: method, protocol, identity } = event.requestContext;
  return json(200, {
    resource, path, httpMethod, pathParameters, queryStringParameters, multiValueQueryStringParameters, stageVariables, body, isBase64Encoded,
    context: { stage, resourcePath, method, protocol, agent: identity.userAgent },
  }, { 'Access-Control-Allow-Origin': '*' });
};

exports.http = async (event) => {
  if (event.version === '1.0') return json(200, { version: event.version, path: event.path, method: event.httpMethod, query: event.queryStringParameters });
  const { version, routeKey, rawPath, rawQueryString, cookies, queryStringParameters, pathParameters, body, isBase64Encoded } = event;
  if (event.requestContext.http.method === 'POST') return { saved: JSON.parse(body) }; // no status: all of it is the body
  return {
    statusCode: 200,
    cookies: ['session=1; HttpOnly', 'theme=dark'],
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ version, routeKey, rawPath, rawQueryString, cookies, queryStringParameters, pathParameters, body, isBase64Encoded, method: event.requestContext.http.method }),
  };
};
