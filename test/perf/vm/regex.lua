-- Lua's own patterns.
local subjects = {"From: Joe User <joe.user@example.org>", "queue id 77AB12 removed", "550 5.1.1 no such user here", "Received: from mx1.example.net (10.1.2.3)", "plain text without anything", "joe@x.example, ann@y.example", "451 4.7.1 try again later please", "id=4711;state=open"}
function run()
  local count = 0
  for i = 1, 20000 do
    for _, s in ipairs(subjects) do
      if s:find("([a-z.]+)@([a-z.]+)") then count = count + 1 end
      if s:find("^[45][0-9][0-9] [45]%.[0-9]+%.[0-9]+") then count = count + 1 end
      if s:find("[iI][dD][ =]([0-9A-Fa-f]+)") then count = count + 1 end
    end
  end
  return count
end
