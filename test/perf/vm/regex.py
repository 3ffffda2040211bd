import re
a = re.compile(r'([a-z.]+)@([a-z.]+)'); b = re.compile(r'^[45][0-9][0-9] [45]\.[0-9]+\.[0-9]+'); c = re.compile(r'id[ =]([0-9A-F]+)', re.I)
subjects = ["From: Joe User <joe.user@example.org>", "queue id 77AB12 removed", "550 5.1.1 no such user here", "Received: from mx1.example.net (10.1.2.3)", "plain text without anything", "joe@x.example, ann@y.example", "451 4.7.1 try again later please", "id=4711;state=open"]
def run():
    count = 0
    for i in range(20000):
        for s in subjects:
            if a.search(s): count += 1
            if b.search(s): count += 1
            if c.search(s): count += 1
    return count
