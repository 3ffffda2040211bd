def run():
    s = ""
    for i in range(1000000): s += "part" + str(i)
    return str(len(s)) + s[999999:1000005]
