exports.handler = async (event) => ({ items: event.items ?? [] })
