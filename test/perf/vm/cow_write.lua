-- Values semantics by hand: the callee copies before it writes.
local function touch(a, i)
  local c = table.move(a, 0, 999, 0, {})
  c[i % 1000] = i
  return c[0]
end
function run()
  local a = {}
  for i = 0, 999 do a[i] = i end
  local sum = 0
  for i = 0, 39999 do sum = sum + touch(a, i); a[1] = i end
  return sum
end
