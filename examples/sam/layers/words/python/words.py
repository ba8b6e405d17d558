def greeting(word):
    return word.capitalize() + "!"
