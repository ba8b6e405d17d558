exports.handler = async () => 'printed'
