exports.handler = async ({ pathParameters: { what } }) => {
  switch (what) {
    case 'text': return 'not an answer';
    case 'object': return { statusCode: 200, body: { a: 1 } };
    case 'nothing': return;
    case 'redirect': return { statusCode: 302, headers: { Location: 'https://example.com/' } };
    case 'empty': return { statusCode: 204 };
    case 'error': throw new Error('on purpose');
    case 'exit': process.exit(3);
  }
  return { statusCode: 404, body: what };
};
