import sys, time
program = {}
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), program)
times = []
for i in range(int(sys.argv[2])):
    t = time.process_time(); s = program["run"](); times.append((time.process_time() - t) * 1000)
print(s, *times)
