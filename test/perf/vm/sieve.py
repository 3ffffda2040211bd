def run():
    n = 1000000
    flags = []
    for i in range(n + 1): flags.append(True)
    count = 0
    for i in range(2, n + 1):
        if flags[i]:
            count += 1
            for k in range(i + i, n + 1, i): flags[k] = False
    return count
