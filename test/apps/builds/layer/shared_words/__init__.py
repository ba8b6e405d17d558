def greeting(name):
    return "from the " + name
