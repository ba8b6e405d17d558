const ms = require('ms');

exports.handler = async () => ({ hour: ms('1h'), minute: ms(60000, { long: true }) });
