local function allowed(domain, list)
  for _, entry in ipairs(list) do if domain == entry then return true end end
  return false
end
local function score(value, weight) return value * weight + 1 end
local function hook(connection, transaction)
  local helo = connection.helo.host:lower()
  local sender = transaction.sender:lower()
  local domain = transaction.senderaddress.domain:lower()
  local ip, port = connection.remoteip, connection.remoteport
  local points = 0
  if sender:find("^[a-z0-9._-]+@[a-z0-9.-]+$") then points = points + score(2, 3) end
  if helo == domain then points = points + score(1, 2) end
  if connection.tls.started then points = points + score(1, 1) end
  if port < 1024 then points = points - 5 end
  if not allowed(domain, {"example.com", "example.net", "example.org"}) then points = points - 10 end
  local accepted = {}
  for _, recipient in ipairs(transaction.recipients) do
    if recipient.address.domain ~= "blocked.example" then accepted[#accepted + 1] = recipient.recipient end
  end
  local result = { points = points, ip = ip, recipients = #accepted, action = points > 5 and "accept" or "defer" }
  return result.points + result.recipients
end
function run()
  local sum = 0
  for i = 0, 99999 do
    local connection = { id = "c", remoteip = "192.0.2.1", remoteport = 30000 + i % 1000, helo = { verb = "EHLO", host = "MX.Example.org" }, tls = { started = true, protocol = "TLSv1.3" } }
    local transaction = { id = "t", sender = "Joe@Example.org", senderaddress = { localpart = "Joe", domain = "Example.org" },
      recipients = { { recipient = "a@example.net", address = { localpart = "a", domain = "example.net" } }, { recipient = "b@blocked.example", address = { localpart = "b", domain = "blocked.example" } } } }
    sum = sum + hook(connection, transaction)
  end
  return sum
end
