import re
pattern = re.compile(r'^[a-z0-9._-]+@[a-z0-9.-]+$')
def allowed(domain, entries):
    for entry in entries:
        if domain == entry: return True
    return False
def score(value, weight): return value * weight + 1
def hook(connection, transaction):
    helo = connection["helo"]["host"].lower()
    sender = transaction["sender"].lower()
    domain = transaction["senderaddress"]["domain"].lower()
    ip = connection["remoteip"]
    port = connection["remoteport"]
    points = 0
    if pattern.search(sender): points += score(2, 3)
    if helo == domain: points += score(1, 2)
    if connection["tls"]["started"]: points += score(1, 1)
    if port < 1024: points -= 5
    if not allowed(domain, ["example.com", "example.net", "example.org"]): points -= 10
    accepted = []
    for recipient in transaction["recipients"]:
        if recipient["address"]["domain"] == "blocked.example": continue
        accepted.append(recipient["recipient"])
    result = {"points": points, "ip": ip, "recipients": len(accepted), "action": "accept" if points > 5 else "defer"}
    return result["points"] + result["recipients"]
def run():
    total = 0
    for i in range(100000):
        connection = {"id": "c", "remoteip": "192.0.2.1", "remoteport": 30000 + i % 1000, "helo": {"verb": "EHLO", "host": "MX.Example.org"}, "tls": {"started": True, "protocol": "TLSv1.3"}}
        transaction = {"id": "t", "sender": "Joe@Example.org", "senderaddress": {"localpart": "Joe", "domain": "Example.org"},
            "recipients": [{"recipient": "a@example.net", "address": {"localpart": "a", "domain": "example.net"}}, {"recipient": "b@blocked.example", "address": {"localpart": "b", "domain": "blocked.example"}}]}
        total += hook(connection, transaction)
    return total
