def touch(a, i):
    a = a[:]
    a[i % 1000] = i
    return a[0]
def run():
    a = list(range(1000))
    s = 0
    for i in range(40000):
        s += touch(a, i)
        a[1] = i
    return s
