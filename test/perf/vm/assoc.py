def run():
    t = {}
    k = 1
    for i in range(1000000):
        k = (k * 1103515 + 12345) % 2147483647
        t[k] = i
    s = 0
    k = 1
    for i in range(1000000):
        k = (k * 1103515 + 12345) % 2147483647
        s += t[k]
    return s
