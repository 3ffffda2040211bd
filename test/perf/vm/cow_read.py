def peek(a, i): return a[i % 1000]
def run():
    a = list(range(1000))
    s = 0
    for i in range(1000000):
        s += peek(a, i)
        a[1] = i
    return s
