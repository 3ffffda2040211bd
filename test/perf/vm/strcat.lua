-- Lua's own idiom: collect and concatenate at the end.
function run()
  local t = {}
  for i = 0, 999999 do t[#t + 1] = "part" .. i end
  local s = table.concat(t)
  return #s .. s:sub(1000000, 1000005)
end
