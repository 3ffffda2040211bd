local function peek(a, i) return a[i % 1000] end
function run()
  local a = {}
  for i = 0, 999 do a[i] = i end
  local sum = 0
  for i = 0, 999999 do sum = sum + peek(a, i); a[1] = i end
  return sum
end
